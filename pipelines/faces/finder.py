"""Faces with their 68 landmarks, picture by picture."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ..core.types import Face, FrameChunk
from .detect import Detector
from .ibug import MESH_POINTS
from .landmarks import Landmarker, Spot
from .squares import Square

# px, the longer side of the thumbnails that are searched.
THUMBNAIL = 640

# A face below this score is followed, but its landmarks are not to be used.
TRUSTED = 0.5

# The smallest face that can be found, in parts of the picture's longer side (a face of 15 px in the thumbnail).
SMALLEST = 15 / THUMBNAIL

# YuNet's score from which on it is a face. The landmarks' score sorts out what is none.
_DETECTED = 0.6

# Faces of one picture that get landmarks: the largest ones, so that a crowd does not cost minutes.
_MOST = 8


class Finder(Protocol):
    """Finds faces. To add another one, return faces as below and give it to `tracks.track_speaker`."""

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """The faces in each picture of `chunk`.

        thumbnails: uint8 RGB [n, h, w, 3], the same pictures scaled down (see `thumbnails`).
        A face's score says how far its landmarks can be trusted; see `TRUSTED`.
        """


class FaceFinder:
    """The detector and landmarks that come with the pack: YuNet, and MediaPipe's face mesh on each face it finds."""

    def __init__(self) -> None:
        self._detector = Detector(least_score=_DETECTED)
        self._landmarker = Landmarker()

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`. boxes: YuNet's. score: the mesh's trust."""
        faces: list[list[Face]] = [[] for _ in chunk.pictures]
        found_at, spots = [], []
        for number, (picture, found) in enumerate(zip(chunk.pictures, self._detector.detect(thumbnails), strict=True)):
            scale = np.array([picture.width / thumbnails.shape[2], picture.height / thumbnails.shape[1]], np.float32)
            boxes, points = found.boxes * np.tile(scale, 2), found.points * scale
            largest = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")[:_MOST]
            for index in largest:
                found_at.append((number, boxes[index]))
                spots.append(Spot(picture, thumbnails[number], Square.around_box(boxes[index], points[index])))
        for (number, box), mesh, score in zip(found_at, *self._landmarker.find(spots), strict=True):
            faces[number].append(Face(box=box, landmarks=mesh[MESH_POINTS], score=float(score)))
        return faces


def thumbnails(chunk: FrameChunk) -> Tensor:
    """uint8 RGB [n, h, w, 3]: the pictures of `chunk`, at most `THUMBNAIL` px on the longer side."""
    first = chunk.pictures[0]
    scale = min(1.0, THUMBNAIL / max(first.width, first.height))
    width, height = (max(1, round(side * scale)) for side in (first.width, first.height))
    return torch.stack([picture.thumbnail(width, height) for picture in chunk.pictures])
