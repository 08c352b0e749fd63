"""Faces as SyncNet was trained to see them: run_pipeline.py's crop_video (joonson/syncnet_python@6efbb1c)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from ..core.types import Picture, Rect
from ..networks.syncnet import SIDE

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]

_MEDIAN = 13  # frames; zeros count beyond the ends, as in the original
_ASIDE, _BELOW = 1.4, 1.8  # half sides of the face's square, from its centre
_GREY = 110  # 0-255, beyond the picture


def steady_squares(boxes: NDArray[np.floating]) -> Doubles:
    """float64 [n, 3]: centre x and y and half the side, px, of the square around each box [n, 4] xyxy of a track."""
    x0, y0, x1, y1 = np.asarray(boxes, np.float64).T
    squares = ((x0 + x1) / 2, (y0 + y1) / 2, np.maximum(x1 - x0, y1 - y0) / 2)
    return np.stack([medfilt(values, _MEDIAN) for values in squares], axis=1)


def sync_crop(picture: Picture, square: Doubles) -> Floats:
    """float32 RGB [224, 224, 3], 0-255: the face in `square` [3] (see `steady_squares`), with room aside and below.

    Grey beyond the picture; scaled linearly, without averaging.
    """
    rect = _rect(*square.tolist())
    shown = np.full((rect.height, rect.width, 3), _GREY, np.float32)
    x0, y0 = max(rect.x0, 0), max(rect.y0, 0)
    x1, y1 = min(rect.x1, picture.width), min(rect.y1, picture.height)
    if x0 < x1 and y0 < y1:
        inside = picture.crop(Rect(x0, y0, x1, y1)).numpy()
        shown[y0 - rect.y0 : y1 - rect.y0, x0 - rect.x0 : x1 - rect.x0] = inside * 255
    return _scaled(_scaled(shown, axis=0), axis=1)


def _rect(x: float, y: float, half: float) -> Rect:
    """px. The original adds `room` to every side of the picture before it cuts coordinates to whole numbers."""
    room = int(half * _BELOW)
    left, right = (int(x + room + side * half) - room for side in (-_ASIDE, _ASIDE))
    top, bottom = (int(y + room + side * half) - room for side in (-1, _BELOW))
    return Rect(left, top, max(right, left + 1), max(bottom, top + 1))


def _scaled(picture: Floats, axis: int) -> Floats:
    """To SIDE px along one axis, linearly between the centres of pixels, as cv2.INTER_LINEAR."""
    length = picture.shape[axis]
    places = ((np.arange(SIDE) + 0.5) * length / SIDE - 0.5).clip(0, length - 1)
    lower = places.astype(np.int64)
    upper = np.minimum(lower + 1, length - 1)
    share = (places - lower).astype(np.float32).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    return picture.take(lower, axis) * (1 - share) + picture.take(upper, axis) * share
