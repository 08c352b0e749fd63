"""Finders for faces that come from other nodes of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from torch import Tensor

from ..core.faces import Face
from ..core.types import FrameChunk
from .finder import Finder
from .given_box_finder import BoxedFinder
from .given_boxes import BoxFormat, boxes_of
from .given_clip import Clip
from .given_landmarks import faces_of_landmarks
from .given_poses import faces_of_poses
from .looks import with_looks


@dataclass(frozen=True)
class GivenFaces:
    """Looks the faces up by frame; nothing is searched for. of: the faces of a source frame, by its number."""

    of: Callable[[int], list[Face]]

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`."""
        pictures = zip(chunk.indices.tolist(), chunk.pictures, thumbnails, strict=True)
        return [with_looks(self.of(frame), picture, thumbnail) for frame, picture, thumbnail in pictures]


def given_finder(value: object, frames: int, width: int, height: int, bbox_format: BoxFormat = "xywh") -> Finder:
    """The finder for a value of another node, told by its structure: FACE_LANDMARKS, POSE_KEYPOINT, BOUNDING_BOX, BBOX.

    frames, width, height: of the clip the value must belong to. bbox_format: what the numbers of a BBOX mean.
    The structures are described at `faces_of_landmarks`, `faces_of_poses` and `boxes_of`. Raises InputError for
    anything else, and for values of another clip; what is wrong inside of a frame is raised when it is looked up.
    """
    clip = Clip(frames, width, height)
    if isinstance(value, Mapping) and {"frames", "image_size"} <= value.keys():
        return GivenFaces(faces_of_landmarks(value, clip))
    if _is_pose(value) or (isinstance(value, Sequence) and any(map(_is_pose, value))):
        return GivenFaces(faces_of_poses(value, clip))
    return BoxedFinder(boxes_of(value, clip, bbox_format))


def _is_pose(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and "people" in value
