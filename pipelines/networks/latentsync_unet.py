"""LatentSync's UNet with its weights, in ComfyUI's care."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import comfy.model_management
import comfy.ops
import comfy.utils
import torch
from torch import Tensor

from .latentsync_net import CHANNELS, LatentSyncNet
from .precision import WeightType, number_types
from .residency import Resident, is_out_of_memory, obtainable_memory

# Frames the network was trained on at once; it does not know more than 24.
MOST_FRAMES = 16

# Numbers held at the network's peak for one frame of 32x32 latents: 15 Mi measured by torch's profiler as the growth
# from 1 to 3 frames, and half as much again for other attention kernels.
_PEAK_PER_FRAME = 24 * 1024**2


class LatentSyncUNet:
    """Predicts the noise in a block of frames; 1.5 and 1.6 have the same network.

    state: the tensors of latentsync_unet.pt. source: the file they came from. weight_type: how they are kept; "default"
    leaves it to ComfyUI, as its own loaders do. channels: of the levels; narrower ones than released are for tests.
    weight_bytes: what the weights take as they are kept. Raises WeightsError unless every tensor is there, and no
    other, in the right shape.
    """

    def __init__(
        self,
        state: Mapping[str, Tensor],
        source: str,
        weight_type: WeightType = "default",
        channels: Sequence[int] = CHANNELS,
    ) -> None:
        kept, computed = number_types(state, weight_type)
        operations = comfy.ops.pick_operations(kept, computed, comfy.model_management.get_torch_device())
        self._resident = Resident(LatentSyncNet(operations, kept, channels), dtype=computed)
        self._resident.load(state, source=source, kind="the LatentSync UNet")
        self._one_by_one = False  # whether the device was found too small for two clips at once
        self.weight_bytes = comfy.utils.calculate_parameters(state) * comfy.model_management.dtype_size(kept)

    def peak_bytes(self, clips: int, frames: int, side: int) -> int:
        """Bytes of activations for that many clips (2 with guidance) of latents of that side."""
        numbers = _PEAK_PER_FRAME * clips * frames * side**2 / 32**2
        return int(numbers * comfy.model_management.dtype_size(self._resident.dtype))

    def most_frames(self, side: int) -> int:
        """Frames of latents of that side that fit into half of the memory that can be had: 16, or 8, 4, 2, 1.

        Fewer than 16 see less of the motion, so they are taken only where 16 do not fit. One clip at a time: guidance
        runs the two one after the other where memory is short.
        """
        room = obtainable_memory(self._resident.device) / 2  # the other half is for the weights
        frames = MOST_FRAMES
        while frames > 1 and self.peak_bytes(1, frames, side) > room:
            frames //= 2
        return frames

    def __call__(self, latents: Tensor, step: int, heard: Tensor) -> Tensor:
        """The predicted noise, float32 [b, 4, f, h, w] on the CPU.

        latents: float32 [b, 13, f, h, w]: noisy 4, mask 1 (1 = keep), masked face 4, reference face 4. step: 0-999.
        heard: float32 [b, f, 50, 384], audio windows. Takes one clip at a time from where memory once was too short.
        """
        return self.predict(latents, step, heard)[0]

    def caching(self, interval: int) -> DeepCache:
        """The same for the steps of one block of frames; of each `interval` steps, the first alone runs all layers."""
        return DeepCache(self, interval)

    def predict(self, latents: Tensor, step: int, heard: Tensor, deep: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The noise, and what the network's last layer was given [b, c, f, h, w], on the device.

        deep: what it was given at a step before (see `LatentSyncNet.forward`). The others: as above.
        """
        clips, _, frames, side, _ = latents.shape
        network = self._resident.ready(self.peak_bytes(1 if self._one_by_one else clips, frames, side))
        comfy.model_management.throw_exception_if_processing_interrupted()
        if clips == 1 or not self._one_by_one:
            try:
                return self._predict(network, latents, step, heard, deep)
            except Exception as error:  # raised again unless it is a reason to take one clip at a time
                if clips == 1 or not is_out_of_memory(error):
                    raise
                self._one_by_one = True
        each = [
            self._predict(network, latents[[clip]], step, heard[[clip]], None if deep is None else deep[[clip]])
            for clip in range(clips)
        ]
        return torch.cat([noise for noise, _ in each]), torch.cat([kept for _, kept in each])

    def _predict(
        self, network: LatentSyncNet, latents: Tensor, step: int, heard: Tensor, deep: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        device, dtype = self._resident.device, self._resident.dtype
        steps = torch.full((len(latents),), step, device=device)
        noise, deep = network(latents.to(device, dtype), steps, heard.flatten(0, 1).to(device, dtype), deep)
        return noise.to("cpu", torch.float32), deep


class DeepCache:
    """Predicts the noise in one block of frames, step after step. Between two steps that run all layers, only the first
    and the last one run, on what the deep ones gave before.

    Source: "DeepCache: Accelerating Diffusion Models for Free" (Ma et al., CVPR 2024), branch 0; LatentSync's
    scripts/inference.py has an interval of 3.
    """

    def __init__(self, unet: LatentSyncUNet, interval: int) -> None:
        self._unet = unet
        self._interval = interval
        self._step = 0
        self._deep: Tensor | None = None

    def __call__(self, latents: Tensor, step: int, heard: Tensor) -> Tensor:
        """As of `LatentSyncUNet`."""
        known = self._deep if self._step % self._interval else None
        noise, self._deep = self._unet.predict(latents, step, heard, known)
        self._step += 1
        return noise
