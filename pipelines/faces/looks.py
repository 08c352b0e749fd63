"""Faces with the looks by which people are known again across cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from ..core.faces import Face
from ..core.types import Picture
from .likeness import likenesses


def with_looks(faces: Sequence[Face], picture: Picture, thumbnail: Tensor) -> list[Face]:
    """The faces of `picture` with their likeness; without one where it cannot be told (see `likeness.likenesses`).

    thumbnail: uint8 RGB [h, w, 3], the same picture scaled down.
    """
    if not faces:
        return []
    scale = np.array([thumbnail.shape[1] / picture.width, thumbnail.shape[0] / picture.height], np.float32)
    boxes = np.stack([face.box for face in faces]) * np.tile(scale, 2)
    looks = likenesses(thumbnail.numpy(), boxes)
    return [replace(face, likeness=look if look.any() else look[:0]) for face, look in zip(faces, looks, strict=True)]
