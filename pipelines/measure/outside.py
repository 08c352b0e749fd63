"""What changed where nothing may change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .regions import MaskedArea


class OutsideDifference:
    """The difference between result and source outside the mask, in levels of 255, over all frames.

    mean: mean absolute difference of all channels. largest: of any channel of any pixel. changed: share of pixels that
    differ at all. 0 for an IMAGE result; what encoding changed for a VIDEO.
    """

    def __init__(self) -> None:
        self._sum = self._largest = 0.0
        self._changed = self._pixels = 0

    def add(self, result: NDArray[np.generic], source: NDArray[np.generic], area: MaskedArea | None) -> None:
        """One frame. result, source: uint8 0-255 or float32 0-1 [H, W, 3]. area: left out where its mask is above 0."""
        difference = np.maximum(result, source) - np.minimum(result, source)
        kept = np.ones(difference.shape[:2], bool)
        if area is not None:
            kept[area.rect.y0 : area.rect.y1, area.rect.x0 : area.rect.x1] = area.mask == 0
        outside = difference[kept]
        scale = 1.0 if difference.dtype == np.uint8 else 255.0
        self._sum += scale * float(outside.sum(dtype=np.float64))
        self._largest = float(np.maximum(self._largest, scale * outside.max(initial=0)))  # NaN stays NaN
        self._changed += int(outside.any(axis=1).sum())
        self._pixels += len(outside)

    def numbers(self) -> dict[str, float | None]:
        """mean, largest, changed."""
        if not self._pixels:
            return {"mean": None, "largest": None, "changed": None}
        mean = self._sum / (3 * self._pixels)
        return {"mean": mean, "largest": self._largest, "changed": self._changed / self._pixels}
