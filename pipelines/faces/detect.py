"""Find faces in thumbnails with the embedded YuNet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..core.types import Picture
from ..networks.residency import Resident
from ..networks.yunet import MULTIPLE, YuNet
from .embedded import with_weights

# px, the longer side of the thumbnails that are searched.
THUMBNAIL = 640

# YuNet's score from which on it is a face. The landmarks' score sorts out what is none.
DETECTED = 0.6

# Faces that overlap by more than this (intersection over union) are one face; OpenCV's default for YuNet.
SAME_FACE = 0.3

# Pictures that go through the network at once. On a CPU, larger batches leave its caches and take twice as long.
BATCH = 4

# Activations per pixel of input, in bytes: 16 channels at half the side each way, float32, three of them alive.
_BYTES_PER_PIXEL = 16 // 4 * 4 * 3


@dataclass(frozen=True)
class Detections:
    """The faces of one picture, best first, in its pixels.

    boxes: float32 [k, 4] xyxy. points: float32 [k, 5, 2], as `YuNet.forward` says. scores: float32 [k], 0-1.
    """

    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.scores)


def thumbnail_of(picture: Picture) -> Tensor:
    """uint8 RGB [h, w, 3]: the picture, at most `THUMBNAIL` px on the longer side."""
    scale = min(1.0, THUMBNAIL / max(picture.width, picture.height))
    width, height = (max(1, round(side * scale)) for side in (picture.width, picture.height))
    return picture.thumbnail(width, height)


class Detector:
    """YuNet with its weights, which are read when first used. least_score: faces below it are not reported."""

    def __init__(self, least_score: float) -> None:
        self._least_score = least_score

    @cached_property
    def _resident(self) -> Resident[YuNet]:
        return with_weights(YuNet(), "yunet_2023mar.safetensors", "the YuNet face detector of March 2023")

    def detect(self, thumbnails: Tensor) -> list[Detections]:
        """The faces in each of the uint8 RGB pictures [n, h, w, 3]."""
        return [found for batch in thumbnails.split(BATCH) for found in self._detect(batch)]

    def _detect(self, thumbnails: Tensor) -> list[Detections]:
        count, height, width, _ = thumbnails.shape
        network = self._resident.ready(count * height * width * _BYTES_PER_PIXEL)
        pixels = thumbnails.to(self._resident.device).permute(0, 3, 1, 2).to(self._resident.dtype)
        cells = network(functional.pad(pixels, (0, -width % MULTIPLE, 0, -height % MULTIPLE)))
        boxes, points, scores = (part.float().cpu().numpy() for part in cells)
        return [self._best(*picture) for picture in zip(boxes, points, scores, strict=True)]

    def _best(self, boxes: NDArray[np.float32], points: NDArray[np.float32], scores: NDArray[np.float32]) -> Detections:
        likely = np.flatnonzero(scores >= self._least_score)
        ranked = likely[np.argsort(-scores[likely], kind="stable")]
        kept = ranked[distinct(boxes[ranked])]
        return Detections(boxes[kept], points[kept], scores[kept])


def distinct(boxes: NDArray[np.float32]) -> NDArray[np.int64]:
    """Greedy non-maximum suppression: which boxes of [k, 4] xyxy, best first, overlap no better one that is kept."""
    overlaps = overlap(boxes, boxes) > SAME_FACE
    alive = np.ones(len(boxes), dtype=bool)
    for index in range(len(boxes)):
        if alive[index]:
            alive[index + 1 :] &= ~overlaps[index, index + 1 :]
    return np.flatnonzero(alive)


def overlap(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of each box of `first` [a, 4] with each of `second` [b, 4], xyxy: float32 [a, b]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)
