"""MuseTalk's UNet on ComfyUI's own `UNetModel`: one pass from a masked face and sound to a speaking face.

The network is that of musetalk.json (TMElyralab/MuseTalk, the same for both releases): Stable Diffusion 1's UNet
with 8 input channels (4 masked, 4 reference) and audio features 384 wide in place of text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import comfy.model_management
import comfy.ops
import comfy.utils
import torch
from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
from torch import Tensor

from .precision import WeightType, number_types
from .residency import Resident

CHANNELS = 320
HEARD_WIDTH = 384

# Numbers held at the network's peak for one frame of 32x32 latents: 17 Mi measured by torch's profiler as the growth
# from 1 to 4 frames, and almost half as much again for other attention kernels.
_PEAK_PER_FRAME = 24 * 1024**2


class MuseTalkUNet:
    """The UNet with its weights, in ComfyUI's care.

    state: the tensors under diffusers' names, as in musetalkV15/unet.pth and musetalk/pytorch_model.bin. source: the
    file they came from. weight_type: how they are kept; "default" leaves it to ComfyUI, as its own loaders do.
    channels: width of the first level, 320 as released; smaller ones are for tests.
    Raises WeightsError unless every tensor is there, and no other, in the right shape.
    """

    def __init__(
        self, state: Mapping[str, Tensor], source: str, weight_type: WeightType = "default", channels: int = CHANNELS
    ) -> None:
        kept, computed = number_types(state, weight_type)
        operations = comfy.ops.pick_operations(kept, computed, comfy.model_management.get_torch_device())
        config = unet_config(channels)
        self._resident = Resident(UNetModel(**config, dtype=kept, operations=operations), dtype=computed)
        self._resident.load(with_comfy_names(state, config), source=source, kind="the MuseTalk UNet")

    @property
    def block(self) -> int:
        """Frames worth taking at once. On a CPU four save a twentieth, and the stop button waits for a whole block."""
        return 1 if comfy.model_management.is_device_cpu(self._resident.device) else 16

    def __call__(self, latents: Tensor, heard: Tensor) -> Tensor:
        """The latents of the speaking faces.

        latents: float32 [n, 8, h, w], VAE latents times 0.18215: of the masked faces, then of the whole ones.
        heard: float32 [n, 50, 384], audio windows without positions.
        Returns float32 [n, 4, h, w] on the CPU. Takes fewer frames at once where memory is short.
        """
        network = self._resident.ready(self._peak(latents))
        free = comfy.model_management.get_free_memory(self._resident.device)
        size = min(len(latents), max(1, int(free // self._peak(latents[:1]))))
        placed = with_positions(heard)
        painted: list[Tensor] = []
        done = 0
        while done < len(latents):
            comfy.model_management.throw_exception_if_processing_interrupted()
            try:
                painted.append(self._paint(network, latents[done : done + size], placed[done : done + size]))
                done += size
            except comfy.model_management.OOM_EXCEPTION:
                if size == 1:
                    raise
                size //= 2
        return torch.cat(painted)

    def _paint(self, network: UNetModel, latents: Tensor, heard: Tensor) -> Tensor:
        device, dtype = self._resident.device, self._resident.dtype
        # MuseTalk is no diffusion: always timestep 0, and what comes out is the latent itself.
        timesteps = torch.zeros(len(latents), device=device)
        painted = network(latents.to(device, dtype), timesteps, heard.to(device, dtype), transformer_options={})
        return painted.to("cpu", torch.float32)

    def _peak(self, latents: Tensor) -> int:
        """Bytes of activations for `latents`."""
        share = latents[:, 0].numel() / 32**2
        return int(_PEAK_PER_FRAME * share * comfy.model_management.dtype_size(self._resident.dtype))


def unet_config(channels: int = CHANNELS) -> dict[str, Any]:
    """musetalk.json in the words of `UNetModel`; its attention_head_dim 8 means 8 heads."""
    return {
        "image_size": 32,
        "in_channels": 8,
        "out_channels": 4,
        "model_channels": channels,
        "num_res_blocks": [2, 2, 2, 2],
        "channel_mult": (1, 2, 4, 4),
        "num_heads": 8,
        "use_spatial_transformer": True,
        "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
        "transformer_depth_middle": 1,
        "transformer_depth_output": [1] * 9 + [0] * 3,
        "context_dim": HEARD_WIDTH,
        "legacy": False,
    }


def with_comfy_names(state: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """Rename diffusers' keys to those of `UNetModel`. Unknown ones stay, for the strict loader to name."""
    names = comfy.utils.unet_to_diffusers(config)
    return {names.get(key, key): tensor for key, tensor in state.items()}


def with_positions(heard: Tensor) -> Tensor:
    """Add to each of the rows [n, rows, width] its place in the window.

    Sines in the even columns, cosines in the odd ones, wavelengths from 2 pi to 10000 * 2 pi rows: Vaswani et al.
    (2017), as in musetalk/models/unet.py.
    """
    rows, width = heard.shape[1:]
    frequencies = torch.exp(torch.arange(0, width, 2) * (-torch.log(torch.tensor(10000.0)) / width))
    angles = torch.arange(rows)[:, None] * frequencies
    positions = torch.stack((angles.sin(), angles.cos()), dim=-1).flatten(1)
    return heard + positions.to(heard.device)
