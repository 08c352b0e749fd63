"""A service's key: shown to nobody, and taken out of whatever people get to read."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from ..core.errors import InputError

_PASTED = re.compile(r"^(?:authorization\s*:)?\s*(?:basic\s+)?", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b(basic|bearer)\s+[^\s\"',]+", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s\"'<>]+")  # of a URL: signatures of temporary links are there
_LONGEST_TEXT = 300  # characters of a service's own words
_SHORTEST_SECRET = 4  # characters; a shorter part of a key would be found in any text
_LEAST, _MOST = 8, 1024  # characters of a key


@dataclass(frozen=True)
class ApiKey:
    """`API_USER:API_PASSWORD` as D-ID shows it. In no repr; ask for `header` where it is sent, nowhere else."""

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not (_LEAST <= len(self.text) <= _MOST and self.text.isascii() and self.text.isprintable()) or (
            " " in self.text
        ):
            raise InputError(
                expected="a D-ID API key: one word of letters, digits and signs, such as USER:PASSWORD",
                got=f"something else ({len(self.text)} characters)",
                next_step="Copy the key again from D-ID's account settings.",
            )

    @classmethod
    def read(cls, pasted: str) -> ApiKey:
        """What a person pasted, or wrote into a file or variable: with or without "Basic " and blanks around it."""
        return cls(_PASTED.sub("", pasted.strip()).strip())

    @property
    def header(self) -> str:
        """The value of Authorization. D-ID's documentation sends the key as it is, without encoding it."""
        return f"Basic {self.text}"

    def redact(self, text: str) -> str:
        """A service's own words, without this key, other credentials and the queries of URLs; on one line, not long."""
        parts = [self.text, base64.b64encode(self.text.encode()).decode(), *self.text.split(":")]
        for part in sorted(parts, key=len, reverse=True):
            if len(part) >= _SHORTEST_SECRET:
                text = text.replace(part, "***")
        text = _QUERY.sub("?***", _CREDENTIALS.sub(r"\1 ***", text))
        return " ".join(text.split())[:_LONGEST_TEXT]
