"""The portrait that comes with the pack as a scene for the compositor: a real face, cropped and ready to be painted."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from lipsync_studio.pipelines.blending.scaling import fit_crop
from lipsync_studio.pipelines.blending.scene import Scene
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

PACK = Path(__file__).resolve().parent.parent
FACE = Rect(178, 76, 274, 192)  # px of the portrait: as MuseTalk crops it
CLOSE_UP = Rect(96, 0, 352, 256)  # px of the portrait: the head, pixel for pixel at 256 px

Paint = Callable[[Tensor], Tensor]


@lru_cache
def portrait() -> Tensor:
    """float32 RGB [512, 512, 3], 0-1. To be read only."""
    with Image.open(PACK / "workflows" / "inputs" / "astronaut.jpg") as picture:
        return torch.from_numpy(np.asarray(picture.convert("RGB"), np.float32) / 255)


def landmarks() -> NDArray[np.float32]:
    """float32 [68, 2] px of the portrait."""
    stored = json.loads((PACK / "tests" / "goldens" / "astronaut_landmarks.json").read_text(encoding="utf-8"))
    return np.array(stored["landmarks"], np.float32)


def scene(
    paint: Paint = torch.clone,
    *,
    indices: Sequence[int] = (0, 1, 2),
    rect: Rect = FACE,
    side: int = 256,
    shot: int = 0,
    amount: float = 1.0,
    pixels: Tensor | None = None,
) -> Scene:
    """The portrait in every frame. paint: what an engine makes of the crops, float32 RGB [n, side, side, 3]."""
    picture = ImagePicture(portrait() if pixels is None else pixels)
    points = (landmarks() - [rect.x0, rect.y0]) * [side / rect.width, side / rect.height]
    count = len(indices)
    crops = fit_crop(picture.crop(rect), side).expand(count, -1, -1, -1).contiguous()
    return Scene(
        pictures=(picture,) * count,
        indices=np.array(indices, np.int64),
        shot=shot,
        rects=(rect,) * count,
        crops=crops,
        painted=paint(crops).clamp(0, 1),
        landmarks=np.repeat(points[None].astype(np.float32), count, axis=0),
        amount=np.full(count, amount, np.float32),
    )
