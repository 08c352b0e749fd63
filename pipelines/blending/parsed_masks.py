"""Where a painted face replaces the picture: MuseTalk's rule, from a map of the face's parts.

Formulas and constants: TMElyralab/MuseTalk@0a89dec, musetalk/utils/face_parsing/__init__.py:15-108 and
musetalk/utils/blending.py:7-140 (MIT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from ..core.errors import InputError
from ..core.types import Rect

Mask = NDArray[np.uint8]
Region = Literal["jaw", "raw", "neck"]

LABELS_SIDE: Final = 512  # px of a label map
SKIN, NOSE, NECK = 1, 10, 14
MOUTH: Final = (11, 12, 13)  # inside, upper lip, lower lip
EXPANSION: Final = 1.5  # the parsed square against the face's box
# Width of the soft edge as a share of the parsed square: scripts/inference.py and scripts/realtime_inference.py.
FEATHER_OFFLINE: Final = 0.05
FEATHER_REALTIME: Final = 0.1
# OpenCV's Gaussians of the smallest sizes are tables: getGaussianKernel with sigma 0.
SMALL_GAUSSIANS: Final = {
    1: (1.0,),
    3: (0.25, 0.5, 0.25),
    5: (0.0625, 0.25, 0.375, 0.25, 0.0625),
    7: (0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125),
}


@dataclass(frozen=True)
class ParsedMaskSettings:
    """region: which parts are replaced. left_cheek, right_cheek: px of the 512 px map between its middle and the
    cheek, where "jaw" is trimmed. feather: width of the soft edge as a share of the parsed square."""

    region: Region = "jaw"
    left_cheek: int = 90
    right_cheek: int = 90
    feather: float = FEATHER_OFFLINE

    def __post_init__(self) -> None:
        half = LABELS_SIDE // 2
        if not (0 <= self.left_cheek <= half and 0 <= self.right_cheek <= half):
            raise InputError(
                expected=f"cheek widths from 0 to {half}",
                got=f"{self.left_cheek} and {self.right_cheek}",
                next_step="90 is MuseTalk's own choice.",
            )
        if not 0 <= self.feather <= 0.5:
            raise InputError(expected="a feather from 0 to 0.5", got=str(self.feather), next_step="Try 0.05.")


def parsed_square(box: Rect) -> Rect:
    """The square around a face's box that is parsed: crop_box of the reference. It holds the box, which the reference's
    does not for boxes of 1 and 3 px."""
    x, y = (box.x0 + box.x1) // 2, (box.y0 + box.y1) // 2
    half = max(int(max(box.width, box.height) // 2 * EXPANSION), 2)
    return Rect(x - half, y - half, x + half, y + half)


def parsed_mask(labels: Mask, box: Rect, settings: ParsedMaskSettings) -> Tensor:
    """float32 [box.height, box.width], 0-1: what to replace inside the face's box.

    labels: uint8 [512, 512], the 19 classes of CelebAMask-HQ over `parsed_square(box)`. Outside the box the reference
    pastes the picture over itself, so the mask needs no more than the box.
    """
    square = parsed_square(box)
    soft = square_mask(region_mask(labels, settings), box, settings.feather)
    x, y = box.x0 - square.x0, box.y0 - square.y0
    return torch.from_numpy(soft[y : y + box.height, x : x + box.width].astype(np.float32) / 255)


def region_mask(labels: Mask, settings: ParsedMaskSettings) -> Mask:
    """uint8 [512, 512], 0 or 255: the chosen region of a label map."""
    mouth = np.isin(labels, MOUTH)
    skin = labels == SKIN
    if settings.region == "raw":
        chosen = skin | mouth
    elif settings.region == "neck":
        chosen = skin | mouth | (labels == NECK)
    else:
        chosen = (_jaw(skin, settings) & (labels != NOSE)) | mouth
    return chosen.astype(np.uint8) * 255


def square_mask(region: Mask, box: Rect, feather: float) -> Mask:
    """uint8 [side, side] of the parsed square: the region inside the box, lower half only, with a soft edge."""
    square = parsed_square(box)
    side = square.width
    scaled = np.asarray(Image.fromarray(region).resize((side, side)))
    mask = np.zeros_like(scaled)
    x, y = box.x0 - square.x0, max(box.y0 - square.y0, side // 2)
    inside = (slice(y, box.y1 - square.y0), slice(x, box.x1 - square.x0))
    mask[inside] = scaled[inside]
    return _blurred(mask, int(feather * side // 2 * 2) + 1)


def _jaw(skin: NDArray[np.bool_], settings: ParsedMaskSettings) -> NDArray[np.bool_]:
    """The skin, grown upwards and a little downwards in the middle, trimmed beside it."""
    grown = _dilated(skin, jaw_kernel())
    trimmed = _eroded(_eroded(grown, cheek_kernel()), cheek_kernel())
    middle = LABELS_SIDE // 2
    column = np.arange(LABELS_SIDE)
    cheeks = (column <= middle - settings.left_cheek) | (column >= middle + settings.right_cheek)
    return np.where(cheeks, trimmed, grown)


def jaw_kernel() -> NDArray[np.bool_]:
    """[33, 33]: a cone in rows 10-20, 21 columns wide in rows 21-32, around column 16."""
    row, column = np.mgrid[:33, :33]
    return np.abs(column - 16) <= np.where(row < 10, -1, np.minimum(row - 10, 10))


def cheek_kernel() -> NDArray[np.bool_]:
    """[3, 35]: OpenCV's ellipse of that size, a plus."""
    row, column = np.mgrid[:3, :35]
    return (row == 1) | (column == 17)


def _dilated(mask: NDArray[np.bool_], kernel: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """As cv2.dilate: the kernel is not flipped; nothing lies beyond the border."""
    high, wide = kernel.shape
    picture, weights = (torch.from_numpy(a.astype(np.float32))[None, None] for a in (mask, kernel))
    return (functional.conv2d(picture, weights, padding=(high // 2, wide // 2))[0, 0] > 0.5).numpy()


def _eroded(mask: NDArray[np.bool_], kernel: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return ~_dilated(~mask, kernel)


def _blurred(mask: Mask, size: int) -> Mask:
    """As cv2.GaussianBlur with sigma 0, within 1 of 255; the picture is mirrored at its border."""
    kernel = torch.tensor(_gaussian(size), dtype=torch.float32)
    half = size // 2
    picture = functional.pad(torch.from_numpy(mask.astype(np.float32))[None, None], (half,) * 4, mode="reflect")
    rows = functional.conv2d(picture, kernel.view(1, 1, -1, 1))
    return functional.conv2d(rows, kernel.view(1, 1, 1, -1))[0, 0].round().clamp(0, 255).byte().numpy()


def _gaussian(size: int) -> list[float]:
    """Weights of cv2.getGaussianKernel(size, 0)."""
    if size in SMALL_GAUSSIANS:
        return list(SMALL_GAUSSIANS[size])
    sigma = 0.3 * ((size - 1) * 0.5 - 1) + 0.8
    weights = np.exp(-((np.arange(size) - size // 2) ** 2) / (2 * sigma**2))
    return list((weights / weights.sum()).astype(float))
