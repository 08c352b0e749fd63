"""RTMPose-l for whole bodies: the landmarks of MuseTalk's own preprocessing, which calls it DWPose.

Jiang et al.: "RTMPose: Real-Time Multi-Person Pose Estimation based on MMPose" (2023), with the names and layers of
dw-ll_ucoco_384.pth (IDEA-Research/DWPose, Apache-2.0): a CSPNeXt-L backbone (RTMDet, 2022) and a head that says, for
each of 133 points, which column and which row of the picture it is in (SimCC). MMPose is not needed.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

from .residency import Resident

ops = comfy.ops.manual_cast

# px of the network's pictures.
WIDTH, HEIGHT = 288, 384
# ImageNet's, of RGB 0-255, as the network was trained.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)

# COCO-WholeBody's points; those of the face are the 68 of iBUG.
_POINTS, _FACE = 133, slice(23, 91)
# Columns and rows that are told apart in each pixel.
_FINER = 2

# Which point of the face each one becomes in a mirror: jaw, brows, bridge and base of the nose, eyes, outer and inner
# lips.
MIRRORED = (
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
)  # fmt: skip

# Channels and blocks of the backbone's four stages.
_STAGES = ((128, 3), (256, 6), (512, 6), (1024, 3))

# Pictures that go through the network at once, each with its mirror image.
_BATCH = 8
# Activations of a picture and its mirror image, in bytes: 64 channels at half the side, float32, five of them alive.
_BYTES_PER_PICTURE = 2 * 64 * (WIDTH // 2) * (HEIGHT // 2) * 4 * 5


class DWPose:
    """The network with its weights, in ComfyUI's care; of the body it reports the face."""

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        """state: of dw-ll_ucoco_384.pth. source: the file it came from. Raises WeightsError when it does not fit."""
        self._resident = Resident(RTMPose())
        self._resident.load(state, source=source, kind="the DWPose landmark model")

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> Tensor:
        """float32 [n, 68, 2]: x and y in px, to half a pixel, of the face in pictures [n, 384, 288, 3], RGB 0-255."""
        return torch.cat([self._points(batch) for batch in rgb.split(_BATCH)])

    def _points(self, rgb: Tensor) -> Tensor:
        network = self._resident.ready(len(rgb) * _BYTES_PER_PICTURE)
        pixels = network_input(rgb.to(self._resident.device)).to(self._resident.dtype)
        columns, rows = network(torch.cat([pixels, pixels.flip(3)]))
        return face_points(columns, rows).cpu()


