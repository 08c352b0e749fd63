"""How strong a clip is in bands of frequencies, all along. Read piece by piece, so an hour needs no second copy."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import AudioClip

Curve = NDArray[np.float32]

POINTS_PER_SECOND: Final = 100
WINDOW_SECONDS: Final = 0.04
BLOCK_SAMPLES: Final = 500_000  # of all windows that are measured at once: 2 MB, and a few times that
TINY_POWER: Final = 1e-20


def band_powers(clip: AudioClip, bands: tuple[tuple[float, float], ...]) -> NDArray[np.float32]:
    """float32 [bands, n]: mean square in each band (Hz) around every point in time, averaged over the channels.

    A full-scale sine has 0.5. Channels are averaged as powers, so opposite phases do not cancel.
    """
    window = max(2, round(WINDOW_SECONDS * clip.rate))
    hann = torch.hann_window(window, periodic=True)
    hertz = torch.arange(window // 2 + 1) * (clip.rate / window)
    chosen = torch.stack([(hertz >= low) & (hertz < high) for low, high in bands]).float()
    chosen *= 2 / (window * hann.square().sum())
    points = int(clip.seconds * POINTS_PER_SECOND) + 1
    centres = np.rint(np.arange(points) * clip.rate / POINTS_PER_SECOND).astype(np.int64)
    offset = clip.samples.mean(axis=1, keepdims=True)  # of the recorder; against silence it would sound like a click
    # Made at once and filled: small results that are kept between large passing ones would keep those from being freed.
    powers = np.empty((len(bands), points), np.float32)
    block = max(1, BLOCK_SAMPLES // (window * len(clip.samples)))
    for start in range(0, points, block):
        windows = _windows(clip.samples, offset, centres[start : start + block], window)
        spectrum = torch.fft.rfft(windows * hann).abs().square().mean(dim=0)
        powers[:, start : start + block] = (chosen @ spectrum.T).numpy()
    return powers


def decibels(power: Curve) -> Curve:
    """dB of full scale from mean squares (a full-scale sine has -3)."""
    return 10 * np.log10(power + np.float32(TINY_POWER))


def _windows(samples: Curve, offset: Curve, centres: NDArray[np.int64], window: int) -> Tensor:
    """float32 [channels, len(centres), window]: the sound around each centre, zeros beyond the ends."""
    first = int(centres[0]) - window // 2
    last = int(centres[-1]) - window // 2 + window
    inside = samples[:, max(first, 0) : last] - offset
    padding = ((0, 0), (max(-first, 0), last - max(first, 0) - inside.shape[1]))
    piece = torch.from_numpy(np.pad(inside, padding))
    return piece.unfold(1, window, 1)[:, torch.from_numpy(centres - centres[0])]
