"""What LatentSync hears: a window of Whisper features around every frame, looked up by time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from ..core.types import AudioClip
from .log_mel import HOP, SAMPLE_RATE, WINDOW, mel_loudness, scaled
from .resample import MonoReader
from .whisper_windows import BLOCK_FEATURES, window_rows

PIECE_COLUMNS = 2 * BLOCK_FEATURES  # of the log-mel spectrogram: two make a feature

# A window may straddle two pieces.
_KEPT_PIECES = 2


class LatentSyncWindows:
    """`AudioFeatures` by LatentSync's own rules; only the pieces around the frames in work exist.

    The spectrogram is cut off below the loudest point of the whole clip, which one pass over it finds. It goes to the
    encoder in pieces of 30 s that do not overlap; the last one is filled up with zeros, which is not silence.
    Source: latentsync/whisper/audio2feature.py and whisper/audio.py of bytedance/LatentSync@a229c39. The reference
    hears at 25 frames per second, to which it re-encodes every clip; here any time can be asked for.

    encode: float32 log-mel [1, 80, 3000] -> float32 [1500, 5, 384], the five states at 50 Hz, none of them normalised.
    """

    def __init__(self, clip: AudioClip, encode: Callable[[Tensor], Tensor]) -> None:
        self._reader = MonoReader(clip, SAMPLE_RATE)
        self._encode = encode
        self._columns = max(2, len(self._reader) // HOP)  # the shortest sound still makes one feature
        self._piece = lru_cache(_KEPT_PIECES)(self._features)

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, 50, 384]: for each frame start, ten features of five states each (row = 5 * feature + state).

        They are those from 4 before to 5 after it; beyond the ends of the clip, its first and last are repeated.
        """
        rows = window_rows(seconds).clip(0, self._columns // 2 - 1)
        pieces = rows // BLOCK_FEATURES
        windows = torch.empty(*rows.shape, 5, 384)
        for piece in np.unique(pieces).tolist():
            here = pieces == piece
            windows[torch.from_numpy(here)] = self._piece(piece)[rows[here] - piece * BLOCK_FEATURES]
        return windows.flatten(1, 2)

    def _features(self, piece: int) -> Tensor:
        """float32 [1500, 5, 384]: the features from `1500 * piece` on."""
        mel = scaled(self._loudness(piece * PIECE_COLUMNS), self._loudest)
        return self._encode(pad(mel, (0, PIECE_COLUMNS - mel.shape[-1])))

    @cached_property
    def _loudest(self) -> float:
        return max(float(self._loudness(first).max()) for first in range(0, self._columns, PIECE_COLUMNS))

    def _loudness(self, first: int) -> Tensor:
        """float32 [1, 80, up to 3000]: the spectrogram's columns from `first` on; the clip's ends are mirrored."""
        last = min(first + PIECE_COLUMNS, self._columns) - 1
        start, stop = first * HOP - WINDOW // 2, last * HOP + WINDOW // 2
        length = len(self._reader)
        inside = self._reader.read(max(start, 0), min(stop, length))
        mirrored = np.pad(inside, (max(0, -start), max(0, stop - length)), mode="reflect")
        return mel_loudness(torch.from_numpy(mirrored)[None])
