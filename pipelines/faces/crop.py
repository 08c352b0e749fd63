"""Where the engine works: MuseTalk's crop box, from 68 landmarks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..core.types import CropPlan, CropSettings, FaceTrack

# iBUG points on the bridge of the nose, downwards. The crop's half line goes through the middle one.
_ABOVE, _HALF, _BELOW = 28, 29, 30


def plan_crops(track: FaceTrack, settings: CropSettings, own_margin: int = 0) -> CropPlan:
    """The crop box of every frame, to the pixel as MuseTalk computes it.

    Landmarks are cut to whole pixels first; the box spans them in width, ends at the lowest one, and reaches as far
    above the half line as it does below. Where that leaves nothing, or begins left of the picture, the detector's box
    stands in. The margin is added, and the box ends at the picture's lower edge at the latest (in the reference v1.5
    does so, v1 does not).
    Source: musetalk/utils/preprocessing.py:93-135, scripts/inference.py:170-172 (TMElyralab/MuseTalk@0a89dec).

    own_margin: px below the chin where `settings` leaves it open. As in the reference, boxes may reach beyond the
    picture on the right. A frame is valid when the person is present and some of the box lies inside the picture.
    """
    landmarks = track.landmarks.astype(np.int32)  # truncates toward zero
    boxes = _landmark_boxes(landmarks, settings.shift)
    unusable = (boxes[:, 3] <= boxes[:, 1]) | (boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 0] < 0)
    boxes = np.where(unusable[:, None], np.maximum(track.boxes, 0).astype(np.int32), boxes)
    boxes[:, 3] += own_margin if settings.margin is None else settings.margin
    boxes[:, 3] = np.minimum(boxes[:, 3], track.height)
    inside = (boxes[:, 0] < track.width) & (boxes[:, 1] < np.minimum(boxes[:, 3], track.height))
    valid = track.present & inside & (boxes[:, 2] > boxes[:, 0])
    return CropPlan(
        valid=valid,
        boxes=np.where(valid[:, None], boxes, 0),
        shift_range=_shift_range(landmarks[track.present]),
    )


def _landmark_boxes(landmarks: NDArray[np.int32], shift: int) -> NDArray[np.int32]:
    """int32 [N, 4] xyxy from int32 landmarks [N, 68, 2]."""
    x, y = landmarks[..., 0], landmarks[..., 1]
    half = y[:, _HALF] + shift
    bottom = y.max(axis=1)
    top = np.maximum(0, 2 * half - bottom)
    return np.stack([x.min(axis=1), top, x.max(axis=1), bottom], axis=1)


def _shift_range(landmarks: NDArray[np.int32]) -> tuple[int, int]:
    """How far the half line can move before it leaves the bridge of the nose, on average over the frames."""
    if len(landmarks) == 0:
        return (0, 0)
    y = landmarks[..., 1]
    return -int((y[:, _BELOW] - y[:, _HALF]).mean()), int((y[:, _HALF] - y[:, _ABOVE]).mean())
