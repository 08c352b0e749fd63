"""SFace, which tells whether two pictures show the same person.

Zhong et al.: "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition" (IEEE TIP 2021). The layers are
those of face_recognition_sface_2021dec.onnx (OpenCV zoo, Apache-2.0): a MobileNet (Howard et al. 2017) with PReLU.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

from .batch_norm import BatchNorm, with_counts
from .residency import Resident

ops = comfy.ops.manual_cast

SIDE = 112  # px
VALUES = 128
SAME = 0.363  # the cosine from which on it is the same person: OpenCV's own threshold for this file

_MEAN, _SCALE = 127.5, 1 / 128
_EPSILON = 1e-3  # of the file's normalisations

# Channels and stride of each pair of convolutions, depthwise and pointwise.
_PAIRS = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *((512, 1),) * 5, (1024, 2), (1024, 1))

# Ends of names in the file, and what they are here.
_ENDS = {
    "_conv2d_weight": ".conv.weight",
    "_batchnorm_gamma": ".norm.weight",
    "_batchnorm_beta": ".norm.bias",
    "_batchnorm_moving_mean": ".norm.running_mean",
    "_batchnorm_moving_var": ".norm.running_var",
    "_relu_gamma": ".slope",
    "_moving_mean": ".running_mean",
    "_moving_var": ".running_var",
    "_gamma": ".weight",
    "_beta": ".bias",
    "_weight": ".weight",
    "_bias": ".bias",
}

# 64 channels at full size, float32, three of them alive.
_BYTES_PER_FACE = 64 * SIDE * SIDE * 4 * 3


class SFace:
    """The network with its weights, in ComfyUI's care."""

    def __init__(self, tensors: Mapping[str, Tensor], source: str) -> None:
        """tensors: of the ONNX file. source: the file they came from. Raises WeightsError when they do not fit."""
        network = SFaceNet()
        self._resident = Resident(network)
        self._resident.load(with_counts(_renamed(tensors), network), source=source, kind="SFace")

    @torch.inference_mode()
    def __call__(self, rgb: Tensor) -> Tensor:
        """float32 [n, 128], unit length, of aligned faces: float32 RGB [n, 112, 112, 3], 0-255."""
        network = self._resident.ready(len(rgb) * _BYTES_PER_FACE)
        pixels = rgb.to(self._resident.device, self._resident.dtype).permute(0, 3, 1, 2)
        return functional.normalize(network(pixels)).float().cpu()


class SFaceNet(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1 = Layer(3, 32, 3)
        before = 32
        for number, (channels, stride) in enumerate(_PAIRS, start=2):
            self.add_module(f"conv_{number}_dw", Layer(before, before, 3, stride, before))
            self.add_module(f"conv_{number}", Layer(before, channels, 1))
            before = channels
        self.bn1 = BatchNorm(before, eps=_EPSILON)
        self.pre_fc1 = ops.Linear(before * (SIDE // 16) ** 2, VALUES)
        self.fc1 = BatchNorm(VALUES, eps=_EPSILON)

    def forward(self, rgb: Tensor) -> Tensor:
        """[n, 128] from [n, 3, 112, 112], 0-255."""
        x = (rgb - _MEAN) * _SCALE
        for layer in self.children():  # in the order in which they were added
            x = layer(x.flatten(1) if layer is self.pre_fc1 else x)
        return x


class Layer(nn.Module):
    """A convolution that keeps the side or halves it, normalised, then PReLU."""

    def __init__(self, before: int, after: int, side: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = ops.Conv2d(before, after, side, stride, side // 2, groups=groups, bias=False)
        self.norm = BatchNorm(after, eps=_EPSILON)
        self.slope = nn.Parameter(torch.empty(after))

    def forward(self, x: Tensor) -> Tensor:
        return functional.prelu(self.norm(self.conv(x)), self.slope.to(x))


def _renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Under this network's names. The mean and the scale, which are tensors in the file, are left out."""
    named = {_name(key): tensor for key, tensor in tensors.items() if tensor.numel() > 1}
    return {key: tensor.flatten() if key.endswith(".slope") else tensor for key, tensor in named.items()}


def _name(key: str) -> str:
    end = next((end for end in _ENDS if key.endswith(end)), "")
    return key.removesuffix(end) + _ENDS.get(end, "")
