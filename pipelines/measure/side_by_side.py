"""Source, result and mask beside each other, for the eye."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .regions import MaskedArea

Pixels = NDArray[np.uint8]

_SIDE = 480  # px, the longer side of a panel; a smaller picture is not enlarged
_CAPTION = 28  # px
_GAP = 4  # px between panels
_PAPER, _INK = (20, 20, 20), (235, 235, 235)
_NAMES = ("source", "result", "mask")


@dataclass(frozen=True)
class SideBySide:
    """Lays out pictures of width x height px."""

    width: int
    height: int

    @cached_property
    def panel(self) -> tuple[int, int]:
        """Width and height of one panel, px, even."""
        scale = min(1.0, _SIDE / max(self.width, self.height))
        return max(2, round(self.width * scale) // 2 * 2), max(2, round(self.height * scale) // 2 * 2)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the whole, px, even."""
        width, height = self.panel
        return len(_NAMES) * width + (len(_NAMES) - 1) * _GAP, height + _CAPTION

    def compose(self, source: Pixels, result: Pixels, area: MaskedArea | None) -> Pixels:
        """uint8 RGB [height, width, 3]. source, result: uint8 RGB, of the size of a panel."""
        sheet = self._empty.copy()
        for number, panel in enumerate((source, result, self._drawn(area)[..., None])):
            left = number * (self.panel[0] + _GAP)
            sheet[_CAPTION:, left : left + self.panel[0]] = panel
        return sheet

    @cached_property
    def _empty(self) -> Pixels:
        sheet = Image.new("RGB", self.size, _PAPER)
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
        for number, name in enumerate(_NAMES):
            draw.text((number * (self.panel[0] + _GAP) + 8, _CAPTION // 2), name, _INK, font, anchor="lm")
        return np.asarray(sheet)

    def _drawn(self, area: MaskedArea | None) -> Pixels:
        """The mask in white on black, in one transform from its own pixels to the panel's."""
        if area is None:
            return np.zeros(self.panel[::-1], np.uint8)
        across, down = self.width / self.panel[0], self.height / self.panel[1]
        mask = Image.fromarray((area.mask * 255).astype(np.uint8))
        to_mask = (across, 0, -area.rect.x0, 0, down, -area.rect.y0)
        return np.asarray(mask.transform(self.panel, Image.Transform.AFFINE, to_mask, Image.Resampling.BILINEAR))
