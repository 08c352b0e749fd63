"""Where nobody speaks, told from the loudness or from the words: there the source's own mouth may come back."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.errors import InputError
from ..core.lyrics import Line, Timings
from ..core.types import AudioClip
from .band_power import POINTS_PER_SECOND, Curve, band_powers, decibels

SPEECH: Final = (150.0, 7000.0)  # Hz: voices and hisses (/s/ is mostly above 4 kHz), not hum or rumble

# Seconds.
AVERAGED: Final = 0.1  # evens out noise, and is shorter than a syllable
SHORT_PAUSE: Final = 0.5  # plosives stop for up to 0.15 s, and closing for less than this would be a twitch
FADE: Final = 0.15  # from closed to open
MARGIN: Final = 0.06  # lips move before they are heard, and soft ends of words are below the threshold

# dB.
SILENCE: Final = -90.0  # below full scale: 16 bits hold little that is softer
RECORDED: Final = 60.0  # what is this far below the loudest moment is a digital pause, not room noise
SPEECH_RANGE: Final = 28.0  # from the loudest moment down to what still counts for the clip's own speech level
ABOVE_NOISE: Final = 5.0  # room noise, averaged, rarely rises this far above its own lower end
HIGHEST, LOWEST = -8.0, -40.0  # where the threshold lies, against the speech level
STEADY, QUIET = 6.0, -45.0  # what varies less than this, and is softer than that below full scale, is a room


class SilenceGate:
    """How far the painted mouth is to be seen, all along a clip: 0 in silence, 1 in speech, fading in between.

    It is fully open in every stretch of speech and a little around it, and closes only in pauses that last.
    """

    def __init__(self, spoken: NDArray[np.float64], seconds: float) -> None:
        """spoken: [k, 2], when each stretch of speech starts and stops, in seconds. seconds: how long the clip is."""
        points = max(1, round(seconds * POINTS_PER_SECOND))
        self._curve = _faded(np.round(spoken * POINTS_PER_SECOND).astype(np.int64), points)
        self._times = np.arange(points) / POINTS_PER_SECOND

    @classmethod
    def of_sound(cls, clip: AudioClip) -> SilenceGate:
        """By loudness. A clip that is all speech never closes it, one that is all silence never opens it; nor does
        music close it."""
        level = _level(clip)
        loud = level > _threshold(level)
        edges = np.flatnonzero(np.diff(loud, prepend=False, append=False)).reshape(-1, 2)
        return cls(_joined(edges / POINTS_PER_SECOND), len(level) / POINTS_PER_SECOND)

    @classmethod
    def of_words(cls, timings: Timings, seconds: float) -> SilenceGate:
        """By the times of words, or of lines where only these are known; music may play on. seconds: of the clip.

        Raises InputError when there is none.
        """
        timed = [part for line in timings.lines for part in _timed(line)]
        if not timed:
            raise InputError(
                expected="timings with at least one word or line that has a time",
                got=f"{len(timings.lines)} lines, none of them heard",
                next_step="Check the node that makes the timings, or disconnect them: loudness tells then.",
            )
        return cls(_joined(np.array(sorted(timed))), seconds)

    def at(self, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """float32 [n], 0-1, at each time; before and after the clip as at its ends."""
        return np.interp(seconds, self._times, self._curve).astype(np.float32)


def _timed(line: Line) -> list[tuple[float, float]]:
    if not line.words:
        return [(line.start, line.end)]
    return [(word.start, word.end) for word in line.words if word.source != "not found"]


def _level(clip: AudioClip) -> Curve:
    """dB, averaged around every point in time."""
    power = band_powers(clip, (SPEECH,))[0]
    return decibels(ndimage.uniform_filter1d(power, round(AVERAGED * POINTS_PER_SECOND), mode="nearest"))


def _threshold(level: Curve) -> float:
    """dB: between the noise and the speech of a clip; above everything where it is silent."""
    recorded = level[level > max(level.max() - RECORDED, SILENCE)]
    if len(recorded) == 0:
        return np.inf
    noise = np.percentile(recorded, 10)
    speech = np.percentile(recorded[recorded > recorded.max() - SPEECH_RANGE], 90)
    if speech < QUIET and speech - noise < STEADY:
        return np.inf
    return float(np.clip(noise + ABOVE_NOISE, speech + LOWEST, speech + HIGHEST))


def _joined(stretches: NDArray[np.float64]) -> NDArray[np.float64]:
    """[k, 2] from [n, 2], seconds, in the order of their starts: those with only a short pause between them as one."""
    if len(stretches) == 0:
        return stretches
    ends = np.maximum.accumulate(stretches[:, 1])
    apart = np.flatnonzero(stretches[1:, 0] - ends[:-1] >= SHORT_PAUSE)
    return np.stack([stretches[np.r_[0, apart + 1], 0], ends[np.r_[apart, -1]]], axis=1)


def _faded(spoken: NDArray[np.int64], points: int) -> Curve:
    """[points]: 1 in each stretch [k, 2] and MARGIN around it, fading to 0 beyond."""
    half = round(FADE * POINTS_PER_SECOND / 2)
    reach = half + round(MARGIN * POINTS_PER_SECOND)
    curve = np.zeros(points)
    for start, stop in spoken:
        curve[max(start - reach, 0) : stop + reach] = 1
    kernel = np.hanning(2 * half + 3)[1:-1]
    # Beyond the ends it goes on as it is there, so that a clip that starts with speech starts open.
    smooth = np.convolve(np.pad(curve, half, mode="edge"), kernel / kernel.sum(), mode="valid")
    return smooth.clip(0, 1).astype(np.float32)