def network_input(rgb: Tensor) -> Tensor:
    """[n, 3, h, w], normalised, from pictures [n, h, w, 3], RGB 0-255."""
    mean, std = (torch.tensor(values, device=rgb.device).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (rgb.permute(0, 3, 1, 2) - mean) / std


def face_points(columns: Tensor, rows: Tensor) -> Tensor:
    """float32 [n, 68, 2] px, x and y: where what is said of pictures and of their mirror images is highest on average.

    columns, rows: what `RTMPose` says of n pictures, then of their n mirror images. A point that nothing speaks for
    (in either direction) is put at -1, as MMPose does.
    """
    mirrored = torch.tensor(MIRRORED, device=columns.device)
    (columns, columns_back), (rows, rows_back) = (part[:, _FACE].float().chunk(2) for part in (columns, rows))
    x = ((columns + columns_back[:, mirrored].flip(2)) / 2).max(dim=2)
    y = ((rows + rows_back[:, mirrored]) / 2).max(dim=2)
    places = torch.stack([x.indices, y.indices], dim=2).float()
    places[torch.minimum(x.values, y.values) <= 0] = -1
    return places / _FINER


class RTMPose(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = CSPNeXt()
        self.head = SimCCHead(_STAGES[-1][0])

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """How much speaks for each column [n, 133, 576] and row [n, 133, 768], from normalised [n, 3, 384, 288]."""
        columns, rows = self.head(self.backbone(pixels))
        return columns, rows


class CSPNeXt(nn.Module):
    """The backbone: a stem and four stages, each of which halves the side."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvNorm(3, 32, 3, stride=2), ConvNorm(32, 32, 3), ConvNorm(32, 64, 3))
        before = 64
        for number, (width, blocks) in enumerate(_STAGES, start=1):
            last = number == len(_STAGES)
            pooled = [PyramidPooling(width)] if last else []
            split = CrossStage(width, blocks, residual=not last)
            self.add_module(f"stage{number}", nn.Sequential(ConvNorm(before, width, 3, stride=2), *pooled, split))
            before = width

    def forward(self, x: Tensor) -> Tensor:
        """[n, 1024, H / 32, W / 32]."""
        for stage in self.children():
            x = stage(x)
        return x


class ConvNorm(nn.Module):
    """A convolution that keeps the side or halves it, normalised, then SiLU."""

    def __init__(self, before: int, after: int, side: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = ops.Conv2d(before, after, side, stride=stride, padding=side // 2, groups=groups, bias=False)
        self.bn = ops.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        return functional.silu(self.bn(self.conv(x)), inplace=True)


class PyramidPooling(nn.Module):
    """Joins what is there with the highest values around it, at three ranges."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, width // 2, 1)
        self.conv2 = ConvNorm(2 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        pooled = [functional.max_pool2d(x, side, stride=1, padding=side // 2) for side in (5, 9, 13)]
        return self.conv2(torch.cat([x, *pooled], dim=1))


class CrossStage(nn.Module):
    """Half of the channels go through blocks, half go past them; then all are weighed by what the picture shows."""

    def __init__(self, width: int, blocks: int, residual: bool) -> None:
        super().__init__()
        half = width // 2
        self.main_conv = ConvNorm(width, half, 1)
        self.short_conv = ConvNorm(width, half, 1)
        self.final_conv = ConvNorm(width, width, 1)
        self.blocks = nn.Sequential(*(Block(half, residual) for _ in range(blocks)))
        self.attention = ChannelAttention(width)

    def forward(self, x: Tensor) -> Tensor:
        joined = torch.cat([self.blocks(self.main_conv(x)), self.short_conv(x)], dim=1)
        return self.final_conv(self.attention(joined))


class Block(nn.Module):
    """A convolution, then a wide one channel by channel, with a residual if wanted."""

    def __init__(self, width: int, residual: bool) -> None:
        super().__init__()
        self.conv1 = ConvNorm(width, width, 3)
        self.conv2 = DepthwiseSeparable(width)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.conv2(self.conv1(x))
        return changed + x if self.residual else changed


class DepthwiseSeparable(nn.Module):
    """A convolution channel by channel, then one across channels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise_conv = ConvNorm(width, width, 5, groups=width)
        self.pointwise_conv = ConvNorm(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pointwise_conv(self.depthwise_conv(x))


class ChannelAttention(nn.Module):
    """Weighs channels by their means over the whole picture."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc = ops.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return x * functional.hardsigmoid(self.fc(x.mean(dim=(2, 3), keepdim=True)))


class SimCCHead(nn.Module):
    """From features to columns and rows, through one gated attention unit across the points."""

    def __init__(self, before: int, width: int = 256) -> None:
        super().__init__()
        self.final_layer = ops.Conv2d(before, _POINTS, 7, padding=3)
        cells = (WIDTH // 32) * (HEIGHT // 32)
        self.mlp = nn.Sequential(ScaleNorm(cells), ops.Linear(cells, width, bias=False))
        self.gau = GatedAttention(width)
        self.cls_x = ops.Linear(width, WIDTH * _FINER, bias=False)
        self.cls_y = ops.Linear(width, HEIGHT * _FINER, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[n, 133, 576] and [n, 133, 768]."""
        x = self.gau(self.mlp(self.final_layer(x).flatten(2)))
        return self.cls_x(x), self.cls_y(x)


class GatedAttention(nn.Module):
    """Hua et al.: "Transformer Quality in Linear Time" (ICML 2022): attention by the square of ReLU, under a gate."""

    def __init__(self, width: int, inside: int = 128) -> None:
        super().__init__()
        self.parts = (2 * width, 2 * width, inside)
        self.ln = ScaleNorm(width)
        self.uv = ops.Linear(width, sum(self.parts), bias=False)
        self.o = ops.Linear(2 * width, width, bias=False)
        self.gamma = nn.Parameter(torch.empty(2, inside))
        self.beta = nn.Parameter(torch.empty(2, inside))
        self.res_scale = Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        gate, values, base = functional.silu(self.uv(self.ln(x))).split(self.parts, dim=2)
        queries, keys = (base[:, :, None] * self.gamma.to(x) + self.beta.to(x)).unbind(dim=2)
        weights = functional.relu(queries @ keys.transpose(1, 2) / self.parts[2] ** 0.5).square()
        return self.res_scale(x) + self.o(gate * (weights @ values))


class ScaleNorm(nn.Module):
    """Scales vectors of `width` numbers to a root mean square of g."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.empty(1))
        self.scale = width**-0.5

    def forward(self, x: Tensor) -> Tensor:
        return x / (x.norm(dim=2, keepdim=True) * self.scale).clamp(min=1e-5) * self.g.to(x)


class Scale(nn.Module):
    """A factor for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale.to(x)
