"""Lines of known words against a stream of recognised words: a global alignment with affine gaps.

Needleman & Wunsch (1970) with the gaps of Gotoh (1982), in two layers. Between lines, recognised words are skipped
almost for nothing (ad-libs, what a model makes of an instrumental), and a line as a whole may be missing. Inside a line
gaps and pauses cost, so a line stays together and its words do not catch those of another chorus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from .similarity import Vocabulary

# Scores, in units of a word of four letters that was recognised exactly.
_GAP_OPENS, _GAP_GOES_ON = 0.4, 0.15  # words of a line left out, or others put in
_LINE_MISSING = 0.4
_BETWEEN = 0.01  # each recognised word between two lines
_JOINING = 0.1  # two words for one
_UNSURE, _SURE = 0.25, 0.2  # part of its score that a word of no confidence has; confidence from which it has it all
_PAUSE_FREE, _PAUSE_COSTS, _PAUSE_COSTS_MOST = 2.0, 0.25, 3.0  # inside a line: seconds, per second beyond, at most

# Of one byte, in the table that says where each best score came from.
MAX_CELLS = 400_000_000

# The bits of such a byte: of a word, and between lines.
_ONE_TO_ONE, _ONE_TO_TWO, _TWO_TO_ONE, _LEFT_OUT, _PUT_IN = range(5)
_MOVE, _LEFT_OUT_BEFORE, _PUT_IN_BEFORE, _BEGINS = 0x07, 0x08, 0x10, 0x20
_MISSING, _SKIPS = 0x01, 0x02

_Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """Recognised words in order. match: as compared. starts, ends: float [n], seconds. confidence: float [n], 0-1."""

    match: tuple[str, ...]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    confidence: NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Known words known..known_stop-1 are the recognised words heard..heard_stop-1. similarity: 0-1."""

    known: int
    known_stop: int
    heard: int
    heard_stop: int
    similarity: float


def align(lines: Sequence[Sequence[str]], heard: Heard) -> list[Pair]:
    """Which recognised word is which known word, in order on both sides; gonna / going to are one and two.

    lines: the known words as compared. Pairs are in order, and include those that are hardly alike: a word that was
    misheard. Raises InputError when the table would not fit into memory.
    """
    if not heard.match:
        return []
    cells = (sum(map(len, lines)) + len(lines) + 1) * (len(heard.match) + 1)
    if cells > MAX_CELLS:
        raise InputError(
            expected="lyrics and a sound of a few hours at most",
            got=f"{sum(map(len, lines)):,} words of lyrics and {len(heard.match):,} recognised words",
            next_step="Split the audio and the lyrics into parts.",
        )
    return _Alignment(lines, heard).pairs()


