"""Where the mask of a scene comes from: the landmarks, the parts of the face (`parsing`), or the user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..core.errors import InputError
from ..core.types import Rect
from .masks import DRAWN_SIDE, Floats, MaskEdge, MaskSettings, lower_face_mask
from .scaling import fit_rect
from .scene import Scene


class MaskShape(Protocol):
    """Says what of each crop is replaced."""

    def check(self, frames: int, width: int, height: int) -> None:
        """Raises InputError when it does not fit a clip of that many frames of that size (px)."""

    def draw(self, scene: Scene, settings: MaskSettings) -> Sequence[Tensor]:
        """float32 [h, w], 0-1, for each frame of the scene: 1 = replace. Each covers the whole of the frame's crop, at
        any size."""


@dataclass(frozen=True)
class LandmarkShape:
    """The lower face as the landmarks outline it. Needs no weights."""

    def check(self, frames: int, width: int, height: int) -> None:
        """Fits any clip."""

    def draw(self, scene: Scene, settings: MaskSettings) -> Sequence[Tensor]:
        """float32 [M, M], M = min(S, 256) (see `MaskShape.draw`)."""
        return tuple(lower_face_mask(scene.landmarks, scene.side, settings))


@dataclass(frozen=True)
class ExternalMask:
    """A MASK of the user's: float [1 or N, H, W], 0-1, in pixels of the source; one serves every frame."""

    masks: Tensor

    def check(self, frames: int, width: int, height: int) -> None:
        """Raises InputError unless there is one mask, or one for each frame, of the frames' size."""
        if self.masks.ndim == 3 and self.masks.shape[0] in (1, frames) and self.masks.shape[1:] == (height, width):
            return
        raise InputError(
            expected=f"one mask or {frames} masks (one for each frame) of {width}x{height}",
            got=_described(self.masks),
            next_step="Make the mask on the frames of this very clip, or resize it to them.",
        )

    def draw(self, scene: Scene, settings: MaskSettings) -> Sequence[Tensor]:
        """float32 [M, M], M = min(S, 256): the part inside each crop, grown and feathered (see `MaskShape.draw`)."""
        side = min(scene.side, DRAWN_SIDE)
        edge = MaskEdge(settings, side)
        return [torch.from_numpy(edge.softened(_fitted(window, side))) for window in self._windows(scene)]

    def spread(self, scene: Scene, settings: MaskSettings) -> Sequence[Tensor]:
        """The same without the inset, up to the very border of each crop, and a pixel of the picture wider: where a
        small crop is enlarged, its outermost pixels are mixed with their neighbours."""
        side = min(scene.side, DRAWN_SIDE)
        edge = MaskEdge(settings, side)
        wider = (ndimage.maximum_filter(window, size=3) for window in self._windows(scene))
        return [torch.from_numpy(edge.spread(_fitted(window, side))) for window in wider]

    def _windows(self, scene: Scene) -> Iterator[Floats]:
        """[h, w]: what each crop shows of its mask, in pixels of the picture; nothing outside it."""
        numbers = scene.indices if len(self.masks) > 1 else np.zeros_like(scene.indices)
        for number, rect in zip(numbers, scene.rects, strict=True):
            yield _window(self.masks[int(number)], rect)


def _window(mask: Tensor, rect: Rect) -> Floats:
    height, width = mask.shape
    window = np.zeros((rect.height, rect.width), np.float32)
    x0, y0, x1, y1 = max(rect.x0, 0), max(rect.y0, 0), min(rect.x1, width), min(rect.y1, height)
    if x0 < x1 and y0 < y1:
        inside = mask[y0:y1, x0:x1].to("cpu", torch.float32).numpy()
        window[y0 - rect.y0 : y1 - rect.y0, x0 - rect.x0 : x1 - rect.x0] = inside.clip(0, 1)
    return window


def _fitted(window: Floats, side: int) -> Floats:
    return fit_rect(torch.from_numpy(window)[..., None], side, side)[..., 0].numpy()


def _described(masks: Tensor) -> str:
    if masks.ndim != 3:
        return f"a tensor of shape {list(masks.shape)}"
    count, height, width = masks.shape
    return f"{count} of {width}x{height}"
