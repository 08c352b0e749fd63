"""Mel-frequency cepstral coefficients, as SyncNet was trained on: python_speech_features 0.6 with its defaults.

Its functions are sigproc.preemphasis, framesig and powspec, base.get_filterbanks, fbank, mfcc and lifter
(jameslyons/python_speech_features, MIT).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

Doubles = NDArray[np.float64]

RATE = 16_000  # Hz
WINDOW, STEP = 400, 160  # samples: 25 ms every 10 ms, not tapered
COEFFICIENTS = 13

_PREEMPHASIS = 0.97
_FFT = 512
_FILTERS = 26
_LIFTER = 22
_NOTHING = np.finfo(np.float64).eps  # stands for a power of 0 before the logarithm


def mfcc(samples: NDArray[np.floating] | NDArray[np.int16], before: float = 0.0) -> Doubles:
    """float64 [frames, 13] of mono sound at 16 kHz; frames = 1 + ceil((n - 400) / 160), 1 of a shorter sound.

    samples: [n], on the scale of 16-bit numbers (-32768..32767). before: the sample ahead of them, 0 where they begin
    the sound, so that a sound read in pieces gives what it gives as a whole. The last frame is filled up with zeros.
    """
    power = np.abs(np.fft.rfft(_frames(np.asarray(samples, np.float64), before), _FFT)) ** 2 / _FFT
    energy = _above_nothing(power.sum(axis=1))
    bands = _above_nothing(power @ _filterbank().T)
    coefficients = dct(np.log(bands), type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
    coefficients *= 1 + _LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    coefficients[:, 0] = np.log(energy)
    return coefficients


def _frames(samples: Doubles, before: float) -> Doubles:
    """[frames, 400] of the sound with its treble raised."""
    raised = samples - _PREEMPHASIS * np.concatenate([[before], samples[:-1]])
    count = 1 + max(0, -(-(len(raised) - WINDOW) // STEP))
    padded = np.zeros((count - 1) * STEP + WINDOW)
    padded[: len(raised)] = raised
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]


def _above_nothing(power: Doubles) -> Doubles:
    return np.where(power == 0, _NOTHING, power)


@lru_cache(maxsize=1)
def _filterbank() -> Doubles:
    """[26, 257]: triangles between 0 and 8 kHz, their corners evenly spaced in HTK's mel, on whole bins of the FFT."""
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT + 1) * hertz / RATE)
    bins = np.arange(_FFT // 2 + 1)
    low, middle, high = (corners[start : start + _FILTERS, None] for start in range(3))
    rising = (bins - low) / np.maximum(middle - low, 1)
    falling = (high - bins) / np.maximum(high - middle, 1)
    return np.where(bins < middle, rising, falling).clip(0, None) * ((bins >= low) & (bins < high))
