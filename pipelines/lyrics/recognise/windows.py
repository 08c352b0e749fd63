"""Which parts of a long sound are listened to, one after the other, so that no word is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.lyrics import Word
from .voice import Voice

# Seconds.
LONGEST = 30.0
_EDGE = 1.0  # what ends so near the end of a window may go on behind it
_STEP = 1.0  # a window begins at least this much later than the one before
_MISSED = 3.0  # speech behind the last word that is worth listening to again


@dataclass(frozen=True)
class Window:
    """Seconds of the sound. whole: it ends in silence, or with the sound, so its last word is complete."""

    start: float
    stop: float
    whole: bool


def window_from(start: float, voice: Voice, duration: float) -> Window:
    """The window that begins at `start`: up to 30 s, to the longest silence in its second half if there is one."""
    if start + LONGEST >= duration:
        return Window(start, duration, True)
    pause = voice.pause_between(start + LONGEST / 2, start + LONGEST)
    return Window(start, start + LONGEST, False) if pause is None else Window(start, pause, True)


def complete(words: Sequence[Word], window: Window) -> tuple[tuple[Word, ...], float]:
    """The words that are not cut off by the end of the window, and the second at which the next window may begin.

    A window of nothing but a cut word is believed as it is; else there would be no end.
    """
    kept = tuple(word for word in words if window.whole or word.end <= window.stop - _EDGE)
    if not kept or kept[-1].end < window.start + _STEP:
        return tuple(words), window.stop
    if window.whole:
        return kept, window.stop
    cut = words[len(kept)].start if len(kept) < len(words) else kept[-1].end
    return kept, (kept[-1].end + max(cut, kept[-1].end)) / 2


def resumed(kept: Sequence[Word], window: Window, following: float, voice: Voice) -> float:
    """`following`, or the end of the last word where much speech after it was passed over."""
    if not kept or kept[-1].end < window.start + _STEP or voice.heard(kept[-1].end, following) <= _MISSED:
        return following
    return kept[-1].end