class _Alignment:
    """Rows are known words, columns are places in the stream: how many recognised words are before them."""

    def __init__(self, lines: Sequence[Sequence[str]], heard: Heard) -> None:
        self._lines = lines
        self._words = [word for line in lines for word in line]
        self._columns = len(heard.match) + 1
        self._one = Vocabulary(heard.match)
        self._two = Vocabulary([first + second for first, second in pairwise(heard.match)])
        self._trust = np.clip(heard.confidence / _SURE, _UNSURE, 1).astype(np.float32)
        self._pauses = _pauses(heard)
        self._put_in = np.append(0, np.cumsum(_GAP_GOES_ON + self._pauses)).astype(np.float32)
        self._between = (_BETWEEN * np.arange(self._columns)).astype(np.float32)
        self._from = np.zeros((len(self._words), self._columns), dtype=np.uint8)
        self._from_lines = np.zeros((len(lines) + 1, self._columns), dtype=np.uint8)

    def pairs(self) -> list[Pair]:
        """The best alignment, forward and back."""
        best = self._nowhere()
        best[0] = 0
        row = 0
        for number, line in enumerate(self._lines):
            sung = self._line(range(row, row + len(line)), self._between_lines(number, best))
            missing = best - _LINE_MISSING
            self._from_lines[number + 1] = np.where(missing >= sung, _MISSING, 0)
            best = np.maximum(sung, missing)
            row += len(line)
        self._between_lines(len(self._lines), best)
        return list(self._back())[::-1]

    def _nowhere(self) -> _Scores:
        return np.full(self._columns, -np.inf, dtype=np.float32)

    def _between_lines(self, number: int, best: _Scores) -> _Scores:
        """The best scores when recognised words before line `number` may have been skipped."""
        skipped = np.maximum.accumulate(best + self._between) - self._between
        self._from_lines[number] |= np.where(skipped > best, _SKIPS, 0).astype(np.uint8)
        return np.maximum(skipped, best)

    def _line(self, rows: range, before: _Scores) -> _Scores:
        """The best scores after a line that begins anywhere. before: the scores between lines."""
        best, left_out, earlier = self._nowhere(), self._nowhere(), self._nowhere()
        for row in rows:
            unsung = _GAP_OPENS + _GAP_GOES_ON * (row - rows.start) if row > rows.start else 0
            inside = best - np.append(self._pauses, 0).astype(np.float32)
            source = np.maximum(inside, before - unsung)
            found = np.stack([self._nowhere()] * _PUT_IN)
            found[_ONE_TO_ONE, 1:] = source[:-1] + _scores(self._words[row], self._one) * self._trust
            two = _scores(self._words[row], self._two) * self._trust[1:]
            found[_ONE_TO_TWO, 2:] = source[:-2] + two - _JOINING - self._pauses[1:]
            if row > rows.start:
                both = self._words[row - 1] + self._words[row]
                found[_TWO_TO_ONE, 1:] = earlier[:-1] + _scores(both, self._one) * self._trust - _JOINING
            opened, goes_on = best - _GAP_OPENS - _GAP_GOES_ON, left_out - _GAP_GOES_ON
            found[_LEFT_OUT] = left_out = np.maximum(opened, goes_on)
            self._from[row] = np.where(goes_on > opened, _LEFT_OUT_BEFORE, 0) | np.where(source > inside, _BEGINS, 0)
            best, earlier = self._with_put_in(row, found), source
        return best

    def _with_put_in(self, row: int, found: _Scores) -> _Scores:
        """The best scores of a row, with words behind it that are not of the line. found: [moves, columns]"""
        move = found.argmax(axis=0)
        best = np.take_along_axis(found, move[None], axis=0)[0]
        opened = best + self._put_in
        most = np.maximum.accumulate(opened)
        put_in = self._nowhere()
        put_in[1:] = most[:-1] - self._put_in[1:] - _GAP_OPENS
        self._from[row] |= np.where(put_in > best, _PUT_IN, move).astype(np.uint8)
        self._from[row, 1:] |= np.where(most[:-1] > opened[:-1], _PUT_IN_BEFORE, 0).astype(np.uint8)
        return np.maximum(put_in, best)

    def _back(self) -> Iterator[Pair]:
        """The pairs from the last to the first."""
        stop, column = len(self._words), self._columns - 1
        for number in range(len(self._lines), -1, -1):
            while self._from_lines[number, column] & _SKIPS:
                column -= 1
            if number and not self._from_lines[number, column] & _MISSING:
                for pair in self._back_through(stop - 1, column):
                    yield pair
                    column = pair.heard
            stop -= len(self._lines[number - 1]) if number else 0

    def _back_through(self, row: int, column: int) -> Iterator[Pair]:
        """The pairs of one line, from its last word `row` to where it begins."""
        while True:
            move = self._from[row, column] & _MOVE
            if move == _PUT_IN:
                while self._from[row, column] & _PUT_IN_BEFORE:
                    column -= 1
                column -= 1
            elif move == _LEFT_OUT:
                while self._from[row, column] & _LEFT_OUT_BEFORE:
                    row -= 1
                row -= 1
            else:
                known = row - int(move == _TWO_TO_ONE)
                heard = column - 1 - int(move == _ONE_TO_TWO)
                yield self._pair(known, row + 1, heard, column)
                if self._from[known, heard] & _BEGINS:
                    return
                row, column = known - 1, heard

    def _pair(self, known: int, known_stop: int, heard: int, heard_stop: int) -> Pair:
        texts = self._one if heard_stop - heard == 1 else self._two
        similarity = texts.similarity("".join(self._words[known:known_stop]))[heard]
        return Pair(known, known_stop, heard, heard_stop, float(similarity))


def _scores(text: str, texts: Vocabulary) -> _Scores:
    """Score of `text` against each of `texts`: below zero when less than half is alike; more for longer words."""
    return (2 * texts.similarity(text) - 1) * min(0.4 + 0.15 * len(text), 1.6)


def _pauses(heard: Heard) -> _Scores:
    """float32 [n]: what the pause before each recognised word costs inside a line."""
    silent = np.append(0, heard.starts[1:] - heard.ends[:-1])
    return np.clip((silent - _PAUSE_FREE) * _PAUSE_COSTS, 0, _PAUSE_COSTS_MOST).astype(np.float32)
