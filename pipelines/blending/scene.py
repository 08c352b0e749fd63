"""What the compositor is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import Picture, Rect


@dataclass(frozen=True)
class Patch:
    """A painted face and where it goes. face: float32 RGB [S, S, 3], 0-1. mask: float32 [h, w], 0-1, 0 = keep; both
    cover the whole of `rect`."""

    rect: Rect
    face: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Scene:
    """Contiguous frames of one person in one shot, cropped and painted.

    pictures: n frames as they came. indices: int64 [n], their source frame numbers; each is at most one frame away
    from the one before. shot: the number of the shot they belong to. rects: where each crop lies in its picture.
    crops: float32 RGB [n, S, S, 3], 0-1, what the engine was given. painted: the same, what it gave back. landmarks:
    float32 [n, 68, 2] in crop pixels (0..S). amount: float32 [n], 0-1, how much of the painted face is to be seen.
    """

    pictures: tuple[Picture, ...]
    indices: NDArray[np.int64]
    shot: int
    rects: tuple[Rect, ...]
    crops: Tensor
    painted: Tensor
    landmarks: NDArray[np.float32]
    amount: NDArray[np.float32]

    def __post_init__(self) -> None:
        count = len(self.indices)
        if not count == len(self.pictures) == len(self.rects) > 0:
            raise ValueError(f"{count} indices, {len(self.pictures)} pictures and {len(self.rects)} rectangles")
        if (np.abs(np.diff(self.indices)) > 1).any():
            raise ValueError(f"frames must follow each other, got {self.indices}")
        if self.crops.shape != (count, self.side, self.side, 3) or self.crops.dtype != torch.float32:
            raise ValueError(f"crops must be float32 [{count}, S, S, 3], got {self.crops.dtype} {self.crops.shape}")
        if self.painted.shape != self.crops.shape or self.painted.dtype != torch.float32:
            raise ValueError(f"painted must be like {self.crops.shape}, got {self.painted.dtype} {self.painted.shape}")
        if self.landmarks.shape != (count, 68, 2):
            raise ValueError(f"landmarks must be [{count}, 68, 2], got {self.landmarks.shape}")
        if self.amount.shape != (count,) or not (0 <= self.amount.min() <= self.amount.max() <= 1):
            raise ValueError(f"amount must be [{count}], 0-1, got {self.amount}")

    @property
    def side(self) -> int:
        """px, of the crops."""
        return int(self.crops.shape[1])
