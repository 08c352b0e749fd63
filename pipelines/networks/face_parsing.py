"""BiSeNet: which part of a face each pixel belongs to.

Yu et al.: "BiSeNet: Bilateral Segmentation Network for Real-time Semantic Segmentation" (ECCV 2018) over a ResNet-18,
with the names and layers of 79999_iter.pth (zllrunning/face-parsing.PyTorch, MIT), trained on CelebAMask-HQ.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

from .residency import Resident

ops = comfy.ops.manual_cast

SIDE = 512
CLASSES = 19
# ImageNet's, as the network was trained.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

# The widest level of one picture: 64 channels at half the side, float32, four of them alive.
_BYTES_PER_PICTURE = 64 * (SIDE // 2) ** 2 * 4 * 4


class FaceParser:
    """The network with its weights, in ComfyUI's care."""

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        """state: of 79999_iter.pth. source: the file it came from. Raises WeightsError when it does not fit."""
        self._resident = Resident(BiSeNet())
        self._resident.load(state, source=source, kind="the BiSeNet face parser")

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> Tensor:
        """uint8 [n, 512, 512], 0-18, the classes of CelebAMask-HQ (1 skin, 10 nose, 11 mouth, 12 and 13 lips, 14 neck).

        rgb: float32 [n, h, w, 3], 0-1: square pictures with a face in the middle.
        """
        network = self._resident.ready(len(rgb) * _BYTES_PER_PICTURE)
        pixels = network_input(rgb.to(self._resident.device)).to(self._resident.dtype)
        return network(pixels).argmax(dim=1).to(torch.uint8).cpu()


def network_input(rgb: Tensor) -> Tensor:
    """float32 [n, 3, 512, 512], normalised, from float32 [n, h, w, 3], 0-1; scaled as PIL's BILINEAR scales."""
    scaled = functional.interpolate(rgb.permute(0, 3, 1, 2), (SIDE, SIDE), mode="bilinear", antialias=True)
    mean, std = (scaled.new_tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (scaled - mean) / std


class BiSeNet(nn.Module):
    """The network. Its two heads at lower resolutions serve training only; they are here so that the file fits."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = ContextPath()
        self.ffm = FeatureFusion(256, 256)
        self.conv_out = Head(256, 256)
        self.conv_out16 = Head(128, 64)
        self.conv_out32 = Head(128, 64)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [n, 19, H, W] from normalised pictures [n, 3, H, W]; H and W multiples of 32."""
        detail, context = self.cp(x)
        logits = self.conv_out(self.ffm(detail, context))
        return functional.interpolate(logits, x.shape[2:], mode="bilinear", align_corners=True)


class ContextPath(nn.Module):
    """A ResNet-18 whose last two levels are refined and brought back up to an eighth of the side."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = ResNet18()
        self.arm16 = AttentionRefinement(256, 128)
        self.arm32 = AttentionRefinement(512, 128)
        self.conv_head32 = ConvNormReLU(128, 128, 3)
        self.conv_head16 = ConvNormReLU(128, 128, 3)
        self.conv_avg = ConvNormReLU(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(detail, context) at an eighth of the side, 128 channels each."""
        eighth, sixteenth, last = self.resnet(x)
        refined = self.arm32(last) + self.conv_avg(last.mean(dim=(2, 3), keepdim=True))
        refined = self.conv_head32(functional.interpolate(refined, sixteenth.shape[2:], mode="nearest"))
        refined = self.arm16(sixteenth) + refined
        return eighth, self.conv_head16(functional.interpolate(refined, eighth.shape[2:], mode="nearest"))


class ResNet18(nn.Module):
    """He et al. 2015, without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ops.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = ops.BatchNorm2d(64)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at an eighth, a sixteenth and a thirty-second of the side."""
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer1(functional.max_pool2d(x, 3, stride=2, padding=1))
        eighth = self.layer2(x)
        sixteenth = self.layer3(eighth)
        return eighth, sixteenth, self.layer4(sixteenth)


class BasicBlock(nn.Module):
    """Two convolutions with a residual."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = ops.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = ops.BatchNorm2d(after)
        self.conv2 = ops.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = ops.BatchNorm2d(after)
        self.downsample: nn.Sequential | None = None
        if before != after or stride != 1:
            reduce = ops.Conv2d(before, after, 1, stride=stride, bias=False)
            self.downsample = nn.Sequential(reduce, ops.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        past = x if self.downsample is None else self.downsample(x)
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(past + self.bn2(self.conv2(x)))


class ConvNormReLU(nn.Module):
    """A convolution that keeps the side, normalised, then ReLU."""

    def __init__(self, before: int, after: int, side: int) -> None:
        super().__init__()
        self.conv = ops.Conv2d(before, after, side, padding=side // 2, bias=False)
        self.bn = ops.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class AttentionRefinement(nn.Module):
    """Weighs channels by what the whole picture shows."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = ConvNormReLU(before, after, 3)
        self.conv_atten = ops.Conv2d(after, after, 1, bias=False)
        self.bn_atten = ops.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        weight = self.bn_atten(self.conv_atten(x.mean(dim=(2, 3), keepdim=True)))
        return x * weight.sigmoid()


class FeatureFusion(nn.Module):
    """Joins detail and context, then weighs the channels."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.convblk = ConvNormReLU(before, after, 1)
        self.conv1 = ops.Conv2d(after, after // 4, 1, bias=False)
        self.conv2 = ops.Conv2d(after // 4, after, 1, bias=False)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        x = self.convblk(torch.cat([detail, context], dim=1))
        weight = self.conv2(functional.relu(self.conv1(x.mean(dim=(2, 3), keepdim=True))))
        return x + x * weight.sigmoid()


class Head(nn.Module):
    """Logits of the classes."""

    def __init__(self, before: int, inside: int) -> None:
        super().__init__()
        self.conv = ConvNormReLU(before, inside, 3)
        self.conv_out = ops.Conv2d(inside, CLASSES, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))
