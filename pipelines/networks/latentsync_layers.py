"""The layers of LatentSync's UNet: Stable Diffusion 1's on each frame, and attention over time after them.

A clip is [b, c, f, h, w]: batch, channels, frames, height, width. Modules are named as the released checkpoint names
their tensors. operations: a `comfy.ops` class; dtype: what the weights are kept in.
Source: latentsync/models of bytedance/LatentSync@a229c39; diffusers' UNetMotionModel normalises other things together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import torch
from comfy.ldm.modules.attention import optimized_attention
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional

HEADS = 8  # everywhere; the config's attention_head_dim
GROUPS = 32
MOST_FRAMES = 24  # that have a place in time

Operations = Any  # a class of `comfy.ops`, whose layers load and cast as ComfyUI's model management wants


def each_frame(layer: Callable[[Tensor], Tensor], clip: Tensor) -> Tensor:
    """A layer for pictures [n, c, h, w], on every frame of a clip."""
    pictures = layer(rearrange(clip, "b c f h w -> (b f) c h w"))
    return rearrange(pictures, "(b f) c h w -> b c f h w", b=len(clip))


class Resnet(nn.Module):
    """Two convolutions with the time step in between. Its norms take all frames of the clip together."""

    def __init__(self, before: int, after: int, embedded: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm1 = operations.GroupNorm(GROUPS, before, eps=1e-5, dtype=dtype)
        self.conv1 = operations.Conv2d(before, after, 3, padding=1, dtype=dtype)
        self.time_emb_proj = operations.Linear(embedded, after, dtype=dtype)
        self.norm2 = operations.GroupNorm(GROUPS, after, eps=1e-5, dtype=dtype)
        self.conv2 = operations.Conv2d(after, after, 3, padding=1, dtype=dtype)
        if before != after:
            self.conv_shortcut = operations.Conv2d(before, after, 1, dtype=dtype)

    def forward(self, clip: Tensor, step: Tensor) -> Tensor:
        """clip: [b, before, f, h, w]. step: [b, embedded]. Gives [b, after, f, h, w]."""
        hidden = each_frame(self.conv1, functional.silu(self.norm1(clip)))
        hidden = hidden + self.time_emb_proj(functional.silu(step))[:, :, None, None, None]
        hidden = each_frame(self.conv2, functional.silu(self.norm2(hidden)))
        return hidden + (each_frame(self.conv_shortcut, clip) if hasattr(self, "conv_shortcut") else clip)


class Attention(nn.Module):
    """Multi-head attention of rows [n, k, width] to rows [n, m, source]."""

    def __init__(self, width: int, source: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.to_q = operations.Linear(width, width, bias=False, dtype=dtype)
        self.to_k = operations.Linear(source, width, bias=False, dtype=dtype)
        self.to_v = operations.Linear(source, width, bias=False, dtype=dtype)
        self.to_out = nn.ModuleList([operations.Linear(width, width, dtype=dtype)])

    def forward(self, rows: Tensor, source: Tensor) -> Tensor:
        """[n, k, width]"""
        return self.to_out[0](optimized_attention(self.to_q(rows), self.to_k(source), self.to_v(source), HEADS))


class GatedLinear(nn.Module):
    """GEGLU: half of the output gates the other half."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.proj = operations.Linear(width, 8 * width, dtype=dtype)

    def forward(self, rows: Tensor) -> Tensor:
        """[n, k, 4 * width] of [n, k, width]"""
        values, gates = self.proj(rows).chunk(2, dim=-1)
        return values * functional.gelu(gates)


