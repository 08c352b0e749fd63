"""Scale crops to the side an engine works at, and its pictures back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def fit_crop(crop: Tensor, side: int) -> Tensor:
    """float32 [side, side, 3], 0-1, from float32 [h, w, 3]: Lanczos, without aliasing where it shrinks.

    The reference takes cv2.INTER_LANCZOS4 (MuseTalk scripts/inference.py:174), which has one lobe more and aliases.
    """
    return _scaled(crop, side, side, Image.Resampling.LANCZOS)


def fit_rect(picture: Tensor, height: int, width: int) -> Tensor:
    """float32 [height, width, c] from float32 [h, w, c]: linear, averaging where it shrinks."""
    if picture.shape[:2] == (height, width):
        return picture
    return _scaled(picture, height, width, Image.Resampling.BILINEAR)


def _scaled(picture: Tensor, height: int, width: int, filter: Image.Resampling) -> Tensor:
    """By Pillow, channel by channel, and NumPy: for so little work PyTorch's threads cost more than they give."""
    scaled = np.empty((height, width, picture.shape[2]), np.float32)
    for channel in range(picture.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(picture[..., channel].numpy()))
        scaled[..., channel] = np.asarray(plane.resize((width, height), filter))
    return torch.from_numpy(scaled.clip(0, 1, out=scaled))
