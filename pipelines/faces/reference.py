"""MuseTalk's own detectors as a `Finder`: S3FD says whether there is a face, DWPose where its 68 landmarks are.

Source: musetalk/utils/preprocessing.py:85-135 and face_detection/ (TMElyralab/MuseTalk@0a89dec); for what surrounds
DWPose, MMPose 1.3.2 (inference_topdown without a box, TopdownAffine, SimCC with flip test).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..core.faces import Face
from ..core.types import FrameChunk, Picture, Rect
from ..networks.rtmpose import HEIGHT, WIDTH, DWPose
from ..networks.s3fd import S3FDDetector
from .looks import with_looks

# S3FD's score above which there is a face.
_DETECTED = 0.5

# px, the longer side of what S3FD searches when it need not be exact: a 14th of the work at 1080p. Its finest anchors
# are 16 px, so it finds faces from about a 32nd of the longer side (60 px at 1080p); MuseTalk repaints at 256 px.
_SEARCHED = 512

# The window DWPose looks at, in parts of the picture.
_PADDING = 1.25

# OpenCV 4 samples at whole multiples of 1/32 px; the reference pins 4.9.
_SUBPIXELS = 32


class ReferenceFinder:
    """One face in each picture at most: S3FD's best box, and the landmarks that DWPose finds in the whole picture.

    exact: S3FD searches the full picture, as the reference does; else the thumbnail, scaled to `_SEARCHED`. What that
    changes: a face of less than a 32nd of the picture's longer side may be missed, and the box moves by a few px of the
    thumbnail. The landmarks, which make the crop, are the same wherever a face is seen.

    Unlike the reference, DWPose is not asked where S3FD sees no face: its answer would not be used.
    """

    def __init__(self, s3fd: S3FDDetector, dwpose: DWPose, exact: bool = False) -> None:
        self._s3fd = s3fd
        self._dwpose = dwpose
        self._exact = exact

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """See `Finder.find`. score: always 1, since the reference does not ask how far landmarks can be trusted."""
        boxes, scores = self._boxes(chunk, thumbnails)
        faces: list[list[Face]] = [[] for _ in chunk.pictures]
        seen = np.flatnonzero(scores > _DETECTED)
        if len(seen) == 0:
            return faces
        windows = [Window.around(chunk.pictures[index]) for index in seen]
        shown = [window.show(chunk.pictures[index]) for window, index in zip(windows, seen, strict=True)]
        points = self._dwpose(torch.from_numpy(np.stack(shown))).numpy()
        for index, window, found in zip(seen, windows, points, strict=True):
            face = Face(boxes[index], window.to_picture(found), score=1.0)
            faces[index] = with_looks([face], chunk.pictures[index], thumbnails[index])
        return faces

    def _boxes(self, chunk: FrameChunk, thumbnails: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The best box of each picture, float32 [n, 4] xyxy px of the picture, and its score [n]."""
        if self._exact:
            found = [self._s3fd((_whole(picture) * 255).round()[None]) for picture in chunk.pictures]
            boxes, scores = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
            return boxes, scores
        searched = _scaled(thumbnails)
        boxes, scores = (part.numpy() for part in self._s3fd(searched))
        sizes = np.array([(picture.width, picture.height) for picture in chunk.pictures], np.float32)
        scale = sizes / (searched.shape[2], searched.shape[1])
        return boxes * np.tile(scale, 2).astype(np.float32), scores


@dataclass(frozen=True)
class Window:
    """What DWPose sees of a picture: all of it, in the middle of a larger area of its own proportions, black outside.

    left, top: px of the picture where it begins. step: px of the picture in one of the network's.
    """

    left: float
    top: float
    step: float

    @classmethod
    def around(cls, picture: Picture) -> Window:
        """As MMPose places it when the picture itself is the box of the person."""
        width = _PADDING * max(picture.width, picture.height * WIDTH / HEIGHT)
        step = width / WIDTH
        return cls((picture.width - width) / 2, (picture.height - HEIGHT * step) / 2, step)

    def show(self, picture: Picture) -> NDArray[np.float32]:
        """float32 RGB [384, 288, 3], whole grey levels 0-255, as cv2.warpAffine samples: bilinear, zeros outside."""
        rows, row_weights = _taps(self.top, self.step, HEIGHT, picture.height)
        columns, column_weights = _taps(self.left, self.step, WIDTH, picture.width)
        pixels = _whole(picture).numpy()[rows.reshape(-1, 1), columns.reshape(1, -1)]
        pixels = pixels.reshape(HEIGHT, 2, WIDTH, 2, 3)
        pixels = (pixels * row_weights[:, :, None, None, None]).sum(axis=1)
        pixels = (pixels * column_weights[None, :, :, None]).sum(axis=2)
        return np.rint(pixels * 255)

    def to_picture(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Points [k, 2] of the network's picture in px of the picture."""
        return (points * self.step + (self.left, self.top)).astype(np.float32)


def _taps(start: float, step: float, count: int, size: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Which two of `size` pixels each of `count` samples lies between, and their weights: [count, 2] each.

    Sample i is at start + i * step, to the nearest of `_SUBPIXELS`. A pixel beyond the picture has no weight.
    """
    position = np.floor((start + step * np.arange(count)) * _SUBPIXELS + 0.5) / _SUBPIXELS
    first = np.floor(position)
    indices = np.stack([first, first + 1], axis=1).astype(np.int64)
    weights = np.stack([first + 1 - position, position - first], axis=1)
    inside = (indices >= 0) & (indices < size)
    return indices.clip(0, size - 1), (weights * inside).astype(np.float32)


def _scaled(thumbnails: Tensor) -> Tensor:
    """Pictures [n, h, w, 3], at most `_SEARCHED` px on the longer side, from uint8 RGB [n, h, w, 3]."""
    height, width = thumbnails.shape[1:3]
    scale = _SEARCHED / max(height, width)
    if scale >= 1:
        return thumbnails
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    channels_first = thumbnails.permute(0, 3, 1, 2).float()
    return functional.interpolate(channels_first, size, mode="bilinear", antialias=True).permute(0, 2, 3, 1)


def _whole(picture: Picture) -> Tensor:
    """float32 RGB [h, w, 3], 0-1."""
    return picture.crop(Rect(0, 0, picture.width, picture.height))
