"""Faces from ComfyUI's own MediaPipe face landmarker, the FACE_DETECTION_MODEL socket.

The model is used, never imported: older versions of ComfyUI do not have it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.faces import Face
from ..core.types import FrameChunk, Picture
from .given_landmarks import mesh_face
from .ibug import face_box
from .landmarks import Spot
from .looks import with_looks
from .squares import Square, View

Variant = Literal["short", "full", "both"]
Found = Mapping[str, Any]
Pixels = NDArray[np.uint8]

# The detector's score from which on it is a face: the default of ComfyUI's node.
_DETECTED = 0.5

# The most faces of one picture, those with the best scores, so that a crowd does not cost minutes.
_MOST = 8

# Pictures that go through the model at once, as many as ComfyUI's node gives it.
_BATCH = 16

# The detector sees the whole picture on 128 or 192 px, so the smaller a face, the worse the box that its landmarks are
# read from. A face whose box has less than this part of the picture's longer side is looked at again, in a view this
# many times as large as the box, shown on that many px. Measured on four clips, with the mesh of the Face Landmarker's
# task file in the place of the model's own, against this pack's landmarks, with and without the second look (mean error
# in parts of the distance between the outer corners of the eyes): from 0.3 on no difference; at about 0.25 0.7 to 1.6 %
# and 1.3 to 1.4 %; at 0.19 1.0 and 1.2 %; at 0.16 1.6 and 3.3 %; at 0.12 0.7 and 6.3 %.
_COARSE, _AROUND, _SIDE = 0.25, 2.0, 384


class FaceLandmarkerModel(Protocol):
    """The class of that name in comfy_extras/nodes_mediapipe.py, as far as it is used."""

    def detect_batch(
        self, images: list[Pixels], num_faces: int, score_thresh: float, variant: str
    ) -> Sequence[Sequence[Found]]:
        """The faces in each uint8 RGB picture [h, w, 3]; `given_landmarks.mesh_face` says what a face is."""


class MediaPipeFinder:
    """ComfyUI's MediaPipe port as a finder.

    variant: its detector. "short" is made for faces near the camera, "full" for far ones too; "both" asks both and
    takes, for each picture, the one that finds more faces, as ComfyUI's node does.
    """

    def __init__(self, model: FaceLandmarkerModel, variant: Variant = "both") -> None:
        self._model = model
        self._variants = ("short", "full") if variant == "both" else (variant,)

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`. boxes: around the landmarks. score: the mesh's trust."""
        faces = [
            [mesh_face(face, _scale(picture, thumbnail)) for face in found]
            for picture, thumbnail, found in zip(chunk.pictures, thumbnails, self._search(thumbnails), strict=True)
        ]
        coarse = [
            (number, index)
            for number, picture in enumerate(chunk.pictures)
            for index, face in enumerate(faces[number])
            if _is_coarse(face, picture)
        ]
        spots = [
            Spot(chunk.pictures[number], thumbnails[number], _around(faces[number][index])) for number, index in coarse
        ]
        for (number, index), closer in zip(coarse, self._look_closer(spots), strict=True):
            face = faces[number][index]
            faces[number][index] = next((other for other in closer if _is_within(other, face.box)), face)
        return [with_looks(*found) for found in zip(faces, chunk.pictures, thumbnails, strict=True)]

    def _search(self, thumbnails: Tensor) -> list[Sequence[Found]]:
        """The faces in each of the uint8 RGB pictures [n, h, w, 3], in their pixels."""
        by_variant = [self._detect(list(thumbnails.numpy()), variant) for variant in self._variants]
        return [max(found, key=len) for found in zip(*by_variant, strict=True)]

    def _look_closer(self, spots: Sequence[Spot]) -> Iterator[list[Face]]:
        """The faces in the view of each spot, which is close whatever the picture is."""
        for start in range(0, len(spots), _BATCH):
            batch = spots[start : start + _BATCH]
            for spot, found in zip(batch, self._detect([_view(spot) for spot in batch], "short"), strict=True):
                yield [_from_view(face, spot.square) for face in found]

    def _detect(self, pictures: list[Pixels], variant: str) -> list[Sequence[Found]]:
        found: list[Sequence[Found]] = []
        with torch.no_grad():
            for start in range(0, len(pictures), _BATCH):
                batch = pictures[start : start + _BATCH]
                found += self._model.detect_batch(batch, num_faces=_MOST, score_thresh=_DETECTED, variant=variant)
        return found


def _scale(picture: Picture, thumbnail: Tensor) -> NDArray[np.float32]:
    """float32 [2]: pixels of the picture for one of the thumbnail [h, w, 3], across and down."""
    return np.array([picture.width / thumbnail.shape[1], picture.height / thumbnail.shape[0]], np.float32)


def _is_coarse(face: Face, picture: Picture) -> bool:
    return float((face.box[2:] - face.box[:2]).max()) < _COARSE * max(picture.width, picture.height)


def _around(face: Face) -> Square:
    x0, y0, x1, y1 = face.box.tolist()
    return Square((x0 + x1) / 2, (y0 + y1) / 2, _AROUND * max(x1 - x0, y1 - y0, 1.0), angle=0.0)


def _view(spot: Spot) -> Pixels:
    """uint8 RGB [_SIDE, _SIDE, 3]: what is in the square."""
    shown = View.of(spot.picture, spot.thumbnail, spot.square, _SIDE).show(spot.square, _SIDE)
    return (shown * 255).round().byte().permute(1, 2, 0).contiguous().numpy()


def _from_view(face: Found, square: Square) -> Face:
    """A face that was found in the view of `square`, in the picture."""
    there = mesh_face(face, np.ones(2, np.float32))
    landmarks = square.to_picture(there.landmarks, _SIDE)
    return Face(box=face_box(landmarks), landmarks=landmarks, score=there.score)


def _is_within(face: Face, box: NDArray[np.float32]) -> bool:
    """Whether the middle of `face` lies in `box`: a neighbour in the same view does not."""
    middle = face.landmarks.mean(axis=0)
    return bool((box[:2] <= middle).all() and (middle <= box[2:]).all())
