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


def lower_face_mask(landmarks: NDArray[np.float32], side: int, settings: MaskSettings) -> Tensor:
    """float32 [n, M, M], 0-1, M = min(side, 256): 1 on the lower face, exactly 0 away from it and at the border.

    landmarks: [n, 68, 2] in the pixels of a crop with `side` px. The mask runs along the jaw, over the cheeks and
    below the nose.
    """
    drawn = min(side, DRAWN_SIDE)
    outlines = landmarks[:, JAW + UNDER_NOSE] * (drawn / side)
    grown, soft, border = (
        _odd(2 * settings.grow * drawn),
        _hann(settings.feather * drawn),
        _border(drawn, settings.inset),
    )
    masks = np.empty((len(landmarks), drawn, drawn), np.float32)
    for mask, outline in zip(masks, outlines, strict=True):
        filled = ndimage.maximum_filter(_filled(outline, drawn), size=grown)
        feathered = ndimage.convolve1d(ndimage.convolve1d(filled, soft, axis=0, mode="nearest"), soft, mode="nearest")
        mask[:] = feathered.clip(0, 1) * border
    return torch.from_numpy(masks)


def _filled(outline: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    canvas = Image.new("L", (side, side))
    ImageDraw.Draw(canvas).polygon([(float(x), float(y)) for x, y in outline], fill=1)
    return np.asarray(canvas, dtype=np.float32)


def _hann(width: float) -> NDArray[np.float32]:
    """A soft kernel of about `width` px. Unlike a Gaussian it ends, so what lies beyond stays exactly 0."""
    kernel = np.hanning(_odd(width) + 2)[1:-1]
    return (kernel / kernel.sum()).astype(np.float32)


def _border(side: int, inset: float) -> NDArray[np.float32]:
    """[side, side]: 0 in the outermost `inset` of the side, 1 from twice as far inwards."""
    steps = np.arange(side, dtype=np.float32)
    inwards = np.minimum(steps, side - 1 - steps)
    ramp = ((inwards - inset * side) / max(inset * side, 1.0)).clip(0, 1)
    return np.minimum(ramp[:, None], ramp[None, :])


def _odd(size: float) -> int:
    return 2 * int(size / 2) + 1
