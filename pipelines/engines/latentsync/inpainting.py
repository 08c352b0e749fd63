"""What of a face LatentSync makes anew, what its UNet is shown of it, and how the two are joined.

`mask.png` is latentsync/utils/mask.png of bytedance/LatentSync@a229c39, under Apache-2.0; see `README.md` beside it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..sd_vae import LATENT_FACTOR, LATENT_SCALE, VAE
from .warp import lanczos4

_MASK = Path(__file__).parent / "mask.png"


@lru_cache(maxsize=2)
def kept(resolution: int) -> Tensor:
    """float32 [resolution, resolution], 0-1: 1 where the face stays as it is. Soft where the bitmap is enlarged."""
    with Image.open(_MASK) as picture:
        bitmap = np.asarray(picture.convert("L"), np.float64)
    rows, columns = (lanczos4(side, resolution) for side in bitmap.shape)
    enlarged = np.floor(rows @ bitmap @ columns.T + 0.5).clip(0, 255)
    return torch.from_numpy((enlarged / 255).astype(np.float32))


def condition(vae: VAE, faces: Tensor) -> Tensor:
    """What the UNet is shown beside the noise: float32 [9, n, r / 8, r / 8]: mask 1, masked face 4, whole face 4.

    faces: float32 [n, r, r, 3], 0-1. What is masked is mid-grey. The latents are the mean of what the VAE gives; the
    reference draws them at random.
    """
    mask = kept(faces.shape[1])
    masked = 0.5 + (faces - 0.5) * mask[..., None]
    latents = vae.encode(torch.cat([masked, faces])).to("cpu", torch.float32) * LATENT_SCALE
    small = mask[::LATENT_FACTOR, ::LATENT_FACTOR].expand(len(faces), 1, -1, -1)
    return torch.cat([small, *latents.chunk(2)], dim=1).movedim(1, 0)


def finished(vae: VAE, latents: Tensor, faces: Tensor) -> Tensor:
    """float32 [n, r, r, 3]: the faces, with what the latents [4, n, r / 8, r / 8] show where the mask is open."""
    painted = vae.decode(latents.movedim(0, 1) / LATENT_SCALE).to("cpu", torch.float32)
    mask = kept(faces.shape[1])[..., None]
    return painted * (1 - mask) + faces * mask
