"""POSE_KEYPOINT of ComfyUI's SDPose and of the DWPose and OpenPose packs as faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.faces import Face
from .given_clip import Clip
from .ibug import face_box

_KIND = "POSE_KEYPOINT"

# A point counts as seen from this confidence on: what DWPose keeps, and what SDPose Draw Keypoints draws by default.
SEEN = 0.3

# Coordinates up to this are parts of the canvas (a little more than 1 outside of it); no face has 2 pixels.
_PARTS = 2.0

# OpenPose in comfyui_controlnet_aux finds people in a picture whose shorter side is a multiple of 64 px, padded on the
# right and below to whole 64s, and writes parts of the padded one, but the size of the one without padding.
_PADDING = 64

# The rows of iBUG points that lie next to each other: jaw, brows, bridge, base of the nose, eyes, lips.
_ROWS = [
    np.arange(first, end)
    for first, end in ((0, 17), (17, 22), (22, 27), (27, 31), (31, 36), (36, 42), (42, 48), (48, 60), (60, 68))
]


def faces_of_poses(
    value: Sequence[Mapping[str, Any] | None] | Mapping[str, Any], clip: Clip
) -> Callable[[int], list[Face]]:
    """The faces of any frame of `clip`, by its number.

    value: for each frame {"people": [{"face_keypoints_2d": [x, y, confidence, ...], ...}], "canvas_width",
    "canvas_height"}; for a single frame that may stand alone. The face has OpenPose's 70 points, or the first 68 of
    them, which are the iBUG points, in pixels of the canvas or in parts of it (0-1); None, empty or without a seen
    point when there is no face. A frame, its people and each of them may be None too. Without a canvas, the clip's
    size is it. Faces found in a scaled copy of the clip are scaled. Frames are read when they are asked for. Raises
    InputError when the value is of another clip.
    """
    frames = [value] if isinstance(value, Mapping) else value
    clip.check_frames(len(frames), _KIND)
    return lambda frame: _faces(frames[frame] or {}, clip)


def _faces(frame: Mapping[str, Any], clip: Clip) -> list[Face]:
    canvas = (float(frame.get("canvas_width") or clip.width), float(frame.get("canvas_height") or clip.height))
    scale = clip.scale_from(*canvas, kind=_KIND)
    faces = []
    for person in filter(None, frame.get("people") or ()):
        keypoints = _keypoints(person.get("face_keypoints_2d"))
        seen = _seen(keypoints)
        if seen.any():
            faces.append(_face(_in_pixels(keypoints[:, :2], seen, canvas) * scale, seen))
    return faces


def _keypoints(flat: Sequence[float] | None) -> NDArray[np.float32]:
    """float32 [68, 3] x, y, confidence; all zeros when there is no face."""
    values = np.asarray([] if flat is None else flat, np.float32).reshape(-1)
    if not len(values):
        return np.zeros((68, 3), np.float32)
    if len(values) not in (68 * 3, 70 * 3) or not np.isfinite(values).all():
        raise InputError(
            expected=f"{_KIND} with 68 or 70 points (x, y, confidence) in each `face_keypoints_2d`",
            got=f"{len(values)} values, or NaN among them",
            next_step="Switch face detection on in the node that finds the poses.",
        )
    return values.reshape(-1, 3)[:68]


def _seen(keypoints: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool [68]. Points that were not found come as (0, 0, 0), or at or before (0, 0) with any confidence."""
    return (keypoints[:, 2] >= SEEN) & (keypoints[:, :2] > 0).any(axis=1)


def _in_pixels(
    points: NDArray[np.float32], seen: NDArray[np.bool_], canvas: tuple[float, float]
) -> NDArray[np.float32]:
    """Points [68, 2] in pixels of the canvas, which came in those or in parts of it."""
    if np.abs(points[seen]).max() > _PARTS:
        return points
    sides = np.array(canvas, np.float32)
    if min(canvas) % _PADDING == 0:
        sides = np.ceil(sides / _PADDING) * _PADDING
    return points * sides


def _face(points: NDArray[np.float32], seen: NDArray[np.bool_]) -> Face:
    """score: the share of points that were seen; 0 when nothing is known of a whole row of them."""
    landmarks = points.copy()
    landmarks[~seen] = points[seen].mean(axis=0)
    for row in _ROWS:
        known = row[seen[row]]
        if 0 < len(known) < len(row):
            landmarks[row] = np.stack([np.interp(row, known, points[known, axis]) for axis in (0, 1)], axis=1)
    complete = all(seen[row].any() for row in _ROWS)
    return Face(box=face_box(landmarks), landmarks=landmarks, score=float(seen.mean()) if complete else 0.0)
