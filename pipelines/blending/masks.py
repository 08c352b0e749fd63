"""Where a painted face replaces the picture: the lower face, from its landmarks alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from torch import Tensor

from ..core.errors import InputError

Floats = NDArray[np.float32]

JAW: Final = tuple(range(2, 15))
UNDER_NOSE: Final = (35, 34, 33, 32, 31)
DRAWN_SIDE: Final = 256  # px; a soft mask needs no more


@dataclass(frozen=True)
class MaskSettings:
    """Fractions of the crop's side.

    grow: how far the mask reaches beyond the jaw line, for a chin that drops. feather: width of its soft edge, half
    inside and half outside. inset: the crop's border that is never touched, so that no seam shows.
    """

    grow: float = 0.04
    feather: float = 0.06
    inset: float = 0.02

    def __post_init__(self) -> None:
        for name, value in (("grow", self.grow), ("feather", self.feather), ("inset", self.inset)):
            if not 0 <= value <= 0.25:
                raise InputError(
                    expected=f"a mask {name} from 0 to 0.25 of the crop's side",
                    got=str(value),
                    next_step=f"Lower `{name}`." if value > 0 else f"Raise `{name}` to 0.",
                )


def lower_face_mask(landmarks: Floats, side: int, settings: MaskSettings) -> Tensor:
    """float32 [n, M, M], 0-1, M = min(side, 256): 1 on the lower face, exactly 0 away from it and at the border.

    landmarks: [n, 68, 2] in the pixels of a crop with `side` px. The mask runs along the jaw, over the cheeks and
    below the nose.
    """
    drawn = min(side, DRAWN_SIDE)
    outlines = landmarks[:, JAW + UNDER_NOSE] * (drawn / side)
    edge = MaskEdge(settings, drawn)
    masks = np.empty((len(landmarks), drawn, drawn), np.float32)
    for mask, outline in zip(masks, outlines, strict=True):
        mask[:] = edge.softened(_filled(outline, drawn))
    return torch.from_numpy(masks)


class MaskEdge:
    """Grows, feathers and insets masks of `side` px."""

    def __init__(self, settings: MaskSettings, side: int) -> None:
        self._grown = _odd(2 * settings.grow * side)
        self._soft = _hann(settings.feather * side)
        self._border = _border(side, settings.inset)

    def softened(self, mask: Floats) -> Floats:
        """float32 [side, side], 0-1, from the same; exactly 0 away from it and at the border."""
        return self.spread(mask) * self._border

    def spread(self, mask: Floats) -> Floats:
        """The same without the inset."""
        if not mask.any():
            return mask
        grown = ndimage.maximum_filter(mask, size=self._grown)
        rows = ndimage.convolve1d(grown, self._soft, axis=0, mode="nearest")
        return ndimage.convolve1d(rows, self._soft, mode="nearest").clip(0, 1)


def _filled(outline: Floats, side: int) -> Floats:
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in outline], fill=1)
    return np.asarray(canvas, dtype=np.float32)


def _hann(width: float) -> Floats:
    """A soft kernel of about `width` px. Unlike a Gaussian it ends, so what lies beyond stays exactly 0."""
    kernel = np.hanning(_odd(width) + 2)[1:-1]
    return (kernel / kernel.sum()).astype(np.float32)


def _border(side: int, inset: float) -> Floats:
    """[side, side]: 0 in the outermost `inset` of the side, 1 from twice as far inwards."""
    steps = np.arange(side, dtype=np.float32)
    inwards = np.minimum(steps, side - 1 - steps)
    ramp = ((inwards - inset * side) / max(inset * side, 1.0)).clip(0, 1)
    return np.minimum(ramp[:, None], ramp[None, :])


def _odd(size: float) -> int:
    return 2 * int(size / 2) + 1
