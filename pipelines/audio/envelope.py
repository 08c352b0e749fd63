"""How loud speech is from moment to moment."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.types import AudioClip
from .band_power import POINTS_PER_SECOND, band_powers

SPEECH: Final = (250.0, 4000.0)  # Hz: vowels, which the mouth opens for; hisses are said with the teeth together
AVERAGED: Final = 0.12  # s, about a short syllable


class SpeechEnvelope:
    """Sound pressure in the band of vowels, averaged around each moment: it rises and falls with the syllables."""

    def __init__(self, clip: AudioClip) -> None:
        pressure = np.sqrt(band_powers(clip, (SPEECH,))[0])
        self._curve = ndimage.uniform_filter1d(pressure, round(AVERAGED * POINTS_PER_SECOND), mode="nearest")

    def at(self, seconds: NDArray[np.float64]) -> NDArray[np.float32]:
        """float32 [n], full scale 1, at each time; 0 outside the clip."""
        times = np.arange(len(self._curve)) / POINTS_PER_SECOND
        return np.interp(seconds, times, self._curve, left=0, right=0).astype(np.float32)
