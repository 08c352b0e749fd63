"""Wav2Lip's generator: a face and a fifth of a second of sound in, the same face saying it out.

Prajwal et al.: "A Lip Sync Expert Is All You Need for Speech to Lip Generation In The Wild" (ACM Multimedia 2020), with
the names and layers of wav2lip.pth and wav2lip_gan.pth (Rudrabha/Wav2Lip@5c90fa9, models/wav2lip.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn
from torch.nn import functional

from .residency import Resident

ops = comfy.ops.manual_cast

SIDE = 96  # px of its pictures

_FIRST = 16  # channels of the face encoder's first level, at full size
# Of each level after it: channels, and residual blocks after the one that halves the side.
_ENCODER = ((32, 2), (64, 3), (128, 2), (256, 2), (512, 1))
# The same of the sound's encoder, whose strides differ in height (bands) and width (time).
_SOUND = ((32, (1, 1), 2), (64, (3, 1), 2), (128, (3, 3), 2), (256, (3, 2), 1))
# Of each level of the decoder that doubles the side: channels; each is joined with the encoder's level of its side.
_DECODER = (512, 384, 256, 128, 64)
_CODE = 512  # channels of what the encoders say of a face and of a sound
_LAST = 32  # channels that the picture is made of

# The last level dominates: 80 channels at full size, float32, four of them alive.
_BYTES_PER_FACE = 80 * SIDE**2 * 4 * 4


class Wav2Lip:
    """The network with its weights, in ComfyUI's care. Computes in float32: 36 M parameters are soon done."""

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        """state: of wav2lip.pth or wav2lip_gan.pth. source: the file. Raises WeightsError when it does not fit."""
        self._resident = Resident(Wav2LipNet())
        self._resident.load(state, source=source, kind="Wav2Lip")

    @torch.inference_mode()
    def __call__(self, faces: Tensor, heard: Tensor) -> Tensor:
        """float32 BGR [n, 3, 96, 96], 0-1, on the CPU: the faces, saying what is heard.

        faces: float32 BGR [n, 6, 96, 96], 0-1: with the lower half black, then whole. heard: float32 [n, 80, 16], mel.
        """
        network = self._resident.ready(len(faces) * _BYTES_PER_FACE)
        device, dtype = self._resident.device, self._resident.dtype
        return network(faces.to(device, dtype), heard[:, None].to(device, dtype)).cpu()


class Wav2LipNet(nn.Module):
    """The network."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(_face_encoder())
        self.audio_encoder = _sound_encoder()
        self.face_decoder_blocks = nn.ModuleList(_face_decoder())
        self.output_block = nn.Sequential(ConvNorm(_DECODER[-1] + _FIRST, _LAST, 3), ops.Conv2d(_LAST, 3, 1))

    def forward(self, faces: Tensor, heard: Tensor) -> Tensor:
        """[n, 3, 96, 96], 0-1, from faces [n, 6, 96, 96], 0-1, and mel spectrograms [n, 1, 80, 16]."""
        levels = []
        for block in self.face_encoder_blocks:
            faces = block(faces)
            levels.append(faces)
        x = self.audio_encoder(heard)
        for block, level in zip(self.face_decoder_blocks, reversed(levels), strict=True):
            x = torch.cat([block(x), level], dim=1)
        return torch.sigmoid(self.output_block(x))


def _face_encoder() -> list[nn.Sequential]:
    """From 96 px down to one: 7 levels."""
    levels, before = [nn.Sequential(ConvNorm(6, _FIRST, 7))], _FIRST
    for width, count in _ENCODER:
        levels.append(nn.Sequential(ConvNorm(before, width, 3, stride=2), *_residuals(width, count)))
        before = width
    return [*levels, nn.Sequential(*_to_code(before))]


def _sound_encoder() -> nn.Sequential:
    """From 80 bands and 16 columns down to one."""
    layers: list[nn.Module] = []
    before = 1
    for width, stride, count in _SOUND:
        layers += [ConvNorm(before, width, 3, stride=stride), *_residuals(width, count)]
        before = width
    return nn.Sequential(*layers, *_to_code(before))


def _face_decoder() -> list[nn.Sequential]:
    """The way back: one level that stays, one to 3 px, then each doubles the side."""
    code = nn.Sequential(ConvNorm(_CODE, _CODE, 1))
    three = nn.Sequential(Enlarge(2 * _CODE, _CODE, stride=1), *_residuals(_CODE, 1))
    levels, before = [code, three], _CODE
    for width, (beside, _) in zip(_DECODER, reversed(_ENCODER), strict=True):
        levels.append(nn.Sequential(Enlarge(before + beside, width, stride=2), *_residuals(width, 2)))
        before = width
    return levels


def _to_code(before: int) -> tuple[nn.Module, nn.Module]:
    """3 x 3 become one."""
    return ConvNorm(before, _CODE, 3, padded=False), ConvNorm(_CODE, _CODE, 1)


def _residuals(width: int, count: int) -> list[nn.Module]:
    return [ConvNorm(width, width, 3, residual=True) for _ in range(count)]


class ConvNorm(nn.Module):
    """A convolution, normalised; a residual one adds what came in; then ReLU."""

    def __init__(
        self,
        before: int,
        after: int,
        side: int,
        stride: int | tuple[int, int] = 1,
        padded: bool = True,
        residual: bool = False,
    ) -> None:
        super().__init__()
        padding = side // 2 if padded else 0
        convolution = ops.Conv2d(before, after, side, stride=stride, padding=padding)
        self.conv_block = nn.Sequential(convolution, ops.BatchNorm2d(after))
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        normalised = self.conv_block(x)
        return functional.relu(normalised + x if self._residual else normalised, inplace=True)


class Enlarge(nn.Module):
    """A transposed convolution, normalised, then ReLU: 1 px becomes 3 at stride 1, the side doubles at stride 2."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        more = stride - 1  # padding that makes the side exactly twice as long
        convolution = ops.ConvTranspose2d(before, after, 3, stride=stride, padding=more, output_padding=more)
        self.conv_block = nn.Sequential(convolution, ops.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.conv_block(x), inplace=True)
