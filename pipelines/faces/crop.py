"""Where the engine works: MuseTalk's crop box, from 68 landmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..core.faces import CropPlan, CropSettings, FaceTrack
from .pieces import blocks

# iBUG points on the bridge of the nose, downwards. The crop's half line goes through the middle one.
_ABOVE, _HALF, _BELOW = 28, 29, 30


def plan_crops(track: FaceTrack, settings: CropSettings, own_margin: int = 0) -> CropPlan:
    """The crop box of every frame, to the pixel as MuseTalk computes it.

    Landmarks are cut to whole pixels first; the box spans them in width, ends at the lowest one, and reaches as far
    above the half line as it does below. Where that leaves nothing, or begins left of the picture, the detector's box
    stands in. The margin is added, and the box ends at the picture's lower edge at the latest (in the reference v1.5
    does so, v1 does not).
    Source: musetalk/utils/preprocessing.py:93-135, scripts/inference.py:170-172 (TMElyralab/MuseTalk@0a89dec).
    `settings.upper` is an addition: it moves the upper edge of the landmarks' box, but never out of the picture nor
    below the half line.

    own_margin: px below the chin where `settings` leaves it open. As in the reference, boxes may reach beyond the
    picture on the right. A frame is valid when the person is present and some of the box lies inside the picture.
    """
    boxes = np.empty((len(track), 4), np.int32)
    bridge_of_nose = np.zeros(3, np.int64)
    for first, end in blocks(0, len(track)):
        landmarks = track.landmarks[first:end].astype(np.int32)  # truncates toward zero
        boxes[first:end] = _landmark_boxes(landmarks, settings)
        bridge_of_nose += landmarks[track.present[first:end]][:, [_ABOVE, _HALF, _BELOW], 1].sum(axis=0)
    unusable = (boxes[:, 3] <= boxes[:, 1]) | (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 0] < 0)
    boxes[unusable] = np.maximum(track.boxes[unusable], 0).astype(np.int32)
    boxes[:, 3] += own_margin if settings.margin is None else settings.margin
    boxes[:, 3] = np.minimum(boxes[:, 3], track.height)
    inside = (boxes[:, 0] < track.width) & (boxes[:, 1] < boxes[:, 3])
    valid = track.present & inside & (boxes[:, 2] > boxes[:, 0])
    boxes[~valid] = 0
    return CropPlan(valid=valid, boxes=boxes, shift_range=_shift_range(bridge_of_nose, int(track.present.sum())))


def reaching(
    crops: CropPlan, track: FaceTrack, reach: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> CropPlan:
    """The plan with each crop widened to hold the box that `reach` gives, and all of them ended by the picture's edges.

    reach: float32 landmarks [n, 68, 2] -> float32 boxes [n, 4] xyxy, px of the picture.
    """
    boxes = crops.boxes.copy()
    ends = np.array([track.width, track.height], np.int32)
    for first, end in blocks(0, len(track)):
        rows = first + np.flatnonzero(crops.valid[first:end])
        wanted = reach(track.landmarks[rows])
        starts = np.maximum(np.floor(wanted[:, :2]), 0).astype(np.int32)
        stops = np.minimum(np.ceil(wanted[:, 2:]), ends).astype(np.int32)
        boxes[rows, :2] = np.minimum(boxes[rows, :2], starts)
        boxes[rows, 2:] = np.minimum(np.maximum(boxes[rows, 2:], stops), ends)
    return replace(crops, boxes=boxes)


def _landmark_boxes(landmarks: NDArray[np.int32], settings: CropSettings) -> NDArray[np.int32]:
    """int32 [n, 4] xyxy from int32 landmarks [n, 68, 2]."""
    x, y = landmarks[..., 0], landmarks[..., 1]
    half = y[:, _HALF] + settings.shift
    bottom = y.max(axis=1)
    top = np.maximum(0, np.minimum(2 * half - bottom + settings.upper, half))
    return np.stack([x.min(axis=1), top, x.max(axis=1), bottom], axis=1)


def _shift_range(bridge_of_nose: NDArray[np.int64], frames: int) -> tuple[int, int]:
    """How far the half line can move before it leaves the bridge of the nose, on average over the frames.

    bridge_of_nose: the sums of y over `frames` frames of the points above, on and below the half line.
    """
    if frames == 0:
        return (0, 0)
    above, half, below = bridge_of_nose.tolist()
    return -int((below - half) / frames), int((half - above) / frames)
