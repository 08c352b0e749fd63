"""Known words that were recognised, and roughly where in the sound each line is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...core.lyrics import Word
from .clean import Lyrics, words_of
from .needleman_wunsch import Heard, Pair, align
from .times import Times

# Two texts at least so alike are the same word, misheard at most in an ending.
ALIKE = 0.6
# A line is found when so much of it, by letters, was recognised, and with so much confidence on average: what a model
# makes up in an instrumental may be a chorus, with a confidence of 0.02.
LINE_FOUND = 0.5
FOUND_CONFIDENCE = 0.1
# Seconds for a letter where nothing tells: between speech (0.06) and slow singing (0.2).
LETTER_SECONDS = 0.1


@dataclass(frozen=True)
class Span:
    """Where a line is. found: it was recognised there; else it is somewhere within start..end, if at all."""

    start: float
    end: float
    found: bool


def anchors(lyrics: Lyrics, recognised: Sequence[Word]) -> Times:
    """The times of the known words that are among the recognised ones. confidence: likeness times the recogniser's."""
    heard = _heard(recognised)
    words = [word.match for word in lyrics.words]
    times = Times.unknown(len(words))
    for pair in align([[word.match for word in line] for line in lyrics.lines], heard):
        if pair.similarity >= ALIKE:
            _take(times, pair, words, heard)
    return times


def spans(lyrics: Lyrics, times: Times, seconds: float) -> list[Span]:
    """A span for each line, from the times of recognised words in a sound of `seconds`."""
    letters = letters_of(lyrics)
    rate = letter_seconds(times, letters)
    found = [_span(times, letters, range(*edges), rate, seconds) for edges in pairwise(lyrics.edges)]
    return _with_missing(found, np.add.reduceat(letters, lyrics.edges[:-1]) * rate, seconds)


def is_found(times: Times, letters: NDArray[np.float64], words: NDArray[np.intp]) -> bool:
    """Whether the line of these words was recognised."""
    known = words[times.known[words]]
    if letters[known].sum() < LINE_FOUND * letters[words].sum():
        return False
    return bool(np.average(times.confidence[known], weights=letters[known]) >= FOUND_CONFIDENCE)


def letters_of(lyrics: Lyrics) -> NDArray[np.float64]:
    """float64 [words]: how long each word is in writing."""
    return np.array([len(word.match) for word in lyrics.words], dtype=np.float64)


def letter_seconds(times: Times, letters: NDArray[np.float64]) -> float:
    """How long a letter takes in the known words: their median."""
    lasts = (times.ends - times.starts)[times.known] / letters[times.known]
    return float(np.median(lasts)) if lasts.size and np.median(lasts) > 0 else LETTER_SECONDS


def _heard(recognised: Sequence[Word]) -> Heard:
    """The recognised words, cut and cleaned as lyrics are."""
    match: list[str] = []
    rows: list[tuple[float, float, float]] = []
    for word in recognised:
        parts = words_of(word.text)
        edges = np.cumsum([0, *(len(part.match) for part in parts)]) / max(sum(len(part.match) for part in parts), 1)
        times = word.start + edges * (word.end - word.start)
        match += [part.match for part in parts]
        rows += [(start, end, word.confidence) for start, end in pairwise(times.tolist())]
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return Heard(tuple(match), table[:, 0], table[:, 1], table[:, 2])


def _take(times: Times, pair: Pair, words: Sequence[str], heard: Heard) -> None:
    """Write the pair's times; two known words share the time of one recognised word by their letters."""
    known = slice(pair.known, pair.known_stop)
    start, end = heard.starts[pair.heard], heard.ends[pair.heard_stop - 1]
    lengths = [len(word) for word in words[known]]
    edges = start + np.cumsum([0, *lengths]) / sum(lengths) * max(end - start, 0)
    times.starts[known], times.ends[known] = edges[:-1], edges[1:]
    times.confidence[known] = pair.similarity * heard.confidence[pair.heard : pair.heard_stop].mean()


def _span(times: Times, letters: NDArray[np.float64], words: range, rate: float, seconds: float) -> Span | None:
    """The span of a line that was recognised: its known words, and room for those before and behind them."""
    here = np.arange(words.start, words.stop)
    if not is_found(times, letters, here):
        return None
    known = here[times.known[here]]
    first, last = known[0], known[-1]
    start = times.starts[first] - letters[words.start : first].sum() * rate
    end = times.ends[known].max() + letters[last + 1 : words.stop].sum() * rate
    return Span(min(max(0.0, float(start)), seconds), min(seconds, float(end)), True)


def _with_missing(found: Sequence[Span | None], lasts: NDArray[np.float64], seconds: float) -> list[Span]:
    """Lines that were not recognised share the time between those that were, by their length.

    Before the first and behind the last found line they get twice the time they need: not all of a long intro.
    """
    whole = {row: span for row, span in enumerate(found) if span is not None}
    for before, after in pairwise([-1, *whole, len(found)]):
        needed = lasts[before + 1 : after]
        begin = whole[before].end if before in whole else 0.0
        end = whole[after].start if after in whole else seconds
        if before not in whole and after in whole:
            begin = max(begin, end - 2 * needed.sum())
        elif after not in whole and before in whole:
            end = min(end, begin + 2 * needed.sum())
        edges = begin + np.cumsum([0, *needed]) / max(needed.sum(), 1e-9) * max(end - begin, 0.0)
        for row, (start, stop) in enumerate(pairwise(edges.tolist()), before + 1):
            whole[row] = Span(start, stop, False)
    return [whole[row] for row in range(len(found))]
