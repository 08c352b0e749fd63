"""What SyncNet hears beside each frame, read piece by piece."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..networks.syncnet import COLUMNS, VALUES, SyncNet
from .mfcc import RATE as SAMPLES_PER_SECOND
from .mfcc import STEP, WINDOW, mfcc
from .sync_scoring import RATE

SAMPLES = SAMPLES_PER_SECOND // RATE  # of one frame
_COLUMNS_PER_FRAME = SAMPLES // STEP


class Mono(Protocol):
    """Mono sound at 16 kHz, as `audio.resample.MonoReader` gives it."""

    def __len__(self) -> int: ...

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [stop - start], full scale -1..1; zeros where there is none."""


def sound_windows(sound: Mono, first: int, start: int, stop: int) -> Tensor:
    """float32 [stop - start, 20, 13]: the MFCC of 0.2 s from each frame of a segment on.

    first: the frame of the clip that the segment begins with. start, stop: frames of the segment.
    """
    begin = (first + start) * SAMPLES
    columns = (stop - start - 1) * _COLUMNS_PER_FRAME + COLUMNS
    samples = sound.read(begin - 1, begin + (columns - 1) * STEP + WINDOW)
    whole = np.rint(samples * np.float32(32768)).clip(-32768, 32767)  # as the 16-bit file of the original
    table = mfcc(whole[1:], before=float(whole[0]) if start else 0.0).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(table, COLUMNS, axis=0)[::_COLUMNS_PER_FRAME]
    return torch.from_numpy(np.ascontiguousarray(windows.transpose(0, 2, 1)))


def heard(network: SyncNet, sound: Mono, first: int, windows: tuple[int, int], count: int) -> NDArray[np.float32]:
    """float32 [stop - start, 1024]: embeddings of the sound of `windows` (start, stop) of a segment.

    Zeros before its first window and from `count` on. first: see `sound_windows`.
    """
    start, stop = windows
    embeddings = np.zeros((stop - start, VALUES), np.float32)
    low, high = max(start, 0), min(stop, count)
    if low < high:
        embeddings[low - start : high - start] = network.hear(sound_windows(sound, first, low, high)).numpy()
    return embeddings
