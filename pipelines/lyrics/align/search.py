"""Lines that were neither recognised nor believed where they were placed, looked for through the time that is left."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...core.host import Host
from ..listener import Listener
from .anchors import letter_seconds, letters_of
from .clean import Lyrics
from .crosscheck import LINE_BELIEVED, WORD_BELIEVED, belief
from .forced import listen
from .times import Times
from .windows import MOST_BYTES

# A gap is searched when it is so many times longer than its lines need: they were placed in a shorter one already.
ROOMY = 2.0
# Seconds at the end of a window where words that are sung later pile up.
EDGE = 2.0


def search(lyrics: Lyrics, times: Times, listener: Listener, seconds: float, host: Host) -> Times:
    """The times, with more lines known where there were long stretches of sound and lines without a time in them.

    A window moves through each such stretch with the lines that are still to come. Lines that are believed stay, and
    the next window begins behind them; where none is, it moves on by half of its length.
    """
    whole = Times(times.starts.copy(), times.ends.copy(), times.confidence.copy())
    letters = letters_of(lyrics)
    searching = _Search(lyrics, whole, listener, letters, letter_seconds(times, letters), host)
    for lines, begin, end in _gaps(lyrics, times, seconds):
        if end - begin > ROOMY * searching.needed(lines):
            searching.through(lines, begin, end)
    return whole


def _gaps(lyrics: Lyrics, times: Times, seconds: float) -> list[tuple[range, float, float]]:
    """Lines in a row without any time, and the seconds between their neighbours."""
    known = [line for line, edges in enumerate(pairwise(lyrics.edges)) if times.known[slice(*edges)].any()]
    gaps = []
    for before, after in pairwise([-1, *known, len(lyrics.lines)]):
        if after - before > 1:
            begin = np.nanmax(np.append(times.ends[: lyrics.edges[before + 1]], 0.0))
            end = np.nanmin(np.append(times.starts[lyrics.edges[after] :], seconds))
            gaps.append((range(before + 1, after), float(begin), float(end)))
    return gaps


@dataclass(frozen=True)
class _Search:
    """times: what is found is written here. letters: [words]. rate: seconds that a letter lasts."""

    lyrics: Lyrics
    times: Times
    listener: Listener
    letters: NDArray[np.float64]
    rate: float
    host: Host

    def needed(self, lines: range) -> float:
        """Seconds that these lines last."""
        return self.rate * float(self.letters[self.lyrics.edges[lines.start] : self.lyrics.edges[lines.stop]].sum())

    def through(self, lines: range, begin: float, end: float) -> None:
        """Look for the lines from `begin` to `end`."""
        while lines and end - begin > self.needed(lines[:1]):
            self.host.check_interrupt()
            stop = min(begin + self.listener.longest, end)
            heard = listen(self.lyrics, self._fitting(lines, stop - begin), self.listener, begin, stop)
            latest = stop if stop == end else stop - EDGE
            believed = [line for line in lines if self._take(heard, line, latest)]
            if believed:
                lines = range(believed[-1] + 1, lines.stop)
                begin = float(heard.ends[self.lyrics.edges[believed[-1] + 1] - 1])
            else:
                begin += self.listener.longest / 2

    def _fitting(self, lines: range, seconds: float) -> range:
        """As many of the lines as may be sung in so many seconds; at least one."""
        stop = lines.start + 1
        while stop < lines.stop and self.needed(range(lines.start, stop + 1)) <= seconds:
            texts = (word.shown for line in self.lyrics.lines[lines.start : stop + 1] for word in line)
            if sum(len(text.encode()) for text in texts) > MOST_BYTES:
                break
            stop += 1
        return range(lines.start, stop)

    def _take(self, heard: Times, line: int, latest: float) -> bool:
        """Keep a line that is believed and ends by `latest`, and say whether it was kept."""
        words = np.arange(self.lyrics.edges[line], self.lyrics.edges[line + 1])
        if not heard.known[words].all() or heard.ends[words[-1]] > latest:
            return False
        if belief(heard, self.letters, self.rate, words) < LINE_BELIEVED:
            return False
        self.times.take(heard, words[heard.confidence[words] >= WORD_BELIEVED])
        return True
