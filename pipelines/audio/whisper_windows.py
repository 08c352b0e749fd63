"""What MuseTalk hears: a window of Whisper features around every frame, looked up by time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import AudioClip
from .log_mel import BLOCK_SAMPLES, SAMPLE_RATE, log_mel
from .resample import MonoReader

FEATURES_PER_SECOND = 50
BLOCK_FEATURES = 1500

# A frame sees the features from 4 before its start to 5 after it: MuseTalk's audio_processor.py at 25 fps.
WINDOW = np.arange(-4, 6)

_SAMPLES_PER_FEATURE = SAMPLE_RATE // FEATURES_PER_SECOND
# Frame times are float64, so frame 3 at 25 fps may come as 0.11999999999999998 s. A millionth of a feature (20 ns)
# is far above such rounding, even after a day, and far below the finest clock of a video.
_ROUNDING = 1e-6
# A window may straddle two blocks.
_KEPT_BLOCKS = 2


class WhisperWindows:
    """`AudioFeatures` made of a Whisper encoder's hidden states; only the blocks around the frames in work exist.

    encode: float32 log-mel [1, 80, 3000] -> float32 [1500, 5, 384], the five stacked states at 50 Hz.
    context_seconds: Whisper hears 30 s at a time, and its first and last few features of a block lack what comes
    before and after. Blocks overlap by twice this much and their outer parts are dropped. Clips of up to 30 s are one
    block, so they do not depend on it. 0 gives the reference's blocks: 30 s each, no overlap.
    """

    def __init__(self, clip: AudioClip, encode: Callable[[Tensor], Tensor], context_seconds: float = 1.0) -> None:
        if not 0 <= context_seconds < BLOCK_FEATURES / FEATURES_PER_SECOND / 2:
            raise ValueError(f"context_seconds must be from 0 to below 15, got {context_seconds}")
        self._reader = MonoReader(clip, SAMPLE_RATE)
        self._encode = encode
        self._context = round(context_seconds * FEATURES_PER_SECOND)
        self._step = BLOCK_FEATURES - 2 * self._context
        self._count = len(self._reader) // _SAMPLES_PER_FEATURE
        self._last_block = max(0, -(-(self._count - BLOCK_FEATURES) // self._step))
        self._blocks: dict[int, Tensor] = {}

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, 50, 384]: for each frame start, ten features of five states each (row = 5 * feature + state).

        Features before the start and beyond the end of the clip are zeros.
        """
        rows = window_rows(seconds)
        inside = (rows >= 0) & (rows < self._count)
        blocks = np.clip((rows - self._context) // self._step, 0, self._last_block)
        windows = torch.zeros(*rows.shape, 5, 384)
        for block in np.unique(blocks[inside]):
            here = inside & (blocks == block)
            windows[torch.from_numpy(here)] = self._block(int(block))[rows[here] - block * self._step]
        return windows.flatten(1, 2)

    def _block(self, number: int) -> Tensor:
        """float32 [1500, 5, 384]: the features from `number * step` on."""
        if number not in self._blocks:
            start = number * self._step * _SAMPLES_PER_FEATURE
            samples = torch.from_numpy(self._reader.read(start, start + BLOCK_SAMPLES))
            features = self._encode(log_mel(samples[None]))
            while len(self._blocks) >= _KEPT_BLOCKS:
                del self._blocks[max(self._blocks, key=lambda kept: abs(kept - number))]
            self._blocks[number] = features
        return self._blocks[number]


def window_rows(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    """int64 [n, 10]: the 50 Hz features that the frames starting at `seconds` see.

    At whole rates from 25 to 49 fps these are the reference's; below 25 fps the reference's lie
    2 * (ceil(50 / fps) - 2) features earlier, which puts the mouth behind the sound.
    """
    first = np.floor(seconds * FEATURES_PER_SECOND + _ROUNDING).astype(np.int64)
    return first[:, None] + WINDOW
