"""FACE_LANDMARKS of ComfyUI's own MediaPipe nodes (comfy_extras/nodes_mediapipe.py) as faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.faces import Face
from .given_clip import Clip
from .ibug import MESH_POINTS, face_box

_KIND = "FACE_LANDMARKS"


def faces_of_landmarks(value: Mapping[str, Any], clip: Clip) -> Callable[[int], list[Face]]:
    """The faces of any frame of `clip`, by its number.

    value: {"frames": one list of faces for each frame, "image_size": (height, width), ...}; `mesh_face` says what a
    face is. Faces found in a scaled copy of the clip are scaled. Frames are read when they are asked for.
    Raises InputError when the value is of another clip.
    """
    frames = value["frames"]
    height, width = value["image_size"]
    clip.check_frames(len(frames), _KIND)
    scale = clip.scale_from(float(width), float(height), _KIND)
    return lambda frame: [mesh_face(face, scale) for face in frames[frame] or ()]


def mesh_face(face: Mapping[str, Any], scale: NDArray[np.float32]) -> Face:
    """One face of ComfyUI's MediaPipe port.

    face: {"landmarks_xy": [478, 2] px, "presence": the logit of the mesh's trust, ...}. scale: float32 [2], factors
    to the clip's pixels; whole numbers are the centres of pixels on both sides.
    """
    mesh = np.asarray(face.get("landmarks_xy", ()), np.float32)
    if mesh.ndim != 2 or len(mesh) <= MESH_POINTS.max() or mesh.shape[1] != 2 or not np.isfinite(mesh).all():
        raise InputError(
            expected=f"{_KIND} with the 478 points of MediaPipe's face mesh, in pixels",
            got=f"landmarks_xy of shape {list(mesh.shape)}, or with NaN in it",
            next_step="Use ComfyUI's own Detect Face Landmarks (MediaPipe).",
        )
    landmarks = (mesh[MESH_POINTS] + 0.5) * scale - 0.5
    return Face(box=face_box(landmarks), landmarks=landmarks, score=_sigmoid(float(face["presence"])))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-min(max(logit, -60.0), 60.0)))
