"""Lay a painted face over a picture through a mask, touching nothing else."""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from torch import Tensor

from ..core.types import Picture, Rect
from .scaling import fit_rect


def paste(picture: Picture, rect: Rect, painted: Tensor, mask: Tensor) -> Picture:
    """A new picture with `painted` at `rect` where `mask` says; the same picture where the mask is empty.

    painted: float32 RGB [h, w, 3], 0-1. mask: float32 [h', w'], 0 = keep, 1 = replace. Both cover the whole of `rect`
    and are scaled to it. Only the part of the picture under the mask is read and written.
    """
    mask = fit_rect(mask[..., None], rect.height, rect.width)[..., 0]
    inner = _bounds(mask)
    if inner is None:
        return picture
    rows, columns = slice(inner.y0, inner.y1), slice(inner.x0, inner.x1)
    rgb = fit_rect(painted, rect.height, rect.width)[rows, columns]
    return picture.patched(_moved(inner, rect), rgb, mask[rows, columns])


def mask_frame(height: int, width: int, rect: Rect, mask: Tensor) -> Tensor:
    """float32 [height, width]: the mask where `paste` would lay it in a picture of that size, 0 elsewhere."""
    frame = torch.zeros(height, width)
    x0, y0, x1, y1 = max(rect.x0, 0), max(rect.y0, 0), min(rect.x1, width), min(rect.y1, height)
    if x0 < x1 and y0 < y1:
        scaled = fit_rect(mask[..., None], rect.height, rect.width)[..., 0]
        frame[y0:y1, x0:x1] = scaled[y0 - rect.y0 : y1 - rect.y0, x0 - rect.x0 : x1 - rect.x0]
    return frame


def cover(mask: Tensor, side: int, rect: Rect) -> tuple[slice, slice]:
    """The rows and columns that `paste` reads of a painted face of `side` px; nothing where the mask is empty."""
    inner = _bounds(mask)
    if inner is None:
        return slice(0, 0), slice(0, 0)
    high, wide = mask.shape
    return _reached(inner.y0, inner.y1, high, side, rect.height), _reached(inner.x0, inner.x1, wide, side, rect.width)


def _reached(start: int, stop: int, masked: int, side: int, length: int) -> slice:
    """start..stop of `masked` px along an edge in px of `side`, and as far beyond as scaling both to `length` mixes."""
    reach = 1 / masked + 1 / side + 2 / length
    return slice(max(int((start / masked - reach) * side), 0), ceil((stop / masked + reach) * side))


def _bounds(mask: Tensor) -> Rect | None:
    """The smallest rectangle that holds all of a mask; None when it is empty."""
    covered = mask.numpy() > 0
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if not len(rows):
        return None
    return Rect(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def _moved(inner: Rect, outer: Rect) -> Rect:
    return Rect(inner.x0 + outer.x0, inner.y0 + outer.y0, inner.x1 + outer.x0, inner.y1 + outer.y0)
