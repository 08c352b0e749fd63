"""What Wav2Lip hears: the mel spectrogram of the fifth of a second that begins with a frame, looked up by time.

Source: audio.py, hparams.py and inference.py of Rudrabha/Wav2Lip@5c90fa9, with the librosa it pins (0.7.0).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import AudioClip
from .log_mel import MEL_BANDS, SAMPLE_RATE, mel_filters
from .resample import MonoReader

# Samples.
HOP = 200
WINDOW = 800

COLUMNS_PER_SECOND = SAMPLE_RATE // HOP
SEEN = 16  # columns that a frame hears

_PRE_EMPHASIS = 0.97
_LOWEST, _HIGHEST = 55.0, 7600.0  # Hz
_SOFTEST = 1e-5
_REFERENCE = 20.0  # dB, taken off
_RANGE = 100.0  # dB, that are spread over -4 to 4
_MOST = 4.0

# As in `whisper_windows`: far above the rounding of a frame's time, far below the finest clock of a video.
_ROUNDING = 1e-6

PIECE_COLUMNS = 400  # of the spectrogram, made at once: 5 s
_KEPT_PIECES = 2  # a window may straddle two


class Wav2LipMel:
    """`AudioFeatures`; only the pieces around the frames in work exist.

    Any frame rate is exact. The reference drops the frames at the end whose window would reach beyond the sound; here
    they hear its last window.
    """

    def __init__(self, clip: AudioClip) -> None:
        self._reader = MonoReader(clip, SAMPLE_RATE)
        self._columns = len(self._reader) // HOP + 1
        self._piece = lru_cache(_KEPT_PIECES)(self._mel)

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, 80, 16], -4 to 4: bands by columns of an 80th of a second, for each frame start.

        Of sounds shorter than 16 columns the last one is repeated.
        """
        columns = first_columns(seconds, self._columns)[:, None] + np.arange(SEEN)
        columns = np.minimum(columns, self._columns - 1)
        pieces = columns // PIECE_COLUMNS
        windows = np.empty((*columns.shape, MEL_BANDS), np.float32)
        for piece in np.unique(pieces).tolist():
            here = pieces == piece
            windows[here] = self._piece(piece)[columns[here] - piece * PIECE_COLUMNS]
        return torch.from_numpy(windows).transpose(1, 2).contiguous()

    def _mel(self, piece: int) -> NDArray[np.float32]:
        """float32 [up to 400, 80]: the spectrogram's columns from `400 * piece` on. Column k is centred at 200 k."""
        first = piece * PIECE_COLUMNS
        stop = min(first + PIECE_COLUMNS, self._columns)
        samples = self._emphasised(np.arange(first * HOP - WINDOW // 2, (stop - 1) * HOP + WINDOW // 2))
        frames = sliding_window_view(samples, WINDOW)[::HOP]
        return normalised(np.abs(np.fft.rfft(frames * np.hanning(WINDOW + 1)[:-1])))

    def _emphasised(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """The samples at `places` with higher tones stronger; beyond its ends the clip is mirrored."""
        places = mirrored(places, len(self._reader))
        first, last = int(places.min()), int(places.max())
        samples = self._reader.read(first - 1, last + 1).astype(np.float64)
        return (samples[1:] - _PRE_EMPHASIS * samples[:-1])[places - first]


def first_columns(seconds: NDArray[np.float64], columns: int) -> NDArray[np.int64]:
    """int64 [n]: where the windows of the frames starting at `seconds` begin in a spectrogram of so many columns."""
    first = np.floor(seconds * COLUMNS_PER_SECOND + _ROUNDING).astype(np.int64)
    return first.clip(0, max(0, columns - SEEN))


def mirrored(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places within 0..length-1, for those of a clip that goes on as its mirror image, its ends not doubled."""
    period = max(1, 2 * (length - 1))
    there = places % period
    return np.minimum(there, period - there)


def normalised(magnitudes: NDArray[np.float64]) -> NDArray[np.float32]:
    """float32 [k, 80], -4 to 4, from the magnitudes of spectra [k, 401]."""
    bands = magnitudes @ mel_filters(WINDOW, _LOWEST, _HIGHEST).T
    decibels = 20 * np.log10(np.maximum(bands, _SOFTEST)) - _REFERENCE
    spread = 2 * _MOST * (decibels + _RANGE) / _RANGE - _MOST
    return spread.clip(-_MOST, _MOST).astype(np.float32)
