"""Where Wav2Lip works: the detector's box with room below the chin, averaged over five frames.

Source: inference.py of Rudrabha/Wav2Lip@5c90fa9 (get_smoothened_boxes, face_detect).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..core.faces import CropPlan, CropSettings, FaceTrack
from .pieces import stretches

AVERAGED: Final = 5  # frames

Boxes = NDArray[np.int32]


def on_detected_boxes(crops: CropPlan, track: FaceTrack, settings: CropSettings, own_margin: int = 0) -> CropPlan:
    """The plan with the detector's boxes in place of those of the landmarks, to the pixel as the reference computes it.

    Boxes are cut to whole pixels, grow by the margin below the chin, end at the picture's edges, and are averaged
    within each stretch of a shot that shows the face. own_margin: px, where `settings` leaves it open.
    `settings.shift` and `settings.upper` are additions: they move the middle and the upper edge of the box, as in
    `plan_crops`. A frame is valid when the person is present and something is left of the box.
    """
    boxes = np.maximum(track.boxes, 0).astype(np.int32)
    half = (boxes[:, 1] + boxes[:, 3]) // 2 + settings.shift
    boxes[:, 1] = np.maximum(0, np.minimum(boxes[:, 1] + 2 * settings.shift + settings.upper, half))
    boxes[:, 3] += own_margin if settings.margin is None else settings.margin
    boxes[:, 2:] = np.minimum(boxes[:, 2:], (track.width, track.height))
    for first, end in stretches(track):
        if track.present[first]:
            boxes[first:end] = averaged(boxes[first:end])
    valid = track.present & (boxes[:, 0] < boxes[:, 2]) & (boxes[:, 1] < boxes[:, 3])
    boxes[~valid] = 0
    return replace(crops, valid=valid, boxes=boxes)


def averaged(boxes: Boxes) -> Boxes:
    """int32 [n, 4]: the mean of each box and the four after it, cut to whole pixels.

    The last four all take the mean of the last five, of which the ones before are averaged already. Of fewer than five
    boxes that is, as Python reads the reference's negative index, the mean of the last 5 - n.
    """
    steady, ahead = boxes.copy(), max(0, len(boxes) - AVERAGED + 1)
    if ahead:
        steady[:ahead] = sliding_window_view(boxes, AVERAGED, axis=0).mean(axis=-1).astype(np.int32)
    for index in range(ahead, len(boxes)):
        steady[index] = steady[len(boxes) - AVERAGED :].mean(axis=0).astype(np.int32)
    return steady
