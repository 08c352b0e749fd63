"""Whether the result still shows the same person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..core.types import Picture, Rect
from ..networks.sface import SIDE

Doubles = NDArray[np.float64]

# Where eyes, tip of the nose and corners of the mouth belong, px of 112 x 112: OpenCV's FaceRecognizerSF::alignCrop.
_PLACES = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)], np.float64
)


def aligned_face(picture: Picture, landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """float32 RGB [112, 112, 3], 0-255: the face with these iBUG points [68, 2], px, turned and scaled for SFace."""
    onto_places, moved = _similarity(_five(np.asarray(landmarks, np.float64)), _PLACES)
    matrix = np.linalg.inv(onto_places)
    offset = -matrix @ moved
    corners = np.array([(0, 0), (SIDE, 0), (0, SIDE), (SIDE, SIDE)]) @ matrix.T + offset
    (x0, y0), (x1, y1) = np.floor(corners.min(axis=0)).astype(int), np.ceil(corners.max(axis=0)).astype(int) + 1
    pixels = picture.crop(Rect(int(x0), int(y0), int(x1), int(y1))).numpy() * 255
    down_across, start = matrix[::-1, ::-1], (offset - (x0, y0))[::-1]  # scipy counts rows first
    planes = [
        ndimage.affine_transform(pixels[..., channel], down_across, start, (SIDE, SIDE), order=1, mode="nearest")
        for channel in range(3)
    ]
    return np.stack(planes, axis=2)


class Identity:
    """The cosine between SFace's embeddings of the result's face and of the source's, over the frames looked at."""

    def __init__(self) -> None:
        self._sum, self._least, self._count = 0.0, 1.0, 0

    def add(self, result: NDArray[np.floating], source: NDArray[np.floating]) -> None:
        """Embeddings [128] of unit length."""
        cosine = float(np.dot(result, source))
        self._sum, self._least, self._count = self._sum + cosine, min(self._least, cosine), self._count + 1

    def numbers(self) -> dict[str, float | int | None]:
        """mean, least, frames."""
        if not self._count:
            return {"mean": None, "least": None, "frames": 0}
        return {"mean": self._sum / self._count, "least": self._least, "frames": self._count}


def _five(landmarks: Doubles) -> Doubles:
    """[5, 2]: the eyes' middles, the tip of the nose, the mouth's corners."""
    eyes = landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)
    return np.stack([*eyes, landmarks[30], landmarks[48], landmarks[54]])


def _similarity(points: Doubles, onto: Doubles) -> tuple[Doubles, Doubles]:
    """(matrix [2, 2], offset [2]) that turn, scale and move `points` [n, 2] best `onto` others, without mirroring.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns" (IEEE PAMI 1991); in two
    dimensions it is one complex number.
    """
    middle, wanted = points.mean(axis=0), onto.mean(axis=0)
    here, there = ((values - centre) @ (1, 1j) for values, centre in ((points, middle), (onto, wanted)))
    turn = np.vdot(here, there) / np.vdot(here, here)
    matrix = np.array([(turn.real, -turn.imag), (turn.imag, turn.real)])
    return matrix, wanted - matrix @ middle
