"""The face mesh of MediaPipe's Face Landmarker v2: 478 points on a face that fills a 256 x 256 picture.

The layers are those of face_landmarks_detector.tflite in face_landmarker_v2_with_blendshapes.task (Google, Apache-2.0).
Plain `torch.nn`: 1.2 million parameters are not worth loading in parts.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

SIDE = 256
POINTS = 478

# (channels, channels inside the blocks, blocks) of each resolution from 128 x 128 down to 2 x 2.
_STAGES = ((16, 8, 4), (32, 16, 5), (64, 32, 5), (128, 64, 5), (128, 64, 5), (128, 64, 5), (128, 64, 5))


class Block(nn.Module):
    """A bottleneck with a residual; the first block of a stage halves the picture and may widen the channels."""

    def __init__(self, before: int, after: int, inside: int, halve: bool) -> None:
        super().__init__()
        step = 2 if halve else 1
        self.reduce = nn.Conv2d(before, inside, step, stride=step)
        self.reduce_slope = nn.PReLU(inside)
        self.depthwise = nn.Conv2d(inside, inside, 3, padding=1, groups=inside, bias=False)
        self.expand = nn.Conv2d(inside, after, 1)
        self.slope = nn.PReLU(after)
        self.step = step
        self.widen = after - before

    def forward(self, x: Tensor) -> Tensor:
        inside = self.depthwise(self.reduce_slope(self.reduce(x)))
        past = functional.max_pool2d(x, self.step) if self.step > 1 else x
        if self.widen:
            past = functional.pad(past, (0, 0, 0, 0, 0, self.widen))
        return self.slope(past + self.expand(inside))


class FaceMesh(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        before = _STAGES[0][0]
        self.stem = nn.Conv2d(3, before, 3, stride=2)
        self.stem_slope = nn.PReLU(before)
        self.blocks = nn.Sequential()
        for stage, (after, inside, count) in enumerate(_STAGES):
            for index in range(count):
                self.blocks.append(Block(before, after, inside, halve=stage > 0 and index == 0))
                before = after
        self.presence = nn.Conv2d(before, 1, 2)
        self.landmarks = nn.Conv2d(before, POINTS * 3, 2)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        """(landmarks, presence) of upright faces.

        rgb: float32 [n, 3, 256, 256], 0-1. landmarks: [n, 478, 3], x and y in pixels of that picture (0..256), z on
        the same scale. presence: [n], 0-1, how sure the network is that this is a face.
        """
        # TensorFlow's "same" padding of an even side under stride 2: nothing before, one after.
        x = self.blocks(self.stem_slope(self.stem(functional.pad(rgb, (0, 1, 0, 1)))))
        return self.landmarks(x).reshape(-1, POINTS, 3), self.presence(x).reshape(-1).sigmoid()
