"""S3FD, the face detector of MuseTalk's own preprocessing.

Zhang et al.: "S3FD: Single Shot Scale-invariant Face Detector" (ICCV 2017), with the names and layers of
s3fd-619a316812.pth (1adrianb/face-alignment, BSD-3): a VGG-16 whose last fully connected layers are convolutions, two
more levels, and a pair of convolutions on each of six levels.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

from .residency import Resident

ops = comfy.ops.manual_cast

# Subtracted from RGB as it stands. They are Caffe's means of B, G, R: MuseTalk gives the network RGB all the same
# (face_detection/detection/sfd/detect.py:60-64, api.py:71-75), and so do we, or its boxes would not be met.
MEANS = (104.0, 117.0, 123.0)

# Channels and convolutions of VGG-16's five levels.
_VGG = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
# The levels that look for faces, finest first, and their channels.
_HEADS = {"conv3_3_norm": 256, "conv4_3_norm": 512, "conv5_3_norm": 512, "fc7": 1024, "conv6_2": 512, "conv7_2": 256}
_STRIDES = (4, 8, 16, 32, 64, 128)
# A cell's anchor is a square of this many strides, and its offsets are counted in these parts of it.
_ANCHOR, _CENTRE_PART, _SIZE_PART = 4, 0.1, 0.2

# The first level dominates: 64 channels at full size, float32, three of them alive.
_BYTES_PER_PIXEL = 64 * 4 * 3
# Pixels that go through the network at once, where that is faster; on a CPU larger batches leave its caches.
_BATCH_PIXELS = 16 * 640 * 640

# px; the pooling leaves nothing of a smaller picture.
_SMALLEST = 32

# Of one level: what each cell says of "no face" and "face" [n, 2, h, w], and where its box is [n, 4, h, w].
Level = tuple[Tensor, Tensor]


class S3FDDetector:
    """The network with its weights, in ComfyUI's care."""

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        """state: of s3fd-619a316812.pth. source: the file it came from. Raises WeightsError when it does not fit."""
        self._resident = Resident(S3FD())
        self._resident.load(state, source=source, kind="the S3FD face detector")

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """The best face in each of the pictures [n, h, w, 3], RGB 0-255, of any dtype.

        Returns boxes: float32 [n, 4] xyxy, px, which may reach beyond the picture. scores: float32 [n], 0-1.
        """
        on_cpu = self._resident.device.type == "cpu"
        count = 1 if on_cpu else max(1, _BATCH_PIXELS // (rgb.shape[1] * rgb.shape[2]))
        boxes, scores = zip(*(self._best(batch) for batch in rgb.split(count)), strict=True)
        return torch.cat(boxes), torch.cat(scores)

    def _best(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        network = self._resident.ready(rgb[..., 0].numel() * _BYTES_PER_PIXEL)
        pixels = rgb.to(self._resident.device, self._resident.dtype).permute(0, 3, 1, 2)
        # Channels come last in memory, as they do in `rgb`: a quarter faster on a CPU.
        pixels = pixels - pixels.new_tensor(MEANS).view(1, 3, 1, 1)
        height, width = pixels.shape[2:]
        if min(height, width) < _SMALLEST:
            pixels = functional.pad(pixels, (0, max(0, _SMALLEST - width), 0, max(0, _SMALLEST - height)))
        boxes, scores = best_boxes(network(pixels))
        return boxes.float().cpu(), scores.float().cpu()


def best_boxes(levels: list[Level]) -> tuple[Tensor, Tensor]:
    """The box [n, 4] xyxy px and the score [n] of the cell that is surest of a face.

    The reference decodes every cell above 0.05, drops boxes that overlap better ones, and takes the first. That is this
    cell: nothing is better, so nothing drops it.
    """
    scores = torch.cat([logits.softmax(dim=1)[:, 1].flatten(1) for logits, _ in levels], dim=1)
    offsets = torch.cat([offset.flatten(2) for _, offset in levels], dim=2)
    anchors = torch.cat([_anchors(offset, stride) for (_, offset), stride in zip(levels, _STRIDES, strict=True)])
    best, cell = scores.max(dim=1)
    offset = offsets[torch.arange(len(cell), device=cell.device), :, cell]
    centre, side = anchors[cell].split((2, 1), dim=1)
    centre = centre + offset[:, :2] * _CENTRE_PART * side
    half = side / 2 * (offset[:, 2:] * _SIZE_PART).exp()
    return torch.cat([centre - half, centre + half], dim=1), best


def _anchors(offset: Tensor, stride: int) -> Tensor:
    """x, y and side of every cell's anchor, [h * w, 3] px."""
    rows, columns = (torch.arange(size, device=offset.device, dtype=offset.dtype) for size in offset.shape[2:])
    y, x = torch.meshgrid((rows + 0.5) * stride, (columns + 0.5) * stride, indexing="ij")
    return torch.stack([x, y, torch.full_like(x, _ANCHOR * stride)], dim=2).flatten(0, 1)


class S3FD(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        before = 3
        for level, (width, count) in enumerate(_VGG, start=1):
            for number in range(1, count + 1):
                self.add_module(f"conv{level}_{number}", ops.Conv2d(before, width, 3, padding=1))
                before = width
        self.fc6 = ops.Conv2d(512, 1024, 3, padding=3)
        self.fc7 = ops.Conv2d(1024, 1024, 1)
        self.conv6_1 = ops.Conv2d(1024, 256, 1)
        self.conv6_2 = ops.Conv2d(256, 512, 3, stride=2, padding=1)
        self.conv7_1 = ops.Conv2d(512, 128, 1)
        self.conv7_2 = ops.Conv2d(128, 256, 3, stride=2, padding=1)
        self.conv3_3_norm, self.conv4_3_norm, self.conv5_3_norm = ChannelNorm(256), ChannelNorm(512), ChannelNorm(512)
        for number, (name, width) in enumerate(_HEADS.items()):
            self.add_module(f"{name}_mbox_conf", ops.Conv2d(width, 2 if number else 4, 3, padding=1))
            self.add_module(f"{name}_mbox_loc", ops.Conv2d(width, 4, 3, padding=1))

    def forward(self, pixels: Tensor) -> list[Level]:
        """Six levels, strides 4 to 128, from pictures [n, 3, H, W] less `MEANS`."""
        heads = zip(_HEADS, self._features(pixels), strict=True)
        levels = [(self._layer(f"{name}_mbox_conf", x), self._layer(f"{name}_mbox_loc", x)) for name, x in heads]
        logits, offsets = levels[0]
        # The finest level has three kinds of "no face"; the surest one counts.
        background = logits[:, :3].amax(dim=1, keepdim=True)
        return [(torch.cat([background, logits[:, 3:]], dim=1), offsets), *levels[1:]]

    def _features(self, x: Tensor) -> list[Tensor]:
        found = []
        for level, (_, count) in enumerate(_VGG, start=1):
            for number in range(1, count + 1):
                x = functional.relu(self._layer(f"conv{level}_{number}", x), inplace=True)
            if count == 3:  # the levels of three convolutions are searched
                found.append(self._layer(f"conv{level}_3_norm", x))
            x = functional.max_pool2d(x, 2)
        x = functional.relu(self.fc7(functional.relu(self.fc6(x))))
        sixth = functional.relu(self.conv6_2(functional.relu(self.conv6_1(x))))
        seventh = functional.relu(self.conv7_2(functional.relu(self.conv7_1(sixth))))
        return [*found, x, sixth, seventh]

    def _layer(self, name: str, x: Tensor) -> Tensor:
        layer: Tensor = self.get_submodule(name)(x)
        return layer


class ChannelNorm(nn.Module):
    """Scales the channels of each pixel to length 1, then each channel by its own weight."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor) -> Tensor:
        length = x.square().sum(dim=1, keepdim=True).sqrt() + 1e-10
        return x / length * self.weight.to(x).view(1, -1, 1, 1)
