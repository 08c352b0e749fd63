"""Gives the painted face the sharpness of the picture around it: an unsharp mask, or a blur, measured shot by shot.

An engine paints at a fixed side, and its decoder blurs; on a large face the mouth looks softer than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .masks import Floats
from .paste import cover
from .scaling import fit_rect
from .scene import Scene
from .steady import Doubles, ShotMeasure, measured_frames

RED, GREEN, BLUE = 0.2126, 0.7152, 0.0722  # of the luma, BT.709
SHARPEST: Final = 2.0  # white noise grows at most threefold
SOFTEST: Final = -1.0  # the blurred picture itself
BINOMIAL: Final = np.array([1, 6, 15, 20, 15, 6, 1], np.float32) / 64  # a blur of 1.2 px standard deviation
FAINT: Final = (0.5 / 255) ** 2  # mean square of detail that is not worth matching


class SharpnessMatch:
    """Matches the painted faces of one shot. strength: 0-1; 0 leaves them alone."""

    def __init__(self, strength: float) -> None:
        self._strength = strength
        self._shot = ShotMeasure(lambda sums: np.array(sharpening(sums)))

    def match(self, scene: Scene, faces: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1: the faces as sharp as the scene's pictures, where the masks are not 0.

        faces: the same, as they were painted. masks: float32 [h, w], 0-1, one for each.
        """
        rows = [
            _measure(scene.pictures[i].crop(scene.rects[i]), faces[i], masks[i]) for i in measured_frames(len(faces))
        ]
        amounts = self._strength * self._shot.follow(np.stack(rows), len(faces))
        result = faces.numpy().copy()
        for face, mask, rect, amount in zip(result, masks, scene.rects, amounts.tolist(), strict=True):
            part = face[cover(mask, scene.side, rect)]
            part[:] = sharpened(part, amount)
        return torch.from_numpy(result)


def sharpened(rgb: Floats, amount: float) -> Floats:
    """float32 [h, w, 3], 0-1: sharper for an amount above 0, softer below. Only the luma changes."""
    luma = _luma(rgb)
    change = amount * (luma - _blurred(luma))
    return (rgb + change[..., None]).clip(0, 1)


def sharpening(sums: Doubles) -> float:
    """The amount that brings the painted detail to that of the picture, from SOFTEST to SHARPEST.

    sums: [7] as `_measure` makes them, of the detail p painted, d added by an amount of 1, s in the picture.
    Sharpened by a, the painted detail is p + a d. It is too soft while its part that agrees with the picture is
    larger in the picture, <s p> > <p p>; grain, which is in the picture alone, does not count as sharpness there.
    It is too sharp while there is more of it than in the picture, <p p> > <s s>. As <s p>^2 <= <s s><p p>, never
    both; and what does not agree with the picture is not sharpened.
    """
    count, pp, pd, dd, sp, sd, ss = sums
    if pp <= count * FAINT or dd == 0:
        return 0.0
    if sp > pp:
        return min(_root(dd, 2 * pd - sd, pp - sp), SHARPEST)
    if pp > ss:
        return max(_root(dd, 2 * pd, pp - ss), SOFTEST)
    return 0.0


def _measure(picture: Tensor, painted: Tensor, mask: Tensor) -> Doubles:
    """[7]: how many pixels are compared, and sums of products of their detail (see `sharpening`), at the picture's own
    size, away from the mask."""
    shown, soft = _luma(picture.numpy()), _luma(painted.numpy())
    height, width = shown.shape
    scale = (max(height / len(soft), 1), max(width / len(soft), 1))  # what is 1 px to the engine
    fitted, softer = (_fitted(luma, height, width) for luma in (soft, _blurred(soft)))
    kept = _fitted(_grown(mask), height, width) == 0
    s, p, d = (
        (luma - ndimage.gaussian_filter(luma, scale, truncate=2))[kept] for luma in (shown, fitted, fitted - softer)
    )
    return np.array(
        [len(s), *(np.sum(a * b, dtype=np.float64) for a, b in ((p, p), (p, d), (d, d), (s, p), (s, d), (s, s)))]
    )


def _grown(mask: Tensor) -> Floats:
    """As far as the detail of what is under the mask reaches beyond it."""
    return ndimage.maximum_filter(mask.numpy(), size=max(2 * (len(mask) // 64) + 1, 3))


def _luma(rgb: Floats) -> Floats:
    return RED * rgb[..., 0] + GREEN * rgb[..., 1] + BLUE * rgb[..., 2]


def _fitted(luma: Floats, height: int, width: int) -> Floats:
    return fit_rect(torch.from_numpy(luma)[..., None], height, width)[..., 0].numpy()


def _blurred(luma: Floats) -> Floats:
    rows = ndimage.convolve1d(luma, BINOMIAL, axis=0, mode="nearest")
    return ndimage.convolve1d(rows, BINOMIAL, axis=1, mode="nearest")


def _root(square: float, linear: float, constant: float) -> float:
    """The larger root of square * x^2 + linear * x + constant; where there is none, its lowest point."""
    inside = max(linear**2 - 4 * square * constant, 0.0)
    return float((np.sqrt(inside) - linear) / (2 * square))
