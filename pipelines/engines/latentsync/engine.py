"""LatentSync as an engine: align, show the UNet a masked and a whole face, denoise by sound, lay the face back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from ...core.errors import InputError
from ...core.types import FaceBatch
from ..base import EngineSpec
from ..sd_vae import LATENT_CHANNELS, LATENT_FACTOR, VAE, check_vae
from .alignment import Aligner, face_boxes
from .ddim import TRAINED_STEPS, denoise
from .inpainting import condition, finished
from .warp import laid_back, upright

Resolution = Literal[256, 512]
UNet = Callable[[Tensor, int, Tensor], Tensor]


class CachingUNet(Protocol):
    """A `UNet` that can leave out its deep layers at some steps."""

    def caching(self, interval: int) -> UNet:
        """One for the steps of one block of frames: of `interval` steps, the first alone runs all layers."""


@dataclass(frozen=True)
class LatentSyncSettings:
    """steps: of denoising. guidance: how much more the mouth follows the sound than without it; up to 1 is off, which
    takes half the time. seed: of the noise. resolution: px, of the upright face; 1.5 was trained at 256, 1.6 at 512.
    deep_cache: of so many steps, only the first runs the whole network (DeepCache); 1 is off.
    """

    steps: int = 20
    guidance: float = 1.5
    seed: int = 1247
    resolution: Resolution = 256
    deep_cache: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.steps < TRAINED_STEPS:
            raise InputError(
                expected=f"1 to {TRAINED_STEPS - 1} steps",
                got=str(self.steps),
                next_step="20 is LatentSync's own number.",
            )
        if self.resolution not in (256, 512):
            raise InputError(
                expected="a resolution of 256 or 512",
                got=str(self.resolution),
                next_step="Take 256 for LatentSync 1.5 and 512 for 1.6.",
            )
        if self.deep_cache < 1:
            raise InputError(
                expected="a deep_cache of 1 or more",
                got=str(self.deep_cache),
                next_step="1 is off, 3 is LatentSync's own.",
            )

    @property
    def clips(self) -> int:
        """Clips that the UNet takes at once: guidance needs one more, without sound."""
        return 2 if self.guidance > 1 else 1

    @property
    def latent_side(self) -> int:
        return self.resolution // LATENT_FACTOR


class LatentSyncEngine:
    """Implements `HearingEngine`.

    unet: latents float32 [b, 13, f, h, w], time 0-999 and audio windows float32 [b, f, 50, 384] -> noise float32
    [b, 4, f, h, w]; a `CachingUNet` where the settings ask for that. hear: float32 log-mel [1, 80, 3000] -> float32
    [1500, 5, 384], none of the states normalised.
    release: "1.5" or "1.6"; empty where unknown. block: most frames at once; LatentSync was trained with 16.
    """

    def __init__(
        self,
        unet: UNet,
        vae: VAE,
        hear: Callable[[Tensor], Tensor],
        settings: LatentSyncSettings,
        release: str = "",
        block: int = 16,
    ) -> None:
        check_vae(vae)
        self._unet = unet
        self._vae = vae
        self._settings = settings
        self.hear = hear
        self.spec = EngineSpec(
            id="latentsync",
            label=f"LatentSync {release}".rstrip(),
            hears="latentsync windows",
            crop_sides=(256, 512, 1024),
            block=block,
            commercial_use="Apache-2.0 code; the model hub tags the weights CreativeML Open RAIL++-M, which allows "
            "commercial use and restricts some others",
            reach=face_boxes,
            finest=settings.resolution,
        )

    def start(self) -> LatentSyncPainter:
        """A painter that draws one frame of noise for its whole run."""
        return LatentSyncPainter(self._unet, self._vae, self._settings)


class LatentSyncPainter:
    """Paints one run."""

    def __init__(self, unet: UNet, vae: VAE, settings: LatentSyncSettings) -> None:
        self._unet = unet
        self._vae = vae
        self._settings = settings
        self._aligner = Aligner(settings.resolution)
        self._noise = first_noise(settings)

    @torch.no_grad()
    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1, on the CPU: the crops, with the faces that were found upright laid over them.

        The frames of a batch are made together: a shorter batch comes out a little different, as in the reference.
        """
        resolution, crops = self._settings.resolution, batch.crops.cpu().numpy()
        width, height = crops.shape[2], crops.shape[1]
        matrices = self._aligner.matrices(batch.landmarks, batch.sizes, (width, height), batch.indices, batch.shot)
        pairs = list(zip(crops, matrices, strict=True))
        faces = torch.from_numpy(np.stack([upright(crop, matrix, resolution) for crop, matrix in pairs]))
        shown = condition(self._vae, faces)

        unet = self._unet_of_a_block()

        def predict(noisy: Tensor, time: int) -> Tensor:
            return self._predict(unet, noisy, time, shown, batch.heard)

        latents = denoise(self._noise.expand(-1, len(faces), -1, -1), predict, self._settings.steps)
        painted = finished(self._vae, latents, faces).numpy()
        laid = [laid_back(crop, face, matrix) for (crop, matrix), face in zip(pairs, painted, strict=True)]
        return torch.from_numpy(np.stack(laid))

    def _unet_of_a_block(self) -> UNet:
        every = self._settings.deep_cache
        return self._unet if every == 1 else cast(CachingUNet, self._unet).caching(every)

    def _predict(self, unet: UNet, noisy: Tensor, time: int, shown: Tensor, heard: Tensor) -> Tensor:
        """The noise in latents [4, n, h, w]; with guidance, what the sound makes of it is exaggerated."""
        latents = torch.cat([noisy, shown])[None]
        if self._settings.clips == 1:
            return unet(latents, time, heard[None])[0]
        heard_or_not = torch.stack([torch.zeros_like(heard), heard])
        silent, spoken = unet(latents.expand(2, -1, -1, -1, -1), time, heard_or_not)
        return silent + self._settings.guidance * (spoken - silent)


def first_noise(settings: LatentSyncSettings) -> Tensor:
    """float32 [4, 1, h, w]: one frame of noise, which every frame of a run starts from. The same on every machine."""
    generator = torch.Generator().manual_seed(settings.seed)
    shape = (LATENT_CHANNELS, 1, settings.latent_side, settings.latent_side)
    return torch.randn(shape, generator=generator)
