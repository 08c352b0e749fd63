"""Tokens to words and back: which tokens make which word, and what is written between words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...core.lyrics import Word

# Scripts that write no spaces between words: Thai, Lao, Burmese, Khmer, kana and Han. Each character becomes a word of
# its own, with the marks that belong to it.
_SCRIPTS = (
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ec0-\u0ec6\u1000-\u102a\u1780-\u17b3"
    "\u3005-\u3007\u3041-\u3096\u309d-\u30fa\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3\u3099-\u309c\u30fc"
_UNSPACED = re.compile(f"[{_SCRIPTS}]")
_WORD = re.compile(rf"[{_SCRIPTS}][{_MARKS}]*[^\w\s]*|[^\s{_SCRIPTS}]+")
_LETTER = re.compile(r"[^\W_]")
_INCOMPLETE = "\ufffd"


@dataclass(frozen=True)
class Piece:
    """A word in tokens. text, after: as in `core.lyrics.Word`. first, last: its first token that has letters, and the
    one after the last such token. share: which part of their time is its own, 0-1, where one token holds several words.
    """

    text: str
    after: str
    first: int
    last: int
    share: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True)
class Pieces:
    """Text in tokens. tokens: all, punctuation too. begins: [tokens]: a pause may come before this token."""

    tokens: tuple[int, ...]
    begins: NDArray[np.bool_]
    words: tuple[Piece, ...]


@dataclass(frozen=True)
class _Run:
    """The shortest run of tokens that makes whole characters. start, stop: its tokens. place: where its text begins."""

    start: int
    stop: int
    text: str
    place: int

    def letters_before(self, place: int) -> float:
        """Which part of its letters lie before `place` in the text, 0-1."""
        letters = [self.place + found.start() for found in _LETTER.finditer(self.text)]
        return sum(letter < place for letter in letters) / len(letters)


def unspaced(text: str) -> bool:
    """Whether a space beside this would be wrong: it is of a script that writes none between words."""
    return bool(_UNSPACED.search(text))


def given_words(
    words: Sequence[str], encode: Callable[[str], list[int]], decode: Callable[[Sequence[int]], str]
) -> Pieces:
    """The tokens of known words; one `Piece` for each, even of one without letters."""
    tokens: list[int] = []
    begins: list[bool] = []
    pieces = []
    for number, word in enumerate(words):
        spaced = not (unspaced(word) or (number > 0 and unspaced(words[number - 1])))
        own = encode(f" {word.strip()}" if spaced else word.strip())
        heard = [run for run in _runs(own, decode) if _LETTER.search(run.text)]
        first, last = (heard[0].start, heard[-1].stop) if heard else (0, len(own))
        pieces.append(Piece(word, "", len(tokens) + first, len(tokens) + last))
        begins += [token in (0, first, last) for token in range(len(own))]
        tokens += own
    return Pieces(tuple(tokens), np.array(begins, dtype=bool), tuple(pieces))


def written_words(tokens: Sequence[int], decode: Callable[[Sequence[int]], str]) -> Pieces:
    """The words of a text that a model wrote. Punctuation stays with the word it touches."""
    runs = list(_runs(tokens, decode))
    text = "".join(run.text for run in runs)
    owners = [run for run in runs for _ in run.text]
    spans = list(_word_spans(text))
    begins = np.zeros(len(tokens), dtype=bool)
    begins[[run.start for run in runs if not _LETTER.search(run.text)]] = True
    words = []
    for number, (start, stop) in enumerate(spans):
        letters = [start + found.start() for found in _LETTER.finditer(text[start:stop])]
        first, last = owners[letters[0]], owners[letters[-1]]
        share = (
            (first.letters_before(letters[0]), last.letters_before(letters[-1] + 1)) if first is last else (0.0, 1.0)
        )
        begins[first.start] = True
        after = text[stop : spans[number + 1][0]] if number + 1 < len(spans) else ""
        words.append(Piece(text[start:stop], after, first.start, last.stop, share))
    return Pieces(tuple(tokens), begins, tuple(words))


def _runs(tokens: Sequence[int], decode: Callable[[Sequence[int]], str]) -> Iterator[_Run]:
    start = place = 0
    for stop in range(1, len(tokens) + 1):
        text = decode(tokens[start:stop])
        if _INCOMPLETE in text and stop < len(tokens):
            continue  # a character is made of several tokens
        text = text.replace(_INCOMPLETE, "")
        yield _Run(start, stop, text, place)
        start, place = stop, place + len(text)


def _word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and stop in `text` of every word. What has no letters opens the word it touches, or lies between words."""
    opening: tuple[int, int] | None = None
    for found in _WORD.finditer(text):
        start, stop = found.span()
        if opening is not None and opening[1] == start:
            start = opening[0]
        if _LETTER.search(text, start, stop):
            yield start, stop
            opening = None
        else:
            opening = (start, stop)


def split_word(word: Word) -> list[Word]:
    """The word, or one for each character of an unspaced script, which share its time evenly."""
    texts = [word.text[start:stop] for start, stop in _word_spans(word.text)]
    if len(texts) < 2 or not unspaced(word.text):
        return [word]
    edges = np.linspace(word.start, word.end, len(texts) + 1).tolist()
    parts = [
        replace(word, text=text, start=a, end=b, after="") for text, a, b in zip(texts, edges, edges[1:], strict=False)
    ]
    return [*parts[:-1], replace(parts[-1], after=word.after)]
