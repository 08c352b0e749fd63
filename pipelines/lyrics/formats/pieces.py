"""Words out of timed pieces of text, and lines out of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from ...core.lyrics import Line, Word
from .clock import to_units
from .draft import Piece

# Scripts that write no space between words: Thai to Burmese, Khmer, CJK with kana (not Hangul), and their supplements.
SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)

# Where a list of words becomes lines: a breath, the end of a sentence, or what fits on a subtitle's line.
PAUSE_SECONDS = 1.0
SENTENCE_ENDS = (".", "?", "!", "…", "。", "\uff1f", "\uff01")
LINE_CHARACTERS = 42


def pieces_between(
    text: str, tag: re.Pattern[str], seconds: Callable[[re.Match[str]], float], start: float, end: float
) -> list[Piece]:
    """Text with time tags inside as pieces: each tag starts one and ends the one before.

    start, end: of the whole.
    """
    tags = list(tag.finditer(text))
    times = [start, *map(seconds, tags), end]
    edges = [0, *(edge for found in tags for edge in found.span()), len(text)]
    texts = [text[left:right] for left, right in zip(edges[::2], edges[1::2], strict=True)]
    return [Piece(part, *span) for part, span in zip(texts, pairwise(times), strict=True)]


def tagged(
    words: Sequence[Word], end: float, per_second: int, tag: Callable[[float], str], text: Callable[[str], str] = str
) -> str:
    """The words with a time tag before each, and one after it where a pause follows: undoes `pieces_between`.

    end: of the whole. per_second: how fine a tag is. tag, text: write a time and a text as the format has them.
    """
    written = []
    for word, following in with_next_start(words, end):
        pause = to_units(word.end, per_second) < to_units(following, per_second)
        written += [tag(word.start), text(word.text), tag(word.end) if pause else "", text(word.after)]
    return "".join(written[:-1])


def with_next_start(words: Sequence[Word], end: float) -> Iterator[tuple[Word, float]]:
    """Each word and the start of the next one; `end` after the last."""
    return zip(words, [*(word.start for word in words[1:]), end], strict=True)


def extent(line: Line) -> tuple[float, float]:
    """Start and end in seconds of a line with its words, which may reach beyond it."""
    times = [line.start, line.end, *(time for word in line.words for time in (word.start, word.end))]
    return min(times), max(times)


def words_of(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that have a text, without the white space around it: that goes to `after` of the word before.

    A piece of white space alone is silence. Of several spaces one stays; a newline goes before them.
    """
    words: list[Piece] = []
    for piece in pieces:
        text = piece.text.strip()
        lead = piece.text[: len(piece.text) - len(piece.text.lstrip())]
        if words:
            words[-1] = words[-1]._replace(after=words[-1].after + lead)
        if text:
            words.append(piece._replace(text=text, after=piece.text[len(lead) + len(text) :]))
    words = [word._replace(after="\n" if "\n" in word.after else word.after[:1]) for word in words]
    return [*words[:-1], *(word._replace(after=" ") for word in words[-1:])]


def is_one_word(text: str) -> bool:
    """Whether its time is the time of a word, even if the file gives it to the line."""
    return len(text.split()) == 1 and (len(text) == 1 or not SPACELESS.search(text))


def space_between(before: str, after: str) -> str:
    """What a reader expects between two words: a space, or nothing within a script without spaces."""
    return "" if SPACELESS.match(before[-1:]) and SPACELESS.match(after[:1]) else " "


def spaced(words: Sequence[Piece]) -> list[Piece]:
    """The words with `after` as their scripts have it, for formats that do not say."""
    spaces = [space_between(word.text, following.text) for word, following in pairwise(words)]
    return [word._replace(after=space) for word, space in zip(words, [*spaces, " "], strict=False)]


def into_lines(words: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Lines out of words that came without any."""
    line: list[Piece] = []
    length = 0
    for word in words:
        if line and (
            word.start - line[-1].end >= PAUSE_SECONDS
            or line[-1].text.endswith(SENTENCE_ENDS)
            or length + len(word.text) > LINE_CHARACTERS
        ):
            yield line
            line, length = [], 0
        line.append(word)
        length += len(word.text) + len(word.after)
    if line:
        yield line
