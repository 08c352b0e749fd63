"""Chroma at half size (4:2:0): from its own grid to the pixels, and back.

Siting is the one MPEG-2, H.264 and HEVC take when a file does not say (H.264 E.2.1, chroma_sample_loc_type 0): on the
even luma columns, midway between two luma rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.types import Rect
from .colour import Floats


def window(plane: NDArray, rect: Rect) -> Floats:
    """float32 [rect.height, rect.width]: a plane [H, W] under `rect`. Outside the plane its edge is repeated."""
    height, width = plane.shape
    if rect.x0 < 0 or rect.y0 < 0 or rect.x1 > width or rect.y1 > height:
        rows = np.arange(rect.y0, rect.y1).clip(0, height - 1)
        columns = np.arange(rect.x0, rect.x1).clip(0, width - 1)
        return plane[rows[:, None], columns].astype(np.float32)
    return plane[rect.y0 : rect.y1, rect.x0 : rect.x1].astype(np.float32)


def upsampled(plane: NDArray, rect: Rect) -> Floats:
    """float32 [rect.height, rect.width]: a half-size chroma plane read at the luma pixels of `rect`, bilinear."""
    left, top = rect.x0 // 2, (rect.y0 - 1) // 2
    part = window(plane, Rect(left, top, (rect.x1 - 1) // 2 + 2, (rect.y1 - 2) // 2 + 2))
    above, below = part[:-1], part[1:]
    rows = np.empty((2 * len(above), part.shape[1]), np.float32)
    rows[0::2] = 0.75 * above + 0.25 * below
    rows[1::2] = 0.25 * above + 0.75 * below
    start = rect.y0 - (2 * top + 1)
    rows = rows[start : start + rect.height]
    here, following = rows[:, :-1], rows[:, 1:]
    pixels = np.empty((rect.height, 2 * here.shape[1]), np.float32)
    pixels[:, 0::2] = here
    pixels[:, 1::2] = 0.5 * (here + following)
    start = rect.x0 - 2 * left
    return pixels[:, start : start + rect.width]


@dataclass(frozen=True)
class ChromaGrid:
    """Where a patch meets the chroma samples of a picture of `width` x `height` luma pixels.

    rect: the patch, inside the picture, in luma pixels. A chroma sample colours every pixel that `upsampled` spreads
    it to: rows 2i-1..2i+2, columns 2j-1..2j+1.
    """

    rect: Rect
    width: int
    height: int

    @property
    def cells(self) -> Rect:
        """The chroma samples that the patch touches."""
        return Rect(self.rect.x0 // 2, self.rect.y0 // 2, (self.rect.x1 + 1) // 2, (self.rect.y1 + 1) // 2)

    def mean(self, values: Floats) -> Floats:
        """float32 [rows, columns], one for each cell, of float32 [h, w] at the patch's pixels (1 2 1 / 1 2 1)."""
        rows, columns = self._around()
        height, width = values.shape
        return _weighted(values[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)])

    def weight(self, mask: Floats) -> Floats:
        """float32 [rows, columns]: the mean of the mask, and 0 where any pixel that the sample colours has mask 0.

        So no pixel with mask 0 changes its colour.
        """
        rows, columns = self._around()
        height, width = mask.shape
        bordered = np.pad(mask, 1)
        spread = bordered[(rows + 1).clip(0, height + 1)][:, (columns + 1).clip(0, width + 1)]
        down = np.minimum(spread[:-1], spread[1:])  # of each two rows
        down = np.minimum(down[0:-2:2], down[2::2])
        across = np.minimum(down[:, :-1], down[:, 1:])
        lowest = np.minimum(across[:, 0::2], across[:, 1::2])
        return np.where(lowest > 0, _weighted(spread), np.float32(0))

    def _around(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of all pixels that the cells colour, counted from the patch's corner; beyond the
        picture, its edge again."""
        cells = self.cells
        rows = np.arange(2 * cells.y0 - 1, 2 * cells.y1 + 1).clip(0, self.height - 1) - self.rect.y0
        columns = np.arange(2 * cells.x0 - 1, 2 * cells.x1).clip(0, self.width - 1) - self.rect.x0
        return rows, columns


def _weighted(spread: Floats) -> Floats:
    """The two middle rows of each cell, its middle column twice."""
    middle = spread[1:-1:2] + spread[2::2]
    return (middle[:, 0:-1:2] + 2 * middle[:, 1::2] + middle[:, 2::2]) / 8
