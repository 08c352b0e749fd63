"""Landmarks inside boxes that come from other nodes of the graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..core.faces import Face
from ..core.types import FrameChunk
from .given_boxes import Boxes
from .ibug import MESH_POINTS, face_box
from .landmarks import Landmarker, Spot
from .looks import with_looks
from .squares import BOX_SCALE, Square


class BoxedFinder:
    """Skips detection: landmarks are found with the embedded mesh inside the boxes.

    A box should lie around the face. Measured on 24 pictures of six clips: in boxes 0.8 to 2 times as large as YuNet's,
    and off by up to 0.3 of its side, the landmarks come within 2 % of the distance between the outer corners of the
    eyes of those found from YuNet's own. Larger boxes are seldom trusted.
    """

    def __init__(self, boxes: Boxes) -> None:
        self._boxes = boxes
        self._landmarker = Landmarker()

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`. boxes: around the landmarks, whatever the given ones were. score: the mesh's trust."""
        faces: list[list[Face]] = [[] for _ in chunk.pictures]
        found_in, spots = [], []
        for number, (picture, frame) in enumerate(zip(chunk.pictures, chunk.indices.tolist(), strict=True)):
            for box in self._boxes.of(frame):
                found_in.append(number)
                spots.append(Spot(picture, thumbnails[number], _square(box)))
        for number, mesh, score in zip(found_in, *self._landmarker.find(self._closer(spots)), strict=True):
            landmarks = mesh[MESH_POINTS]
            faces[number].append(Face(box=face_box(landmarks), landmarks=landmarks, score=float(score)))
        return [with_looks(*found) for found in zip(faces, chunk.pictures, thumbnails, strict=True)]

    def _closer(self, spots: list[Spot]) -> list[Spot]:
        """The squares that the faces fill, upright, by a first look: a box alone says too little for good landmarks."""
        meshes, _ = self._landmarker.find(spots)
        return [
            Spot(spot.picture, spot.thumbnail, Square.around_mesh(mesh))
            for spot, mesh in zip(spots, meshes, strict=True)
        ]


def _square(box: NDArray[np.float32]) -> Square:
    x0, y0, x1, y1 = box.tolist()
    return Square((x0 + x1) / 2, (y0 + y1) / 2, BOX_SCALE * max(x1 - x0, y1 - y0), angle=0.0)
