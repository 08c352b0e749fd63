"""Whether the edge of what was repainted shows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from .regions import Floats

_EDGE = 0.02  # of the mask within 3 x 3 px: there its edge runs


class Seam:
    """The gradient that the result added along the mask's edge, over the gradient that the source has there.

    The mean of |grad(result - source)| over the mean of |grad source|, of luma, where the mask changes. A seam is a
    step in the difference, which a soft mask spreads thin: 0 is none; at 1, the edge is as strong as the face's own
    features there.
    """

    def __init__(self) -> None:
        self._added = self._own = 0.0

    def add(self, result: Floats, source: Floats, mask: Floats) -> None:
        """One frame: luma 0-255 and mask 0-1, [h, w], of the same part of the picture."""
        edge = ndimage.maximum_filter(mask, 3) - ndimage.minimum_filter(mask, 3) > _EDGE
        self._added += float(_gradient(result - source)[edge].sum(dtype=np.float64))
        self._own += float(_gradient(source)[edge].sum(dtype=np.float64))

    def number(self) -> float | None:
        """None where there was no edge, or nothing around it to compare with."""
        return self._added / self._own if self._own else None


def _gradient(luma: Floats) -> NDArray[np.float32]:
    if min(luma.shape) < 2:
        return np.zeros_like(luma)
    down, across = np.gradient(luma)
    return np.hypot(down, across)
