"""Faces out of crops, upright, and back into them: one bilinear resampling each way.

Source: latentsync/utils/affine_transform.py and image_processor.py of bytedance/LatentSync@a229c39.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from .alignment import Doubles, face_size

Floats = NDArray[np.float32]

GREY: Final = 127 / 255  # what is seen beyond the picture
BEYOND: Final = (127 + 1) / 2  # what a face has around it on its way back: 127 in -1..1, which the mask hides
_ROUNDING: Final = 1e-4  # of a level: above float32's error, far below what can be seen
_FIXED_POINT: Final = 2048  # OpenCV's resampling weights are multiples of 1 / 2048


def upright(crop: Floats, matrix: Doubles, resolution: int) -> Floats:
    """float32 [resolution, resolution, 3], 0-1, in whole 255ths: the face as LatentSync sees it.

    crop: float32 [h, w, 3], 0-1. matrix: [2, 3], crop pixels -> upright face. Levels are cut off, not rounded, as in
    the reference; beyond the crop lies grey.
    """
    width, height = face_size(resolution)
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    face = np.floor(_sampled(crop, inverse, (height, width), GREY) * 255 + _ROUNDING)
    rows, columns = lanczos4(height, resolution), lanczos4(width, resolution)
    square = np.einsum("ij,jkc,lk->ilc", rows, face, columns, optimize=True)
    return (np.floor(square + 0.5).clip(0, 255) / 255).astype(np.float32)


def laid_back(crop: Floats, face: Floats, matrix: Doubles) -> Floats:
    """float32 [h, w, 3], 0-1: the crop with the upright face [r, r, 3] laid over it, its edge eroded and blurred."""
    width, height = face_size(len(face))
    unstretched = np.stack([_bicubic(face[..., channel], width, height) for channel in range(3)], axis=-1)
    laid = _sampled(unstretched, matrix, crop.shape[:2], BEYOND).clip(0, 1)
    inside = covered((width, height), matrix, crop.shape[:2])
    soft = soft_edge(inside)[..., None]
    return (soft * (inside[..., None] * laid) + (1 - soft) * crop).clip(0, 1)


def covered(face: tuple[int, int], matrix: Doubles, shape: tuple[int, ...]) -> Floats:
    """float32 [h, w], 0-1: where in a crop of that shape an upright face of that width and height lies."""
    ones = np.ones((face[1], face[0], 1), np.float32)
    return ndimage.minimum_filter(_sampled(ones, matrix, shape, 0.0)[..., 0], size=2, mode="constant", cval=1.0)


def soft_edge(inside: Floats) -> Floats:
    """float32 [h, w], 0-1: `inside` eroded by a twentieth of the face's side, and blurred.

    The crop's border is no edge. Where less than 400 pixels are inside the reference fails; here the edge is then one
    pixel wide.
    """
    edge = max(1, int(np.sqrt(inside.sum(dtype=np.float64))) // 20)
    eroded = ndimage.minimum_filter(inside, size=2 * edge, mode="constant", cval=1.0)
    sigma = 0.3 * (edge - 1) + 0.8  # OpenCV's, for a kernel of 2 * edge + 1
    return ndimage.gaussian_filter(eroded, sigma, mode="mirror", truncate=edge / sigma)


@lru_cache(maxsize=8)
def lanczos4(before: int, after: int) -> Doubles:
    """float64 [after, before]: cv2.resize's INTER_LANCZOS4 along one axis, for bytes. It does not average on shrinking.

    Eight weights sinc(t) sinc(t / 4) of sum 1, in fixed point; the outermost pixel is repeated.
    """
    places = (np.arange(after) + 0.5) * (before / after) - 0.5
    taps = np.floor(places).astype(int)[:, None] + np.arange(-3, 5)
    distances = places[:, None] - taps
    weights = np.sinc(distances) * np.sinc(distances / 4)
    weights = np.rint(weights / weights.sum(axis=1, keepdims=True) * _FIXED_POINT) / _FIXED_POINT
    matrix = np.zeros((after, before))
    np.add.at(matrix, (np.arange(after)[:, None], taps.clip(0, before - 1)), weights)
    return matrix


def _sampled(picture: Floats, matrix: Doubles, shape: tuple[int, ...], beyond: float) -> Floats:
    """float32 [*shape, c]: pixel p of the result is the picture [h, w, c] at `matrix` p."""
    result = np.empty((*shape, picture.shape[2]), np.float32)
    rows_first, offset = matrix[::-1, 1::-1], matrix[::-1, 2]
    for channel in range(picture.shape[2]):
        ndimage.affine_transform(
            picture[..., channel],
            rows_first,
            offset,
            output=result[..., channel],
            order=1,
            mode="grid-constant",
            cval=beyond,
        )
    return result


def _bicubic(plane: Floats, width: int, height: int) -> Floats:
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC))
