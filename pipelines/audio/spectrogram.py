"""A picture of a sound, and where something begins in it: for people who move word boundaries by eye."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.types import AudioClip
from .band_power import POINTS_PER_SECOND, band_powers, decibels

BANDS: Final = 64
LOWEST, HIGHEST = 80.0, 8000.0  # Hz: voices and their hisses
RANGE: Final = 80.0  # dB from black to white
LOUDEST: Final = -6.0  # dB of full scale in one band that is white

# A long sound is measured in pieces, with so much around each that its ends do not show.
PIECE_SECONDS: Final = 60
AROUND_SECONDS: Final = 1

# An onset is where the picture brightens most within its surroundings.
RISE_POINTS: Final = 4  # over which brightening is measured, up to the onset: as long as a window of `band_powers`
APART_SECONDS: Final = 0.08  # shorter than most syllables
LEAST_RISE: Final = 0.07  # of the whole range, on average over the bands: steady noise rises by up to 0.06

Picture = NDArray[np.uint8]


def spectrogram(seconds: float, sound: Callable[[float, float], AudioClip]) -> Picture:
    """uint8 [n, 64]: the strength around each hundredth of a second in bands of equal ratio, 80 Hz to 8 kHz.

    0 is 86 dB below full scale or softer, 255 is 6 dB below it. seconds: of all. sound: the sound between two times
    within them; it is asked for about a minute at a time.
    """
    picture = np.zeros((max(1, int(seconds * POINTS_PER_SECOND)), BANDS), np.uint8)
    for start in range(0, int(seconds) + 1, PIECE_SECONDS):
        before = min(AROUND_SECONDS, start)
        stop = min(start + PIECE_SECONDS + AROUND_SECONDS, seconds)
        rows = picture[start * POINTS_PER_SECOND : (start + PIECE_SECONDS) * POINTS_PER_SECOND]
        if len(rows):
            powers = band_powers(sound(start - before, stop), _bands())
            rows[:] = _brightness(powers).T[before * POINTS_PER_SECOND :][: len(rows)]
    return picture


def onsets(picture: Picture) -> NDArray[np.float64]:
    """Seconds, ascending, at least 80 ms apart: where sounds begin. picture: of `spectrogram`."""
    padded = np.pad(picture, ((RISE_POINTS, 0), (0, 0)), mode="edge")
    brighter = np.subtract(padded[RISE_POINTS:], padded[:-RISE_POINTS], dtype=np.int16)  # 46 MB for an hour
    rise = np.maximum(brighter, 0, out=brighter).mean(axis=1) / 255
    around = 2 * round(APART_SECONDS * POINTS_PER_SECOND) - 1
    is_peak = (rise == ndimage.maximum_filter1d(rise, around)) & (rise > LEAST_RISE)
    peaks = np.flatnonzero(is_peak)
    apart = np.diff(peaks, prepend=-around) >= round(APART_SECONDS * POINTS_PER_SECOND)  # of a plateau, the first
    return peaks[apart] / POINTS_PER_SECOND


def _bands() -> tuple[tuple[float, float], ...]:
    edges = np.geomspace(LOWEST, HIGHEST, BANDS + 1)
    # Windows of 40 ms tell 25 Hz apart: the lowest bands are narrower than that and share what they hear.
    return tuple((float(low), float(max(high, low + 26))) for low, high in pairwise(edges))


def _brightness(powers: NDArray[np.float32]) -> Picture:
    return np.clip((decibels(powers) - LOUDEST + RANGE) * (255 / RANGE), 0, 255).astype(np.uint8)
