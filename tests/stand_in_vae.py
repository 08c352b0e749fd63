"""The VAE that the goldens of LatentSync were made with, behind ComfyUI's interface."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


class StandInVAE:
    """Means of 8x8 pixels, and of the channels as a fourth; back by repeating pixels. It has no bounds."""

    latent_channels = 4

    def spacial_compression_encode(self) -> int:
        return 8

    def encode(self, pixel_samples: Tensor) -> Tensor:
        pooled = avg_pool2d(pixel_samples.movedim(-1, 1) * 2 - 1, 8)
        return torch.cat([pooled, pooled.mean(dim=1, keepdim=True)], dim=1)

    def decode(self, samples_in: Tensor) -> Tensor:
        pixels = interpolate(samples_in[:, :3], scale_factor=8, mode="nearest")
        return (pixels / 2 + 0.5).movedim(1, -1)
