"""LatentSync's UNet (1.5 and 1.6 are the same network): noise to predict in a block of frames, by what is heard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import torch
from comfy.ldm.modules.diffusionmodules.util import timestep_embedding
from torch import Tensor, nn
from torch.nn import functional

from .latentsync_layers import (
    GROUPS,
    Downsampler,
    MotionModule,
    Operations,
    Resnet,
    SpatialTransformer,
    Upsampler,
    each_frame,
)

CHANNELS = (320, 640, 1280, 1280)  # as released; narrower ones are for tests
IN_CHANNELS = 13  # noise 4, mask 1, masked face 4, reference face 4
OUT_CHANNELS = 4
HEARD_WIDTH = 384
LAYERS = 2  # of a level on the way down; one more on the way up


class Level(nn.Module):
    """One resolution: layers of (resnet, attention if any, motion), then a change of size if any."""

    def __init__(
        self,
        widths: Sequence[tuple[int, int]],
        embedded: int,
        attends: bool,
        resampler: type[Downsampler] | type[Upsampler] | None,
        operations: Operations,
        dtype: torch.dtype,
    ) -> None:
        """widths: (before, after) of each layer."""
        super().__init__()
        width = widths[-1][1]
        self.resnets = nn.ModuleList([Resnet(before, after, embedded, operations, dtype) for before, after in widths])
        if attends:
            self.attentions = nn.ModuleList([SpatialTransformer(width, HEARD_WIDTH, operations, dtype) for _ in widths])
        self.motion_modules = nn.ModuleList([MotionModule(width, operations, dtype) for _ in widths])
        if resampler is not None:
            name = "downsamplers" if resampler is Downsampler else "upsamplers"
            self.add_module(name, nn.ModuleList([resampler(width, operations, dtype)]))

    def layer(self, number: int, clip: Tensor, step: Tensor, heard: Tensor) -> Tensor:
        """[b, c, f, h, w]"""
        clip = self.resnets[number](clip, step)
        if hasattr(self, "attentions"):
            clip = self.attentions[number](clip, heard)
        return self.motion_modules[number](clip)


class Middle(nn.Module):
    """The lowest resolution: without attention over time."""

    def __init__(self, width: int, embedded: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(width, width, embedded, operations, dtype) for _ in range(2)])
        self.attentions = nn.ModuleList([SpatialTransformer(width, HEARD_WIDTH, operations, dtype)])

    def forward(self, clip: Tensor, step: Tensor, heard: Tensor) -> Tensor:
        """[b, c, f, h, w]"""
        clip = self.attentions[0](self.resnets[0](clip, step), heard)
        return self.resnets[1](clip, step)


class TimeEmbedding(nn.Module):
    """The step of the diffusion as a vector."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self._width = width
        self.linear_1 = operations.Linear(width, 4 * width, dtype=dtype)
        self.linear_2 = operations.Linear(4 * width, 4 * width, dtype=dtype)

    def forward(self, step: Tensor, dtype: torch.dtype) -> Tensor:
        """[b, 4 * width] of steps [b]"""
        waves = timestep_embedding(step, self._width).to(dtype)
        return self.linear_2(functional.silu(self.linear_1(waves)))


class LatentSyncNet(nn.Module):
    """Stable Diffusion 1's UNet over clips, with 13 channels in. Source: configs/unet/stage2.yaml, unet.py."""

    def __init__(
        self, operations: Operations, dtype: torch.dtype = torch.float32, channels: Sequence[int] = CHANNELS
    ) -> None:
        super().__init__()
        embedded, made = 4 * channels[0], (operations, dtype)
        self.conv_in = operations.Conv2d(IN_CHANNELS, channels[0], 3, padding=1, dtype=dtype)
        self.time_embedding = TimeEmbedding(channels[0], *made)
        self.down_blocks = nn.ModuleList()
        skips, before, last = [channels[0]], channels[0], len(channels) - 1
        for number, width in enumerate(channels):
            widths = [(before, width), *[(width, width)] * (LAYERS - 1)]
            smaller = Downsampler if number < last else None
            self.down_blocks.append(Level(widths, embedded, number < last, smaller, *made))
            skips += [width] * (LAYERS + (number < last))
            before = width
        self.mid_block = Middle(before, embedded, *made)
        self.up_blocks = nn.ModuleList()
        for number, width in enumerate(reversed(channels)):
            widths = []
            for _ in range(LAYERS + 1):
                widths.append((before + skips.pop(), width))
                before = width
            larger = Upsampler if number < last else None
            self.up_blocks.append(Level(widths, embedded, number > 0, larger, *made))
        self.conv_norm_out = operations.GroupNorm(GROUPS, channels[0], eps=1e-5, dtype=dtype)
        self.conv_out = operations.Conv2d(channels[0], OUT_CHANNELS, 3, padding=1, dtype=dtype)

    def forward(
        self, latents: Tensor, step: Tensor, heard: Tensor, deep: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The predicted noise [b, 4, f, h, w], and what its last layer was given [b, c, f, h, w].

        latents: [b, 13, f, h, w], f at most 24. step: [b], 0-999. heard: [b * f, 50, 384], the frames of one batch item
        after the other. deep: what the last layer was given at a step before; all layers but the first and the last are
        left out then.
        """
        embedded = self.time_embedding(step, latents.dtype)
        first = each_frame(self.conv_in, latents)
        if deep is None:
            deep = self._deep(first, embedded, heard)
        last = cast(Level, self.up_blocks[-1])
        clip = last.layer(LAYERS, torch.cat([deep, first], dim=1), embedded, heard)
        return each_frame(self.conv_out, functional.silu(self.conv_norm_out(clip))), deep

    def _deep(self, clip: Tensor, embedded: Tensor, heard: Tensor) -> Tensor:
        """From the first layer to the one before the last: [b, c, f, h, w]."""
        skips = []
        for level in cast(Iterable[Level], self.down_blocks):
            for number in range(len(level.resnets)):
                clip = level.layer(number, clip, embedded, heard)
                skips.append(clip)
            for downsampler in getattr(level, "downsamplers", ()):
                clip = downsampler(clip)
                skips.append(clip)
        clip = self.mid_block(clip, embedded, heard)
        for level in cast(Iterable[Level], self.up_blocks):
            for number in range(min(len(level.resnets), len(skips))):  # the very last layer is not among the deep ones
                clip = level.layer(number, torch.cat([clip, skips.pop()], dim=1), embedded, heard)
            for upsampler in getattr(level, "upsamplers", ()):
                clip = upsampler(clip)
        return clip
