"""The turned square that a face fills for the mesh, and the way from picture to square and back.

Here whole numbers are the centres of pixels, as in MediaPipe.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, ceil, cos, floor, sin

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ..core.types import Picture, Rect

# The square's side in sides of YuNet's box. Measured: of 1.1 to 1.9, this brings the mesh nearest to MediaPipe's own
# result (which takes 1.5 sides of another detector's box), within 1.3 % of the distance between the eyes.
BOX_SCALE = 1.3

# The square's side in sides of the upright box of all mesh points, as MediaPipe follows a face from frame to frame
# (face_landmarks_detector_graph.cc). With it the mesh comes within 1.0 %, and trembles a tenth to a third less.
MESH_SCALE = 1.5

# Outer corners of the eyes among the mesh points: on the left and on the right of the picture.
_EYES = (33, 263)

# A thumbnail that shows the square on this part of the wanted pixels will do. Measured at one half: the mesh moves by
# 0.5 % of the distance between the eyes and trembles as little; larger crops of the picture would cost more than the
# mesh itself.
_ENOUGH = 0.5

# How much larger than the square the part of the picture is that is read, so that the square may still move a little.
_ROOM = 1.3


@dataclass(frozen=True)
class Square:
    """A turned square in a picture. x, y: its centre, px. side: px. angle: radians, clockwise as seen."""

    x: float
    y: float
    side: float
    angle: float

    @classmethod
    def around_box(cls, box: NDArray[np.float32], points: NDArray[np.float32]) -> Square:
        """From YuNet's box [4] xyxy and points [5, 2], the eyes first."""
        x0, y0, x1, y1 = box.tolist()
        side = BOX_SCALE * max(x1 - x0, y1 - y0)
        return cls((x0 + x1) / 2, (y0 + y1) / 2, side, _angle(points[0], points[1]))

    @classmethod
    def around_mesh(cls, mesh: NDArray[np.float32]) -> Square:
        """From mesh points [478, 2]."""
        (x0, y0), (x1, y1) = mesh.min(axis=0).tolist(), mesh.max(axis=0).tolist()
        side = MESH_SCALE * max(x1 - x0, y1 - y0)
        return cls((x0 + x1) / 2, (y0 + y1) / 2, side, _angle(*mesh[list(_EYES)]))

    def surroundings(self) -> Rect:
        """Whole pixels that hold this square, with some room to move."""
        half = _ROOM * self.side / 2 * (abs(cos(self.angle)) + abs(sin(self.angle)))
        return Rect(floor(self.x - half), floor(self.y - half), ceil(self.x + half) + 1, ceil(self.y + half) + 1)

    def to_picture(self, points: NDArray[np.float32], size: int) -> NDArray[np.float32]:
        """Points [..., 2] of this square shown on `size` x `size` pixels, in the picture."""
        along, down = np.moveaxis((points - size / 2) * (self.side / size), -1, 0)
        turned = (along * cos(self.angle) - down * sin(self.angle), along * sin(self.angle) + down * cos(self.angle))
        return np.stack([self.x + turned[0], self.y + turned[1]], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class View:
    """A picture or a part of it. pixels: float32 RGB [3, h, w], 0-1. x, y: its first pixel in the picture.

    step: how many pixels of the picture, across and down, one of these pixels stands for.
    """

    pixels: Tensor
    x: int
    y: int
    step: tuple[float, float]

    @classmethod
    def of(cls, picture: Picture, thumbnail: Tensor, square: Square, size: int) -> View:
        """What is needed to show `square` on `size` x `size` pixels, no finer than that.

        thumbnail: uint8 RGB [h, w, 3], the whole picture; taken where it shows the square well enough (see `_ENOUGH`).
        """
        step = (picture.width / thumbnail.shape[1], picture.height / thumbnail.shape[0])
        if square.side >= _ENOUGH * size * max(step):
            return cls(thumbnail.permute(2, 0, 1) / 255, 0, 0, step)
        rect = square.surroundings()
        pixels = picture.crop(rect).permute(2, 0, 1)
        thin = max(1, int(square.side // size))
        if thin > 1:
            pixels = functional.avg_pool2d(pixels[None], thin, ceil_mode=True)[0]
        return cls(pixels, rect.x0, rect.y0, (thin, thin))

    def show(self, square: Square, size: int) -> Tensor:
        """float32 RGB [3, size, size]: `square`, upright; edge pixels are repeated beyond this part of the picture."""
        across = np.arange(size, dtype=np.float32)
        places = np.stack(np.meshgrid(across, across), axis=-1)
        here = (square.to_picture(places, size) - (self.x, self.y) + 0.5) / self.step
        height, width = self.pixels.shape[1:]
        grid = torch.from_numpy((here * (2 / width, 2 / height) - 1).astype(np.float32))
        return functional.grid_sample(self.pixels[None], grid[None], padding_mode="border", align_corners=False)[0]


def _angle(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    """Of the line from `left` to `right`, radians clockwise as seen."""
    return atan2(float(right[1] - left[1]), float(right[0] - left[0]))
