"""Words and lines with their times. Seconds of the audio they belong to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

Source = Literal["heard", "filled in", "not found"]


@dataclass(frozen=True)
class Word:
    """One word, or one character where a script knows no spaces.

    text: as it is shown, without surrounding space. start, end: seconds, end >= start >= 0. confidence: 0-1. source:
    "heard" in the audio, "filled in" between heard words, or "not found" (then start = end = where it would be, and the
    time means nothing). after: what is written between this word and the next one of its line.
    """

    text: str
    start: float
    end: float
    confidence: float = 1.0
    source: Source = "heard"
    after: str = " "

    def __post_init__(self) -> None:
        if not (math.isfinite(self.end) and 0 <= self.start <= self.end):
            raise ValueError(f"a word needs 0 <= start <= end, got {self}")
        if not 0 <= self.confidence <= 1 or not self.text.strip():
            raise ValueError(f"a word needs a text and a confidence from 0 to 1, got {self}")


@dataclass(frozen=True)
class Line:
    """What is shown at once. text: as shown. words: in order; empty when only the line's own times are known."""

    text: str
    start: float
    end: float
    words: tuple[Word, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.end) and 0 <= self.start <= self.end):
            raise ValueError(f"a line needs 0 <= start <= end, got {self}")
        if any(after.start < before.start for before, after in pairwise(self.words)):
            raise ValueError(f"the words of a line must start one after the other, got {self}")

    @classmethod
    def of(cls, words: tuple[Word, ...]) -> Line:
        """The line that these words (at least one) make."""
        text = "".join(word.text + word.after for word in words[:-1]) + words[-1].text
        return cls(text, words[0].start, max(word.end for word in words), words)


@dataclass(frozen=True)
class Timings:
    """The LIPSYNC_TIMINGS socket: lines in order of their start.

    language: ISO 639-1 code, or "" where unknown. tags: title, artist, album, ... as the file had them.
    notes: sentences the user should read (what was dropped or repaired, and why).
    """

    lines: tuple[Line, ...]
    language: str = ""
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(after.start < before.start for before, after in pairwise(self.lines)):
            raise ValueError("lines must be in the order of their start")

    @property
    def words(self) -> tuple[Word, ...]:
        """All words of all lines."""
        return tuple(word for line in self.lines for word in line.words)
