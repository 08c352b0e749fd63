"""Packages that the pack can use and does not need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from types import ModuleType

from ....core.errors import LipSyncError
from ....core.lyrics import Line, Word
from ..pieces import split_word


class MissingPackageError(LipSyncError):
    """A package that the user chose to use is not installed, or does not start."""


def installed(module: str, package: str) -> ModuleType:
    """The module, or MissingPackageError with the way to install `package`."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            expected=f"the package {package}, which this backend runs on",
            got=str(error),
            next_step=f"Install it into ComfyUI's Python (`python -m pip install {package}`) and restart ComfyUI, or "
            "choose the backend `transformers`, which needs nothing more.",
        ) from error


def line_of(words: Iterable[tuple[str, float, float, float]]) -> tuple[Word, ...]:
    """Words of one line from (text with its leading space, start, end, probability), as other packages give them."""
    found: list[Word] = []
    for text, start, end, probability in words:
        if not text.strip():
            continue
        if found and not text[0].isspace():
            found[-1] = _followed_by_nothing(found[-1])
        begin = max(start, found[-1].start if found else 0.0)
        confidence = min(max(probability, 0.0), 1.0)
        found += split_word(Word(text.strip(), begin, max(end, begin), confidence))
    return tuple(found)


def lines_of(words: Sequence[Sequence[Word]]) -> tuple[Line, ...]:
    """Lines of at least one word each, in the order of their start."""
    return tuple(sorted((Line.of(tuple(line)) for line in words if line), key=lambda line: line.start))


def _followed_by_nothing(word: Word) -> Word:
    return Word(word.text, word.start, word.end, word.confidence, word.source, "")
