"""Known words placed in the sound, window by window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...core.host import Host
from ..listener import Listener, TooManyWordsError
from .anchors import Span
from .clean import Lyrics
from .times import Times
from .windows import plan


def place(lyrics: Lyrics, spans: Sequence[Span], listener: Listener, seconds: float, host: Host) -> Times:
    """When the listener places each word, given where each line roughly is in a sound of `seconds`."""
    sizes = [sum(len(word.shown.encode()) for word in line) for line in lyrics.lines]
    edges = lyrics.edges
    times = Times.unknown(edges[-1])
    for window in plan(spans, sizes, listener.longest, seconds):
        host.check_interrupt()
        heard = listen(lyrics, window.lines, listener, window.start, window.end)
        times.take(heard, np.arange(edges[window.taken.start], edges[window.taken.stop]))
        host.progress(round(window.end), round(seconds), "Align lyrics")
    return times


def listen(lyrics: Lyrics, lines: range, listener: Listener, start: float, end: float) -> Times:
    """When the words of these lines are said, if it is between `start` and `end`; unknown where they are too many."""
    words = [word.shown for line in lines for word in lyrics.lines[line]]
    times = Times.unknown(lyrics.edges[-1])
    try:
        placed = listener.place(words, start, end)
    except TooManyWordsError:  # nobody sings so fast: these lines are elsewhere, or nowhere
        return times
    for index, word in enumerate(placed, lyrics.edges[lines.start]):
        times.starts[index], times.ends[index], times.confidence[index] = word.start, word.end, word.confidence
    return times
