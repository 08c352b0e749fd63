"""What keeps a shot steady: masks that follow softly, measurements that add up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .masks import DRAWN_SIDE, Floats
from .scaling import fit_rect

Doubles = NDArray[np.float64]

STRONGEST: Final = 0.9  # of the mask before that stays at full strength: it follows within about ten frames
FAINTEST: Final = 1 / 512  # less of a mask than this shows in no 8-bit picture, so what fades ends there
HALF_LIFE: Final = 50.0  # frames, about two seconds: light that changes within a shot is followed


class SteadyMask:
    """Smooths the masks of one shot over time, in the coordinates of the crop. strength: 0-1; 0 changes nothing."""

    def __init__(self, strength: float) -> None:
        self._staying = np.float32(STRONGEST * strength)
        self._before: Floats | None = None

    def follow(self, masks: Sequence[Tensor], side: int) -> tuple[Tensor, ...]:
        """float32 [M, M], M = min(side, 256), for each of the masks that come next, whatever their sizes."""
        drawn = min(side, DRAWN_SIDE)
        return tuple(self._next(fit_rect(mask[..., None], drawn, drawn)[..., 0].numpy()) for mask in masks)

    def _next(self, mask: Floats) -> Tensor:
        if self._before is not None:
            mask = mask + self._staying * (self._before - mask)
        self._before = mask
        return torch.from_numpy(np.where(mask < FAINTEST, np.float32(0), mask))


class ShotMeasure:
    """What is measured of one shot adds up, and what follows from it passes over smoothly from frame to frame."""

    def __init__(self, derive: Callable[[Doubles], Doubles]) -> None:
        """derive: what follows from the sums of all that was measured, [d] -> [...]."""
        self._derive = derive
        self._sums: Doubles | None = None
        self._before: Doubles | None = None

    def follow(self, measured: Doubles, count: int) -> Doubles:
        """[count, ...]: what follows, for each of the `count` frames of a block. measured: [k, d], of k of them.

        Older frames count less and less. A shot's first block has what follows from it from its first frame on.
        """
        old = 0.0 if self._sums is None else self._sums * 0.5 ** (count / HALF_LIFE)
        self._sums = old + measured.mean(axis=0) * count
        after = self._derive(self._sums)
        before = after if self._before is None else self._before
        self._before = after
        steps = np.arange(1, count + 1).reshape(-1, *[1] * after.ndim) / count
        return before + steps * (after - before)


def measured_frames(count: int) -> list[int]:
    """Which frames of a block of `count` are measured."""
    return sorted({0, count - 1})
