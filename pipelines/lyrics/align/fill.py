"""The times of all words made whole: in order, none too short, and missing ones filled in where there is room."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...core.lyrics import Line, Source, Word
from .anchors import letter_seconds, letters_of
from .clean import Lyrics
from .times import Times

# Seconds. A guess draws no letter out further than this, so it never reaches into an instrumental, and squeezes none
# into less than anybody can say.
LETTER_MOST = 0.35
LETTER_LEAST = 0.02
# Of a word that was sung: a frame of a video.
SHORTEST = 0.04


def whole(lyrics: Lyrics, times: Times, guesses: Times, seconds: float) -> tuple[Line, ...]:
    """Lines whose words start one after the other within 0..`seconds`.

    Words without a time in a line that has some are "filled in"; those of lines without any, and those for which there
    is no room, are "not found" and have no duration. guesses: where these might be.
    """
    filled = _Filling(lyrics, _in_order(times), guesses, seconds)
    starts, ends = _spaced(filled.starts, filled.ends, filled.sung, seconds)
    lines = []
    row = 0
    for line in lyrics.lines:
        words = [
            Word(
                word.shown,
                float(starts[index]),
                float(ends[index]),
                float(times.confidence[index]) if filled.sources[index] == "heard" else 0.0,
                filled.sources[index],
                word.after,
            )
            for index, word in enumerate(line, row)
        ]
        lines.append(Line.of(tuple(words)))
        row += len(line)
    return tuple(lines)


class _Filling:
    """starts, ends: float64 [words], known for all. sources: of each word."""

    def __init__(self, lyrics: Lyrics, times: Times, guesses: Times, seconds: float) -> None:
        self._guesses = guesses.starts
        self._letters = letters_of(lyrics)
        self._rate = min(letter_seconds(times, self._letters), LETTER_MOST)
        self._line_of = np.repeat(np.arange(len(lyrics.lines)), [len(line) for line in lyrics.lines])
        self.starts, self.ends = times.starts.copy(), times.ends.copy()
        self.sources: list[Source] = ["heard" if known else "not found" for known in times.known]
        known = np.flatnonzero(times.known)
        for left, right in pairwise([-1, *known.tolist(), len(self.starts)]):
            if right - left > 1:
                begin = self.ends[left] if left >= 0 else 0.0
                self._between(left, right, begin, self.starts[right] if right < len(self.starts) else seconds)

    @property
    def sung(self) -> NDArray[np.bool_]:
        """bool [words]: heard or filled in."""
        return np.array([source != "not found" for source in self.sources])

    def _between(self, left: int, right: int, begin: float, end: float) -> None:
        """Times for the words between the known words `left` and `right`, which leave begin..end free."""
        head = left + 1  # the words from here on are not of the line of `left`
        while left >= 0 and head < right and self._line_of[head] == self._line_of[left]:
            head += 1
        tail = right  # and those before this not of the line of `right`
        while right < len(self.starts) and tail > head and self._line_of[tail - 1] == self._line_of[right]:
            tail -= 1
        if head == right < len(self.starts) and self._line_of[left] == self._line_of[right]:
            self._fill(range(left + 1, right), begin, min(end, begin + LETTER_MOST * self._size(left + 1, right)))
            return
        begin = self._fill(range(left + 1, head), begin, min(end, begin + self._rate * self._size(left + 1, head)))
        first = max(begin, end - self._rate * self._size(tail, right))
        self._fill(range(tail, right), first, end)
        self._mark(range(head, tail), begin, max(begin, first))

    def _fill(self, words: range, begin: float, end: float) -> float:
        """Share begin..end among the words by their letters; where that is too little, none of them was sung."""
        edges = self._shared(words, begin, end)
        if end - begin < LETTER_LEAST * self._size(words.start, words.stop) or not words:
            self._mark(words, begin, end)
            return begin
        self.starts[words.start : words.stop], self.ends[words.start : words.stop] = edges[:-1], edges[1:]
        for word in words:
            self.sources[word] = "filled in"
        return end

    def _mark(self, words: range, begin: float, end: float) -> None:
        """Words that were not sung are where they might be, without duration."""
        guesses = self._guesses[words.start : words.stop]
        places = np.where(np.isnan(guesses), self._shared(words, begin, end)[:-1], guesses)
        self.starts[words.start : words.stop] = np.maximum.accumulate(np.clip(places, begin, max(begin, end)))
        self.ends[words.start : words.stop] = self.starts[words.start : words.stop]

    def _shared(self, words: range, begin: float, end: float) -> NDArray[np.float64]:
        """[words + 1]: the edges of the words when they share begin..end by their letters."""
        passed = np.append(0.0, np.cumsum(self._letters[words.start : words.stop]))
        return begin + passed / max(passed[-1], 1.0) * max(end - begin, 0.0)

    def _size(self, start: int, stop: int) -> float:
        return float(self._letters[start:stop].sum())


def _in_order(times: Times) -> Times:
    """As many of the known words as start one after the other; the others become unknown (Fredman 1975)."""
    best: list[int] = []  # the word that ends the best run of each length
    before = np.full(len(times.starts), -1)
    for word in np.flatnonzero(times.known).tolist():
        length = bisect_right(best, times.starts[word], key=times.starts.__getitem__)
        before[word] = best[length - 1] if length else -1
        best[length : length + 1] = [word]
    kept = np.zeros(len(times.starts), dtype=bool)
    word = best[-1] if best else -1
    while word >= 0:
        kept[word] = True
        word = int(before[word])
    starts, ends = np.where(kept, times.starts, np.nan), np.where(kept, np.maximum(times.ends, times.starts), np.nan)
    rows = np.flatnonzero(kept)
    ends[rows[:-1]] = np.minimum(ends[rows[:-1]], starts[rows[1:]])
    return Times(starts, ends, np.where(kept, times.confidence, 0.0))


def _spaced(
    starts: NDArray[np.float64], ends: NDArray[np.float64], sung: NDArray[np.bool_], seconds: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The times moved as little as it takes for sung words to last `SHORTEST` and not to overlap."""
    rows = np.flatnonzero(sung)
    shortest = min(SHORTEST, seconds / max(len(rows), 1))
    steps = shortest * np.arange(len(rows))
    spaced = np.maximum.accumulate(starts[rows] - steps) + steps
    spaced = np.maximum(np.minimum(spaced, seconds - shortest * len(rows) + steps), 0.0)  # rounding may go below
    following = np.append(spaced[1:], seconds)
    starts, ends = starts.copy(), ends.copy()
    starts[rows], ends[rows] = spaced, np.clip(ends[rows], spaced + shortest, following)
    earliest = np.maximum.accumulate(np.where(sung, ends, 0.0))
    latest = np.minimum.accumulate(np.where(sung, starts, seconds)[::-1])[::-1]
    starts = np.where(sung, starts, np.clip(starts, earliest, np.maximum(earliest, latest)))
    return starts, np.where(sung, np.maximum(ends, starts), starts)
