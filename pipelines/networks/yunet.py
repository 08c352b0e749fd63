"""YuNet, a face detector of 75 thousand parameters: boxes, five points and scores.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector" (Machine Intelligence Research, 2023). The layers are
those of face_detection_yunet_2023mar.onnx (OpenCV zoo, MIT); the decoding is OpenCV's, modules/objdetect/src/
face_detect.cpp.
"""

from __future__ import annotations

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

ops = comfy.ops.manual_cast

STRIDES = (8, 16, 32)
# The picture must divide into the cells of the coarsest level.
MULTIPLE = STRIDES[-1]

# What one cell of a level says: class score, box, object score, five points.
_PARTS = (1, 4, 1, 10)


class Unit(nn.Module):
    """A pointwise, then a depthwise convolution, then ReLU if wanted."""

    def __init__(self, before: int, after: int, relu: bool = True) -> None:
        super().__init__()
        self.pointwise = ops.Conv2d(before, after, 1)
        self.depthwise = ops.Conv2d(after, after, 3, padding=1, groups=after)
        self.relu = relu

    def forward(self, x: Tensor) -> Tensor:
        x = self.depthwise(self.pointwise(x))
        return functional.relu(x) if self.relu else x


class YuNet(nn.Module):
    """The network: a backbone that halves five times, a feature pyramid, one head for each of the three levels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ops.Conv2d(3, 16, 3, stride=2, padding=1)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(Unit(16, 16)),
                nn.Sequential(Unit(16, 16), Unit(16, 32), Unit(32, 32), Unit(32, 64)),
                nn.Sequential(Unit(64, 64), Unit(64, 64)),
                nn.Sequential(Unit(64, 64), Unit(64, 64)),
                nn.Sequential(Unit(64, 64), Unit(64, 64)),
            ]
        )
        self.laterals = nn.ModuleList(Unit(64, 64) for _ in STRIDES)
        self.heads = nn.ModuleList(Unit(64, sum(_PARTS), relu=False) for _ in STRIDES)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """All cells of all levels as (boxes, points, scores).

        rgb: float [n, 3, H, W], 0-255; H and W multiples of 32.
        boxes: [n, cells, 4] xyxy px. points: [n, cells, 5, 2] px: the eye on the left of the picture, the other eye,
        nose tip, mouth corner on the left, the other one. scores: [n, cells], 0-1.
        """
        levels = [
            _decode(head(x), stride) for head, x, stride in zip(self.heads, self._pyramid(rgb), STRIDES, strict=True)
        ]
        boxes, points, scores = (torch.cat(parts, dim=1) for parts in zip(*levels, strict=True))
        return boxes, points, scores

    def _pyramid(self, rgb: Tensor) -> list[Tensor]:
        """Features at strides 8, 16 and 32, each mixed with the coarser ones."""
        x = functional.relu(self.stem(rgb))
        features = []
        for index, stage in enumerate(self.stages):
            x = stage(x if index == 0 else functional.max_pool2d(x, 2))
            features.append(x)
        mixed: list[Tensor] = []
        for lateral, feature in zip(reversed(self.laterals), reversed(features[-len(STRIDES) :]), strict=True):
            coarser = functional.interpolate(mixed[0], scale_factor=2, mode="nearest") if mixed else 0
            mixed.insert(0, lateral(feature + coarser))
        return mixed


def _decode(cells: Tensor, stride: int) -> tuple[Tensor, Tensor, Tensor]:
    """Raw head output [n, 16, rows, columns] of one level as boxes, points and scores (see `YuNet.forward`)."""
    rows, columns = cells.shape[2:]
    y, x = torch.meshgrid(
        torch.arange(rows, device=cells.device, dtype=cells.dtype),
        torch.arange(columns, device=cells.device, dtype=cells.dtype),
        indexing="ij",
    )
    corner = torch.stack([x, y], dim=-1).reshape(rows * columns, 2)
    classes, box, objects, points = cells.flatten(2).transpose(1, 2).split(_PARTS, dim=2)
    centre = (box[..., :2] + corner) * stride
    half = box[..., 2:].exp() * (stride / 2)
    scores = (classes.sigmoid() * objects.sigmoid()).sqrt()
    return (
        torch.cat([centre - half, centre + half], dim=-1),
        (points.unflatten(2, (5, 2)) + corner[:, None]) * stride,
        scores.squeeze(2),
    )
