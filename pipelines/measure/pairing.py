"""Which frame is seen when, and which frame of the source belongs to which of the result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.timing import AudioLonger, FrameClock, LengthPolicy, Timeline, ticks_to_seconds
from ..core.types import FrameSource

Indices = NDArray[np.int64]

# Seconds. Where a frame begins just when another is asked for, rounding must not decide between them.
_JUST_BEFORE = 1e-6


def at_rate(clock: FrameClock, rate: int) -> Indices:
    """int64 [n]: the frame that is seen in the middle of each 1 / `rate` of a second, to the end of the clip."""
    count = max(1, round(clock.duration * rate))
    return _seen(clock.seconds, (np.arange(count) + 0.5) / rate)


def source_of(result: FrameClock, source: FrameClock, audio_longer: AudioLonger) -> Indices:
    """int64 [M]: the source frame that each frame of a result was made of.

    Told by time, so a result at another frame rate is compared with what was seen then. audio_longer: how the source
    went on where the result is longer, as in the sampler. Raises InputError when it did not go on.
    """
    timeline = Timeline.build(source, result.duration, LengthPolicy(audio_longer))
    if audio_longer == "stop" and result.duration > timeline.duration + 1 / float(source.rate):
        raise InputError(
            expected=f"a result no longer than its source ({timeline.duration:.2f} s)",
            got=f"{result.duration:.2f} s",
            next_step="Set `audio_longer` to what the sampler was set to.",
        )
    starts = result.seconds
    middles = (starts + np.append(starts[1:], result.duration)) / 2
    return timeline.source[_seen(ticks_to_seconds(timeline.ticks, timeline.tick), middles)]


def check_same_size(source: FrameSource, result: FrameSource) -> None:
    """Raise InputError unless both have the same size in pixels."""
    wanted, got = (f"{clip.width}x{clip.height}" for clip in (source, result))
    if wanted != got:
        raise InputError(
            expected=f"a result as large as its source, {wanted}",
            got=got,
            next_step="Connect the source that the result was made of, at its own size.",
        )


def _seen(starts: NDArray[np.float64], seconds: NDArray[np.float64]) -> Indices:
    """The frame, of those that begin at `starts`, that is shown at each time."""
    return np.maximum(np.searchsorted(starts, seconds - _JUST_BEFORE, side="right") - 1, 0)
