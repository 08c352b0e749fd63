"""What `bench.py deep_cache` measures: LatentSync's denoising with DeepCache and without, at full shape.

The weights are random: they show what is saved, and that the result stays near, not how a mouth looks.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from lipsync_studio.pipelines.engines.latentsync.ddim import denoise
from lipsync_studio.pipelines.networks.latentsync_unet import LatentSyncUNet
from torch import Tensor

LATENT_SIDE = 32  # of faces of 256 px
INTERVALS = (2, 3)

UNet = Callable[[Tensor, int, Tensor], Tensor]


def deep_cache(frames: int, steps: int) -> dict[str, dict[str, float]]:
    """By interval: how many times less time denoising takes (CPU time on a CPU), and the relative L2 distance of the
    latents from those of all layers at every step.
    """
    from seeded_checkpoints import seeded, shapes

    unet = LatentSyncUNet(seeded(shapes("latentsync_unet")), "random")
    _denoised(unet, frames, 1)  # ComfyUI brings the weights to their device
    whole, longest = _denoised(unet, frames, steps)
    found = {}
    for interval in INTERVALS:
        latents, seconds = _denoised(unet.caching(interval), frames, steps)
        distance = float((latents - whole).norm() / whole.norm())
        found[str(interval)] = {"times": round(longest / seconds, 2), "distance": round(distance, 3)}
    return found


def _denoised(unet: UNet, frames: int, steps: int) -> tuple[Tensor, float]:
    """Latents [4, frames, h, w] and the seconds they took."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(4, 1, LATENT_SIDE, LATENT_SIDE, generator=generator).expand(-1, frames, -1, -1)
    shown = torch.randn(9, frames, LATENT_SIDE, LATENT_SIDE, generator=generator) / 2
    heard = torch.randn(1, frames, 50, 384, generator=generator)
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    started = clock()
    latents = denoise(noise, lambda noisy, at: unet(torch.cat([noisy, shown])[None], at, heard)[0], steps)
    return latents, clock() - started
