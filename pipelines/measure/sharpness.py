"""Whether the mouth is as sharp as it was."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .regions import Floats, MouthArea

_FLAT = 1e-3  # levels of 255; nothing that could be sharp


class Sharpness:
    """The root mean square of the Laplacian of the luma, of the result over that of the source.

    In the mouth and in the skin around it. 1 is as sharp as the source, below is softer; noise counts as sharp. Pech-
    Pacheco et al., "Diatom autofocusing in brightfield microscopy" (ICPR 2000), take the variance of the Laplacian.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((2, 2))  # result, source; mouth, around

    def add(self, result: Floats, source: Floats, area: MouthArea) -> None:
        """One frame: luma of `area.around` of both, 0-255."""
        for row, luma in zip(self._sums, (result, source), strict=True):
            detail = np.square(ndimage.laplace(luma, mode="nearest"))
            mouth = float(detail[area.mouth].sum(dtype=np.float64))
            row += (mouth, float(detail.sum(dtype=np.float64)) - mouth)

    def numbers(self) -> dict[str, float | None]:
        """mouth, around: ratios, None where the source is flat."""
        ratios = [
            float(np.sqrt(result / source)) if source > _FLAT**2 else None
            for result, source in zip(*self._sums.tolist(), strict=True)
        ]
        return dict(zip(("mouth", "around"), ratios, strict=True))