class FeedForward(nn.Module):
    """Of each row by itself."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        unused = nn.Identity()  # dropout in training
        last = operations.Linear(4 * width, width, dtype=dtype)
        self.net = nn.Sequential(GatedLinear(width, operations, dtype), unused, last)

    def forward(self, rows: Tensor) -> Tensor:
        """[n, k, width]"""
        return self.net(rows)


class SpatialBlock(nn.Module):
    """Attention of the pixels of a frame to each other and to what is heard."""

    def __init__(self, width: int, heard: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (operations.LayerNorm(width, dtype=dtype) for _ in range(3))
        self.attn1 = Attention(width, width, operations, dtype)
        self.attn2 = Attention(width, heard, operations, dtype)
        self.ff = FeedForward(width, operations, dtype)

    def forward(self, rows: Tensor, heard: Tensor) -> Tensor:
        """rows: [n, pixels, width]. heard: [n, windows, heard]."""
        normed = self.norm1(rows)
        rows = rows + self.attn1(normed, normed)
        rows = rows + self.attn2(self.norm2(rows), heard)
        return rows + self.ff(self.norm3(rows))


class SpatialTransformer(nn.Module):
    """`SpatialBlock` on every frame; its norm takes each frame by itself."""

    def __init__(self, width: int, heard: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm = operations.GroupNorm(GROUPS, width, eps=1e-6, dtype=dtype)
        self.proj_in = operations.Conv2d(width, width, 1, dtype=dtype)
        self.transformer_blocks = nn.ModuleList([SpatialBlock(width, heard, operations, dtype)])
        self.proj_out = operations.Conv2d(width, width, 1, dtype=dtype)

    def forward(self, clip: Tensor, heard: Tensor) -> Tensor:
        """clip: [b, width, f, h, w]. heard: [b * f, windows, heard], the frames of one batch item after the other."""
        pictures = rearrange(clip, "b c f h w -> (b f) c h w")
        height = pictures.shape[2]
        rows = rearrange(self.proj_in(self.norm(pictures)), "n c h w -> n (h w) c").contiguous()
        rows = self.transformer_blocks[0](rows, heard)
        pictures = pictures + self.proj_out(rearrange(rows, "n (h w) c -> n c h w", h=height).contiguous())
        return rearrange(pictures, "(b f) c h w -> b c f h w", b=len(clip))


class Places(nn.Module):
    """Where a frame stands in its block: sinusoids, which come with the checkpoint."""

    pe: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("pe", torch.zeros(1, MOST_FRAMES, width))

    def forward(self, rows: Tensor) -> Tensor:
        """rows [n, f, width] with their places added."""
        return rows + self.pe[:, : rows.shape[1]].to(rows)


class TimeAttention(Attention):
    """Attention of the frames at one pixel to each other."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__(width, width, operations, dtype)
        self.pos_encoder = Places(width)


class TimeBlock(nn.Module):
    """Two attentions over time."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.attention_blocks = nn.ModuleList([TimeAttention(width, operations, dtype) for _ in range(2)])
        self.norms = nn.ModuleList([operations.LayerNorm(width, dtype=dtype) for _ in range(2)])
        self.ff = FeedForward(width, operations, dtype)
        self.ff_norm = operations.LayerNorm(width, dtype=dtype)

    def forward(self, rows: Tensor) -> Tensor:
        """[n, f, width]"""
        attentions = cast(Iterable[TimeAttention], self.attention_blocks)
        for attention, norm in zip(attentions, self.norms, strict=True):
            placed = attention.pos_encoder(norm(rows))
            rows = rows + attention(placed, placed)
        return rows + self.ff(self.ff_norm(rows))


class TimeTransformer(nn.Module):
    """`TimeBlock` at every pixel; its norm takes each frame by itself."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.norm = operations.GroupNorm(GROUPS, width, eps=1e-6, dtype=dtype)
        self.proj_in = operations.Linear(width, width, dtype=dtype)
        self.transformer_blocks = nn.ModuleList([TimeBlock(width, operations, dtype)])
        self.proj_out = operations.Linear(width, width, dtype=dtype)

    def forward(self, clip: Tensor) -> Tensor:
        """[b, width, f, h, w]"""
        batch, _, _, height, width = clip.shape
        rows = rearrange(each_frame(self.norm, clip), "b c f h w -> (b h w) f c").contiguous()
        rows = self.proj_out(self.transformer_blocks[0](self.proj_in(rows)))
        return clip + rearrange(rows, "(b h w) f c -> b c f h w", b=batch, h=height, w=width)


class MotionModule(nn.Module):
    """A `TimeTransformer` under the name that the checkpoint gives it."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.temporal_transformer = TimeTransformer(width, operations, dtype)

    def forward(self, clip: Tensor) -> Tensor:
        """[b, width, f, h, w]"""
        return self.temporal_transformer(clip)


class Downsampler(nn.Module):
    """Half the size."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.conv = operations.Conv2d(width, width, 3, stride=2, padding=1, dtype=dtype)

    def forward(self, clip: Tensor) -> Tensor:
        """[b, width, f, h / 2, w / 2]"""
        return each_frame(self.conv, clip)


class Upsampler(nn.Module):
    """Twice the size."""

    def __init__(self, width: int, operations: Operations, dtype: torch.dtype) -> None:
        super().__init__()
        self.conv = operations.Conv2d(width, width, 3, padding=1, dtype=dtype)

    def forward(self, clip: Tensor) -> Tensor:
        """[b, width, f, 2 h, 2 w]"""
        return each_frame(self._enlarged, clip)

    def _enlarged(self, pictures: Tensor) -> Tensor:
        # Not of a clip: PyTorch before 2.9 has no such kernel for MPS.
        return self.conv(functional.interpolate(pictures, scale_factor=2.0, mode="nearest"))
