"""The parts of a picture that are measured, and their brightness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.types import Picture, Rect

Floats = NDArray[np.float32]

LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32) * 255  # BT.709, on the scale 0-255

_LIPS = slice(48, 60)  # the outer ones among the iBUG points
_ROOM = 0.25  # of the mouth's width, on each side of the lips
_AROUND = 0.75  # of the same, around that


@dataclass(frozen=True)
class MaskedArea:
    """What a result may repaint. rect: px of the picture, inside it. mask: float32 [rect.height, rect.width], 0-1."""

    rect: Rect
    mask: Floats

    def __post_init__(self) -> None:
        if self.mask.shape != (self.rect.height, self.rect.width):
            raise ValueError(f"a mask of {self.mask.shape} over {self.rect}")


@dataclass(frozen=True)
class MouthArea:
    """around: px, the mouth and the skin around it. mouth: the rows and columns of the mouth in it."""

    around: Rect
    mouth: tuple[slice, slice]

    @classmethod
    def of(cls, landmarks: NDArray[np.floating]) -> MouthArea:
        """From the iBUG points [68, 2], px. It may reach beyond the picture."""
        low, high = landmarks[_LIPS].min(axis=0), landmarks[_LIPS].max(axis=0)
        width = max(float(high[0] - low[0]), 2.0)
        inner, outer = (_whole(low - room * width, high + room * width) for room in (_ROOM, _ROOM + _AROUND))
        rows = slice(inner.y0 - outer.y0, inner.y1 - outer.y0)
        return cls(outer, (rows, slice(inner.x0 - outer.x0, inner.x1 - outer.x0)))

    def luma(self, picture: Picture) -> Floats:
        """float32 [h, w], 0-255: the brightness of `around`."""
        return luma(picture, self.around)


def luma(picture: Picture, rect: Rect) -> Floats:
    """float32 [rect.height, rect.width], 0-255: BT.709 luma; edge pixels are repeated outside the picture."""
    return picture.crop(rect).numpy() @ LUMA


def _whole(low: NDArray[np.floating], high: NDArray[np.floating]) -> Rect:
    (x0, y0), (x1, y1) = np.floor(low).astype(int).tolist(), np.ceil(high).astype(int).tolist()
    return Rect(x0, y0, max(x1, x0 + 2), max(y1, y0 + 2))
