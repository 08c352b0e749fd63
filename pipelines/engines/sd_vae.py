"""Stable Diffusion 1's VAE, which the engines share: sd-vae-ft-mse through ComfyUI's VAE socket."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from ..core.errors import InputError

# Brings Stable Diffusion 1's latents to about unit variance: scale_factor of its v1-inference.yaml.
LATENT_SCALE = 0.18215
LATENT_CHANNELS = 4
LATENT_FACTOR = 8


class VAE(Protocol):
    """What of ComfyUI's VAE socket is used."""

    latent_channels: int

    def spacial_compression_encode(self) -> int: ...

    def encode(self, pixel_samples: Tensor) -> Tensor:
        """[n, H, W, 3], 0-1 -> [n, 4, H/8, W/8], the distribution's mean, unscaled."""

    def decode(self, samples_in: Tensor) -> Tensor:
        """[n, 4, h, w], unscaled -> [n, 8h, 8w, 3], 0-1."""


def check_vae(vae: VAE) -> None:
    """Raise InputError unless it is a Stable Diffusion 1 VAE."""
    channels, factor = vae.latent_channels, vae.spacial_compression_encode()
    if (channels, factor) != (LATENT_CHANNELS, LATENT_FACTOR):
        raise InputError(
            expected=f"a Stable Diffusion 1 VAE ({LATENT_CHANNELS} latent channels, 1/{LATENT_FACTOR} of the size)",
            got=f"a VAE with {channels} latent channels and 1/{factor} of the size",
            next_step="Load sd-vae-ft-mse or vae-ft-mse-840000-ema-pruned with Load VAE.",
        )
