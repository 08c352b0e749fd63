"""Whisper's written side: its tokens, and the ones among them that are no text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import WeightsError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

TOKENIZER = "tokenizer.json"
TIMESTAMP_SECONDS = 0.02  # from one time token to the next

# English-only models have one token less than this; openai/whisper tells them apart by it too.
_MULTILINGUAL_SIZE = 51_865


class WhisperText:
    """The tokenizer of a Whisper, from the `tokenizer.json` that lies beside its weights.

    end, no_speech: the tokens for "the text ends" and "nobody speaks". first_time: the token for 0.00 s; the next ones
    are `TIMESTAMP_SECONDS` apart. languages: ISO 639-1 (or longer) code -> token; only "en" in an English-only model.
    silenced: tokens that are never written (marks of structure, and what the model's own files name).
    blank: tokens that no text begins with.
    """

    def __init__(self, folder: Path, size: int) -> None:
        """folder: where tokenizer.json is. size: tokens that the network knows. Raises WeightsError."""
        self._tokenizer = _tokenizer(folder)
        self.size = size
        self.multilingual = size >= _MULTILINGUAL_SIZE
        self._start = self._id("<|startoftranscript|>", folder)
        self._transcribe = self._id("<|transcribe|>", folder)
        self._without_times = self._id("<|notimestamps|>", folder)
        self.end = self._id("<|endoftext|>", folder)
        self.no_speech = self._without_times - 1  # <|nospeech|> or <|nocaptions|>
        self.first_time = self._without_times + 1
        self.languages = self._languages() if self.multilingual else {"en": self._start + 1}
        marks = range(self._start, self.first_time)
        self.silenced = tuple(sorted({*marks, *_suppressed(folder)} - {self.end}))
        self.blank = (*self.encode(" "), self.end)

    def encode(self, text: str) -> list[int]:
        """The tokens of `text`, and no others."""
        return self._tokenizer.encode(text, add_special_tokens=False)

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`; a replacement character where they end within a character."""
        return str(self._tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))

    def prompt(self, language: str, times: bool) -> list[int]:
        """What a text in `language` begins with. times: that of a text with time tokens."""
        spoken = [self.languages[language], self._transcribe] if self.multilingual else []
        return [self._start, *spoken, *([] if times else [self._without_times])]

    def _languages(self) -> dict[str, int]:
        """The tokens between the start and <|translate|>, which name languages."""
        last = min(self._transcribe, self._number("<|translate|>"))
        numbers = list(range(self._start + 1, last))
        names: list[str] = list(self._tokenizer.convert_ids_to_tokens(numbers))
        return {name[2:-2]: number for name, number in zip(names, numbers, strict=True)}

    def _id(self, mark: str, folder: Path) -> int:
        number = self._number(mark)
        if not 0 <= number < self.size:
            raise WeightsError(
                expected=f"Whisper's {TOKENIZER} in {folder}, with a token {mark} below {self.size:,}",
                got="another tokenizer" if number < 0 else f"{mark} as number {number:,}",
                next_step=f"Put the {TOKENIZER} of the same Whisper beside its weights.",
            )
        return number

    def _number(self, mark: str) -> int:
        """Which token a mark is; -1 when it is none."""
        number = self._tokenizer.get_vocab().get(mark)
        return -1 if number is None else number


def _tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast  # takes seconds, and is wanted only once a model is loaded

    path = folder / TOKENIZER
    if not path.is_file():
        raise WeightsError(
            expected=f"Whisper's {TOKENIZER} beside its weights, in {folder}",
            got="no such file",
            next_step=f"Download {TOKENIZER} from the page the weights are from, and put it into that folder.",
        )
    try:
        return PreTrainedTokenizerFast(tokenizer_file=str(path))
    except Exception as error:  # the tokenizers library raises bare Exceptions
        raise WeightsError(
            expected=f"Whisper's {TOKENIZER} in {folder}",
            got=f"a file that cannot be read ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
            next_step=f"Download {TOKENIZER} again; it has about 2 MB.",
        ) from error


def _suppressed(folder: Path) -> list[int]:
    """What the model's own files say should never be written: brackets, music notes and the like."""
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        if path.is_file():
            tokens: Any = _read(path).get("suppress_tokens")
            if isinstance(tokens, list):
                return [token for token in tokens if isinstance(token, int) and token >= 0]
    return []


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(
            expected=f"JSON in {path}", got=str(error), next_step=f"Download {path.name} again, or delete it."
        ) from error
    return found if isinstance(found, dict) else {}
