"""What the draft engine hears: how far the mouth is open and how wide the lips are, measured from the sound alone."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import AudioClip
from .band_power import POINTS_PER_SECOND, Curve, band_powers, decibels

SMOOTHING_SECONDS: Final = 0.08  # below the ~100 ms of a short syllable; a Hann kernel this long is ~40 ms wide

# Hz. Vowels live in SPEECH; /s/ and /f/, said with the teeth together, are mostly above it.
SPEECH: Final = (250.0, 4000.0)
# The balance of these two tells spread lips (/i/: second formant above 2 kHz) from round ones (/u/: below 1 kHz).
ROUND: Final = (250.0, 1100.0)
SPREAD: Final = (1700.0, 4000.0)

# dB.
SILENCE: Final = -70.0  # below full scale: a clip whose speech is softer than this counts as silent
RECORDED: Final = 60.0  # what is this far below the loudest moment is a digital pause, not room noise
SPEECH_RANGE: Final = 28.0  # from a vowel at the clip's speech level down to a closed mouth
ABOVE_NOISE: Final = 8.0  # room noise rarely rises this far above its own lower end
LEAST_RANGE: Final = 12.0  # a clip without pauses has no noise to measure; its softest sounds still move the lips


class MouthShapes:
    """Mouth opening and lip width of a clip; implements `AudioFeatures`.

    Both curves are centred: the value at t is measured from the sound on both sides of t, so a frame shown from t
    carries the mouth of the moment it appears. They are relative to the clip's own speech level and voice, so
    neither the recording level nor the speaker matters. Pauses, and a silent clip, give exactly 0.
    """

    def __init__(self, clip: AudioClip) -> None:
        speech, low, high = (decibels(power) for power in band_powers(clip, (SPEECH, ROUND, SPREAD)))
        opening = _opening(speech)
        width = _width(high - low, opening)
        self._times = np.arange(len(opening)) / POINTS_PER_SECOND
        self._opening = _smoothed(opening)
        # Where the mouth is nearly closed the balance is that of noise; the lips come to rest with the opening.
        self._width = _smoothed(width * np.minimum(opening * 4, 1))

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, 2]: opening 0-1 and width -1 (round) to 1 (spread) at each time; 0 outside the clip."""
        curves = (self._opening, self._width)
        columns = [np.interp(seconds, self._times, curve, left=0, right=0) for curve in curves]
        return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))


def _opening(level: Curve) -> Curve:
    """Opening 0-1 from the level in the speech band (dB)."""
    recorded = level[level > max(level.max() - RECORDED, SILENCE)]
    if len(recorded) == 0:
        return np.zeros_like(level)
    # Levels within the speech range of the loudest moment are sounds of speech; a vowel is among their upper tenth.
    loud = np.percentile(recorded[recorded > recorded.max() - SPEECH_RANGE], 90)
    noise = np.percentile(recorded, 5) + ABOVE_NOISE
    closed = np.clip(noise, loud - SPEECH_RANGE, loud - LEAST_RANGE)
    # Squared, it follows sound pressure more closely than the logarithm does, and the gaps between syllables show.
    return np.clip((level - closed) / (loud - closed), 0, 1) ** 2


def _width(balance: Curve, opening: Curve) -> Curve:
    """Width -1 to 1 from the balance of high to low (dB), relative to the clip's own voice."""
    voiced = balance[opening > 0.1]
    if len(voiced) == 0:
        return np.zeros_like(balance)
    low, middle, high = np.percentile(voiced, (10, 50, 90))
    return np.clip((balance - middle) / max(high - low, 6.0) * 2, -1, 1)


def _smoothed(curve: Curve) -> Curve:
    """Symmetric, so nothing is delayed; of finite length, so a pause is 0 from 40 ms after the last sound on."""
    kernel = np.hanning(round(SMOOTHING_SECONDS * POINTS_PER_SECOND) + 1)
    half = len(kernel) // 2
    return np.convolve(curve, kernel / kernel.sum())[half : half + len(curve)].astype(np.float32)
