"""What a reader has found so far: mends times that no value may have, and notes for the user what it mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from ...core.errors import InputError
from ...core.lyrics import Line, Source, Timings, Word
from .text import UNSHOWN

# More than any recording has. A few bytes of a hostile file must not become a table of days.
MAX_SECONDS = 100 * 3600.0
# A day of speech has about 200,000 words. Repeats (`[t1][t2]text`) make much out of a small file, so both are counted.
MAX_ENTRIES = 500_000
MAX_CHARACTERS = 20_000_000

# How long the last line lasts when a format writes starts only.
LAST_LINE_SECONDS = 5.0

EMPTY = "Entries without text, left out"
UNREADABLE = "Entries whose times or text cannot be read, left out"
BEYOND = f"Lines with times beyond {MAX_SECONDS / 3600:.0f} hours, left out"
NEGATIVE = "Times before zero, moved to zero"
EXCHANGED = "Lines that ended before they started, start and end exchanged"
BACKWARDS = "Word times that ran backwards, moved to the time before them"
UNSORTED = "Lines out of order, sorted by their start"


class Piece(NamedTuple):
    """A word as a file has it, nothing checked. Fields as in `Word`."""

    text: str
    start: float
    end: float
    after: str = " "
    confidence: float = 1.0
    source: Source = "heard"


class Draft:
    """Gathers lines in any order and state, and makes Timings of them."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._repairs: Counter[str] = Counter()
        self._entries = 0
        self._characters = 0

    def repaired(self, what: str, times: int = 1) -> None:
        """Remembers a repair for the notes. what: what was wrong and what was done, without a full stop."""
        if times:
            self._repairs[what] += times

    def in_order(self, start: float, end: float) -> tuple[float, float]:
        """Start and end of a line, exchanged where they run backwards: for readers that time words within them."""
        if end < start:
            self.repaired(EXCHANGED)
            return end, start
        return start, end

    def add(self, text: str, start: float, end: float, pieces: Sequence[Piece] = ()) -> None:
        """Adds a line. Times in seconds, of any value and order. Raises InputError when there is far too much."""
        self._count(text, pieces)
        times = (start, end, *(time for piece in pieces for time in (piece.start, piece.end)))
        if not all(time <= MAX_SECONDS for time in times):
            return self.repaired(BEYOND)
        text, words = UNSHOWN.sub("", text), tuple(self._words(pieces))
        if not text.strip() and not words:
            return self.repaired(EMPTY)
        start, end = map(self._not_negative, self.in_order(start, end))
        return self._lines.append(Line(text, start, end, words))

    def add_words(self, pieces: Sequence[Piece], start: float | None = None, end: float | None = None) -> None:
        """Adds the line that these pieces make, of its own start and end where the file has them."""
        if pieces:
            text = "".join(piece.text + piece.after for piece in pieces[:-1]) + pieces[-1].text
            first = pieces[0].start if start is None else start
            self.add(text, first, max(piece.end for piece in pieces) if end is None else end, pieces)
        else:
            self.repaired(EMPTY)

    def timings(
        self, language: str = "", tags: Mapping[str, str] = MappingProxyType({}), notes: Sequence[str] = ()
    ) -> Timings:
        """Everything added, sorted, with a note for each kind of repair after the file's own `notes`."""
        self.repaired(UNSORTED, sum(after.start < before.start for before, after in pairwise(self._lines)))
        self._lines.sort(key=lambda line: line.start)
        repairs = (f"{what}: {times}." for what, times in self._repairs.items())
        return Timings(tuple(self._lines), language, MappingProxyType(dict(tags)), (*notes, *repairs))

    def _count(self, text: str, pieces: Sequence[Piece]) -> None:
        self._entries += 1 + len(pieces)
        self._characters += len(text)
        if self._entries > MAX_ENTRIES or self._characters > MAX_CHARACTERS:
            raise InputError(
                expected=f"at most {MAX_ENTRIES:,} lines and words and {MAX_CHARACTERS:,} characters",
                got="a file that holds more",
                next_step="Check that this is a lyric or subtitle file, and split it if it is.",
            )

    def _words(self, pieces: Sequence[Piece]) -> Iterator[Word]:
        earliest = 0.0
        for piece in pieces:
            text = UNSHOWN.sub("", piece.text)
            if not text.strip():
                self.repaired(EMPTY)
                continue
            start = self._not_negative(piece.start)
            end = self._not_negative(piece.end)
            if start < earliest or end < start:
                self.repaired(BACKWARDS)
            start = max(start, earliest)
            yield Word(text, start, max(start, end), piece.confidence, piece.source, UNSHOWN.sub("", piece.after))
            earliest = start

    def _not_negative(self, seconds: float) -> float:
        if seconds < 0:
            self.repaired(NEGATIVE)
        return max(seconds, 0.0)


def ends_of_starts(starts: Sequence[float]) -> list[float]:
    """For formats that write starts only: each line lasts until the next later start. starts: ascending, seconds."""
    ends = [start + LAST_LINE_SECONDS for start in starts[-1:]]
    for start, after in reversed(list(pairwise(starts))):
        ends.append(after if after > start else ends[-1])
    return ends[::-1]
