"""Faces with their 68 landmarks, picture by picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.faces import Face
from ..core.types import FrameChunk, Picture
from .detect import DETECTED, THUMBNAIL, Detections, Detector, thumbnail_of
from .ibug import MESH_POINTS
from .landmarks import Landmarker, Spot
from .looks import with_looks
from .squares import Square
from .upright import upright_scores

# The smallest face that can be found, in parts of the picture's longer side (a face of 15 px in the thumbnail).
SMALLEST = 15 / THUMBNAIL

# Faces of one picture that get landmarks: the largest ones, so that a crowd does not cost minutes.
_MOST = 8


class Finder(Protocol):
    """Finds faces. To add another one, return faces as below and give it to `tracks.find_faces`."""

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """The faces in each picture of `chunk`.

        thumbnails: uint8 RGB [n, h, w, 3], the same pictures scaled down (see `thumbnails`).
        A face's score says how far its landmarks can be trusted; see `Face`. The likeness may be left empty.
        """


class FaceFinder:
    """The detector and landmarks that come with the pack: YuNet, and MediaPipe's face mesh on each face it finds."""

    def __init__(self) -> None:
        self._detector = Detector(least_score=DETECTED)
        self._landmarker = Landmarker()

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`. boxes: YuNet's. score: the mesh's trust, 0 for a face that is not upright."""
        detected = zip(chunk.pictures, thumbnails, self._detector.detect(thumbnails), strict=True)
        seen = [_largest(*each) for each in detected]
        spots = [each.spot for faces in seen for each in faces]
        meshes, scores = self._landmarker.find(spots)
        scores = upright_scores(self._landmarker, spots, scores, [each.certainty for faces in seen for each in faces])
        found = iter(zip(meshes[:, MESH_POINTS], scores.tolist(), strict=True))
        faces = [[Face(each.box, *next(found)) for each in faces] for faces in seen]
        return [with_looks(*each) for each in zip(faces, chunk.pictures, thumbnails, strict=True)]


@dataclass(frozen=True)
class _Detected:
    """A face before its landmarks. box: float32 [4] xyxy px of the picture. certainty: YuNet's, 0-1."""

    box: NDArray[np.float32]
    spot: Spot
    certainty: float


def _largest(picture: Picture, thumbnail: Tensor, found: Detections) -> list[_Detected]:
    """The largest faces of one picture."""
    height, width, _ = thumbnail.shape
    scale = np.array([picture.width / width, picture.height / height], np.float32)
    boxes, points = found.boxes * np.tile(scale, 2), found.points * scale
    largest = np.argsort(-np.prod(found.boxes[:, 2:] - found.boxes[:, :2], axis=1), kind="stable")[:_MOST]
    return [
        _Detected(
            boxes[index],
            Spot(picture, thumbnail, Square.around_box(boxes[index], points[index])),
            float(found.scores[index]),
        )
        for index in largest
    ]


def thumbnails(chunk: FrameChunk) -> Tensor:
    """uint8 RGB [n, h, w, 3]: the pictures of `chunk`, at most `THUMBNAIL` px on the longer side."""
    return torch.stack([thumbnail_of(picture) for picture in chunk.pictures])
