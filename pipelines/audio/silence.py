"""Where nobody speaks, told from the loudness: there the source's own mouth may come back."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.errors import InputError
from ..core.types import AudioClip
from .band_power import POINTS_PER_SECOND, Curve, band_powers, decibels

SPEECH: Final = (150.0, 7000.0)  # Hz: voices and hisses (/s/ is mostly above 4 kHz), not hum or rumble

# Seconds.
AVERAGED: Final = 0.1  # evens out noise, and is shorter than a syllable
SHORT_PAUSE: Final = 0.5  # plosives stop for up to 0.15 s, and closing for less than this would be a twitch
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

    It is fully open for all that is louder than the threshold and a little around it, and closes only in pauses that
    last. A clip that is all speech never closes it, one that is all silence never opens it; nor does music close it.
    """

    def __init__(self, clip: AudioClip, fade: float = 0.15, threshold: float | None = None) -> None:
        """fade: seconds from closed to open. threshold: dB of full scale, between 150 Hz and 7 kHz; what is softer is
        silence. None finds it between the clip's own noise and speech.
        """
        if not 0 <= fade <= 2:
            raise InputError(expected="a fade of 0 to 2 seconds", got=f"{fade} s", next_step="Try 0.15 s.")
        level = _level(clip)
        spoken = _spoken(level > (_threshold(level) if threshold is None else threshold))
        self._curve = _faded(spoken, len(level), fade)
        self._times = np.arange(len(level)) / POINTS_PER_SECOND

    def at(self, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """float32 [n], 0-1, at each time; before and after the clip as at its ends."""
        return np.interp(seconds, self._times, self._curve).astype(np.float32)


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


def _spoken(loud: NDArray[np.bool_]) -> NDArray[np.int64]:
    """[k, 2]: where each stretch of speech starts and stops, short pauses included."""
    edges = np.flatnonzero(np.diff(loud, prepend=False, append=False)).reshape(-1, 2)
    apart = np.flatnonzero(edges[1:, 0] - edges[:-1, 1] >= SHORT_PAUSE * POINTS_PER_SECOND)
    return np.stack([edges[np.r_[0, apart + 1], 0], edges[np.r_[apart, -1], 1]], axis=1) if len(edges) else edges


def _faded(spoken: NDArray[np.int64], points: int, fade: float) -> Curve:
    """[points]: 1 in each stretch and MARGIN around it, fading to 0 beyond."""
    half = round(fade * POINTS_PER_SECOND / 2)
    reach = half + round(MARGIN * POINTS_PER_SECOND)
    curve = np.zeros(points)
    for start, stop in spoken:
        curve[max(start - reach, 0) : stop + reach] = 1
    kernel = np.hanning(2 * half + 3)[1:-1]
    # Beyond the ends it goes on as it is there, so that a clip that starts with speech starts open.
    smooth = np.convolve(np.pad(curve, half, mode="edge"), kernel / kernel.sum(), mode="valid")
    return smooth.clip(0, 1).astype(np.float32)
