"""BOUNDING_BOX and BBOX values as boxes for each frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import InputError
from .given_clip import Clip

_KIND = "boxes"

# What the four numbers of a box without names mean: x, y, width, height (KJNodes, mtb), or two corners x, y, x, y
# (Florence2, SAM2, WanAnimatePreprocess). The type BBOX does not say which, and neither do most of the numbers.
BoxFormat = Literal["xywh", "xyxy"]

Box = Mapping[str, float] | Sequence[float]

_NAMES = ("x", "y", "width", "height")


@dataclass(frozen=True)
class Boxes:
    """One row for each box in each frame, frame by frame. frames: int32 [R]. corners: float32 [R, 4] xyxy px."""

    frames: NDArray[np.int32]
    corners: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.frames.ndim != 1 or self.corners.shape != (len(self.frames), 4):
            raise ValueError(f"{self.frames.shape} frames with boxes {self.corners.shape}")

    def of(self, frame: int) -> NDArray[np.float32]:
        """float32 [k, 4]: those of one frame."""
        first, end = np.searchsorted(self.frames, np.array([frame, frame + 1], np.int32))  # another type is a copy
        return self.corners[first:end]


def boxes_of(value: object, clip: Clip, bbox_format: BoxFormat = "xywh") -> Boxes:
    """The boxes for each frame of `clip`.

    value: boxes in pixels of the clip. A box is {"x", "y", "width", "height", ...} (BOUNDING_BOX), or four numbers, or
    four and a score (BBOX, see `bbox_format`); tensors and arrays count as lists. Each kind is read as its makers do:
    - one box, or a flat list of boxes with names, holds in every frame;
    - a flat list of boxes in numbers has one for each frame, or one for all, or all of the only frame;
    - a list of lists has one list, perhaps empty, for each frame, or one for all.
    None, and a box without width or height, mean that there is no face.

    Raises InputError for anything else, when all boxes lie outside of the picture, and when the numbers contradict
    `bbox_format`.
    """
    per_frame = _per_frame(_plain(value), clip)
    frames = np.array([frame for frame, boxes in enumerate(per_frame) for _ in boxes], np.int32)
    corners = _corners([box for boxes in per_frame for box in boxes], clip, bbox_format)
    filled = (corners[:, 2:] > corners[:, :2]).all(axis=1)
    inside = (corners[:, 2:] > 0).all(axis=1) & (corners[:, :2] < (clip.width, clip.height)).all(axis=1)
    if filled.any() and not (filled & inside).any():
        raise InputError(
            expected=f"boxes inside the clip's {clip.width}x{clip.height} pixels",
            got=f"none of {len(corners)}; the first goes from (%g, %g) to (%g, %g)" % tuple(corners[filled][0]),
            next_step="Find the boxes in the clip itself, not in a larger copy of it.",
        )
    return Boxes(frames[filled & inside], corners[filled & inside])


def _plain(value: object) -> object:
    """`value` with lists and numbers in place of tensors, arrays and tuples; of boxes with names, those numbers."""
    if isinstance(value, (Tensor, np.ndarray)) and (value.ndim > 3 or value.shape[-1:] not in ((), (0,), (4,), (5,))):
        raise _no_boxes(value)  # an IMAGE, say, which would take gigabytes as lists
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping) and value.keys() >= set(_NAMES):
        return {name: _plain(value[name]) for name in _NAMES}
    return value


def _per_frame(value: object, clip: Clip) -> list[list[Box]]:
    if _is_box(value):
        return [[value]] * clip.frames
    if not isinstance(value, list) or not value:
        raise _no_boxes(value)
    if all(item is None or _is_box(item) for item in value):
        return _from_flat(value, clip)
    lists = [[] if item is None else item for item in value]
    for item in lists:
        if not isinstance(item, list) or not all(_is_box(box) for box in item):
            raise _no_boxes(item)
    return _spread(lists, clip)


def _from_flat(boxes: list[Any], clip: Clip) -> list[list[Box]]:
    found = [box for box in boxes if box is not None]
    if any(isinstance(box, Mapping) for box in found) or clip.frames == 1:
        return [found] * clip.frames
    return _spread([[] if box is None else [box] for box in boxes], clip)


def _spread(lists: list[list[Box]], clip: Clip) -> list[list[Box]]:
    if len(lists) == 1:
        return lists * clip.frames
    clip.check_frames(len(lists), _KIND)
    return lists


def _is_box(item: object) -> TypeGuard[Box]:
    if isinstance(item, Mapping):
        item = [item.get(name) for name in _NAMES]
    return isinstance(item, list) and len(item) in (4, 5) and all(isinstance(number, (int, float)) for number in item)


def _corners(boxes: Sequence[Box], clip: Clip, bbox_format: BoxFormat) -> NDArray[np.float32]:
    """float32 [k, 4] xyxy."""
    named = np.array([isinstance(box, Mapping) for box in boxes], dtype=bool)
    numbers = np.array([_four(box) for box in boxes], np.float32).reshape(-1, 4)
    if not np.isfinite(numbers).all():
        raise InputError(
            expected="boxes of numbers", got="NaN or infinite ones", next_step="Check the node that makes the boxes."
        )
    _check_format(numbers[~named], clip, bbox_format)
    sized = named | (bbox_format == "xywh")
    numbers[sized, 2:] += numbers[sized, :2]
    return numbers


def _four(box: Box) -> Sequence[float]:
    return [box[name] for name in _NAMES] if isinstance(box, Mapping) else box[:4]


def _check_format(numbers: NDArray[np.float32], clip: Clip, bbox_format: BoxFormat) -> None:
    """Raise InputError when [k, 4] numbers cannot be what `bbox_format` says, but can be the other."""
    start, rest, most = numbers[:, :2], numbers[:, 2:], np.array([clip.width, clip.height]) + 1
    may_be = {"xyxy": (rest >= start).all() and (rest <= most).all(), "xywh": (start + rest <= most).all()}
    other: BoxFormat = "xyxy" if bbox_format == "xywh" else "xywh"
    if may_be[other] and not may_be[bbox_format]:
        wrong = "do not go from one corner to the other" if bbox_format == "xyxy" else "reach beyond the picture"
        raise InputError(
            expected=f"boxes written as {bbox_format}",
            got=f"numbers that {wrong} if they are, for example {numbers[0].tolist()}",
            next_step=f"Set `bbox_format` to {other}.",
        )


def _no_boxes(value: object) -> InputError:
    if isinstance(value, (Tensor, np.ndarray)):
        got = f"{type(value).__name__} of shape {list(value.shape)}"
    else:
        got = "an empty list" if value == [] else f"{type(value).__name__} {str(value)[:60]}"
    return InputError(
        expected="boxes of a face: x, y, width and height, one box or some for each frame",
        got=got,
        next_step="Connect a BOUNDING_BOX or BBOX of a node that finds faces.",
    )
