"""Mesh landmarks on found faces with the embedded face mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import Picture
from ..networks.face_mesh import SIDE, FaceMesh
from ..networks.residency import Resident
from .embedded import with_weights
from .squares import Square, View

# Faces that go through the network at once; bounds memory where pictures show crowds.
BATCH = 16

# The square around the detector's box is only a first guess: the second look uses the square around the first mesh.
_LOOKS = 2

# Activations of one face, in bytes: the first stage dominates (16 channels of 128 x 128, float32, five of them alive).
_BYTES_PER_FACE = 16 * 128 * 128 * 4 * 5

Meshes = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Spot:
    """Where a face is: in a picture (thumbnail: uint8 RGB [h, w, 3], all of it), within a square of picture px."""

    picture: Picture
    thumbnail: Tensor
    square: Square


class Landmarker:
    """The face mesh with its weights, which are read when first used."""

    @cached_property
    def _resident(self) -> Resident[FaceMesh]:
        return with_weights(FaceMesh(), "face_mesh_v2.safetensors", "MediaPipe's face mesh v2")

    def find(self, spots: Sequence[Spot]) -> Meshes:
        """Landmarks of the face in each spot.

        Returns points: float32 [n, 478, 2], picture px. scores: float32 [n], 0-1, the network's trust that there is a
        face, on average over its looks: near 0 in profile, behind a hand, or where the detector was wrong.
        """
        batches = [self._find(spots[start : start + BATCH]) for start in range(0, len(spots), BATCH)]
        if not batches:
            return np.empty((0, 478, 2), np.float32), np.empty(0, np.float32)
        points, scores = zip(*batches, strict=True)
        return np.concatenate(points), np.concatenate(scores)

    def _find(self, spots: Sequence[Spot]) -> Meshes:
        squares = [spot.square for spot in spots]
        views = [View.of(spot.picture, spot.thumbnail, spot.square, SIDE) for spot in spots]
        scores = []
        for _ in range(_LOOKS):
            points, score = self._look(views, squares)
            squares = [Square.around_mesh(mesh) for mesh in points]
            scores.append(score)
        return points, np.mean(scores, axis=0)

    def _look(self, views: Sequence[View], squares: Sequence[Square]) -> Meshes:
        """One pass of the network over each square."""
        network = self._resident.ready(len(views) * _BYTES_PER_FACE)
        shown = torch.stack([view.show(square, SIDE) for view, square in zip(views, squares, strict=True)])
        # Depthwise convolutions are about twice as fast in this layout on a CPU.
        pixels = shown.to(self._resident.device, self._resident.dtype, memory_format=torch.channels_last)
        meshes, presence = network(pixels)
        points = [
            square.to_picture(mesh, SIDE)
            for square, mesh in zip(squares, meshes[..., :2].float().cpu().numpy(), strict=True)
        ]
        return np.stack(points), presence.float().cpu().numpy()
