"""MuseTalk 1.5 and 1.0: inpaint the lower half of a face by sound, in one pass of a UNet between two VAE passes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from ...core.types import FaceBatch
from ..base import EngineSpec
from ..sd_vae import LATENT_SCALE, VAE, check_vae

SIDE = 256
MOST_KNOWN = 2048  # faces whose latents are kept, 32 kB each

_SPECS = {
    "v1.5": ("MuseTalk 1.5", 10),
    "v1": ("MuseTalk 1.0", 0),
}


class MuseTalkEngine:
    """Implements `HearingEngine`.

    unet: latents float32 [n, 8, 32, 32] and audio windows float32 [n, 50, 384] -> float32 [n, 4, 32, 32].
    hear: float32 log-mel [1, 80, 3000] -> float32 [1500, 5, 384]; the features the UNet listens to are made of it.
    block: most frames in one batch.
    """

    def __init__(
        self,
        unet: Callable[[Tensor, Tensor], Tensor],
        vae: VAE,
        hear: Callable[[Tensor], Tensor],
        version: Literal["v1.5", "v1"] = "v1.5",
        block: int = 16,
    ) -> None:
        check_vae(vae)
        self._unet = unet
        self._vae = vae
        self.hear = hear
        label, chin_margin = _SPECS[version]
        self.spec = EngineSpec(
            id="musetalk",
            label=label,
            hears="whisper windows",
            crop_sides=(SIDE,),
            block=block,
            chin_margin=chin_margin,
            commercial_use="MIT code; its authors allow any use of the weights, the model hub tags them CreativeML "
            "Open RAIL-M",
        )

    def start(self) -> MuseTalkPainter:
        """A painter that remembers the faces it has encoded."""
        return MuseTalkPainter(self._unet, self._vae)


class MuseTalkPainter:
    """Implements `Painter`. A face that is shown again (ping-pong, loop, a still image) is not encoded again."""

    def __init__(self, unet: Callable[[Tensor, Tensor], Tensor], vae: VAE) -> None:
        self._unet = unet
        self._vae = vae
        self._known: OrderedDict[int, Tensor] = OrderedDict()

    @torch.no_grad()
    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, 256, 256, 3], 0-1, on the CPU; `batch.crops` must be 256 px."""
        painted = self._unet(self._latents(batch), batch.heard)
        return self._vae.decode(painted / LATENT_SCALE).to("cpu", torch.float32)

    def _latents(self, batch: FaceBatch) -> Tensor:
        """float32 [n, 8, 32, 32]: see `face_latents`."""
        first = {int(index): place for place, index in reversed(list(enumerate(batch.indices)))}
        new = [index for index in sorted(first) if index not in self._known]
        if new:
            encoded = face_latents(self._vae, batch.crops[[first[index] for index in new]])
            self._known.update(zip(new, encoded.cpu(), strict=True))
        latents = torch.stack([self._known[int(index)] for index in batch.indices])
        for index in first:
            self._known.move_to_end(index)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return latents


def face_latents(vae: VAE, crops: Tensor) -> Tensor:
    """What the UNet sees of the faces: float32 [n, 8, 32, 32], the masked ones' latents, then the whole ones'.

    crops: float32 [n, 256, 256, 3], 0-1. The lower half is masked with black before the VAE, as in training.
    """
    masked = crops.clone()
    masked[:, SIDE // 2 :] = 0.0
    latents = vae.encode(torch.cat([masked, crops])).to(torch.float32) * LATENT_SCALE
    return torch.cat(latents.chunk(2), dim=1)
