"""SyncNet v2, which tells how well lips and speech fit together.

Chung and Zisserman: "Out of time: automated lip sync in the wild" (ACCV 2016 workshops), with the names and layers of
syncnet_v2.model (joonson/syncnet_python, MIT): two convolutional networks, one for five pictures of a face, one for the
0.2 s of sound beside them, whose 1024 numbers are alike where both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
import torch
from torch import Tensor, nn

from .batch_norm import BatchNorm, with_counts
from .residency import Resident

ops = comfy.ops.manual_cast

SIDE = 224  # px of a face
PICTURES = 5  # in a row that are looked at together
COLUMNS = 20  # of MFCC that are heard together, 13 coefficients each
VALUES = 1024  # of an embedding

# One picture after the first convolution: 96 channels of 109 x 109, float32, three of them alive.
_BYTES_PER_PICTURE = 96 * 109 * 109 * 4 * 3


class SyncNet:
    """The network with its weights, in ComfyUI's care."""

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        """state: of syncnet_v2.model. source: the file it came from. Raises WeightsError when it does not fit."""
        network = SyncNetV2()
        self._resident = Resident(network)
        self._resident.load(with_counts(state, network), source=source, kind="SyncNet v2")

    @torch.inference_mode()
    def see(self, rgb: Tensor) -> Tensor:
        """float32 [n - 4, 1024]: one embedding for each five pictures in a row.

        rgb: float32 [n, 224, 224, 3], 0-255, of one face; n is 5 or more.
        """
        network = self._resident.ready(len(rgb) * _BYTES_PER_PICTURE)
        bgr = rgb.flip(3).to(self._resident.device, self._resident.dtype)
        return network.see(bgr.permute(3, 0, 1, 2)[None])[0].float().cpu()

    @torch.inference_mode()
    def hear(self, mfcc: Tensor) -> Tensor:
        """float32 [n, 1024] of float32 [n, 20, 13]: 20 columns of MFCC in a row, at 100 a second, not scaled."""
        network = self._resident.ready(len(mfcc) * COLUMNS * 13 * 192 * 4 * 3)
        windows = mfcc.to(self._resident.device, self._resident.dtype).transpose(1, 2)
        return network.hear(windows[:, None]).float().cpu()


class SyncNetV2(nn.Module):
    """The networks. Embeddings are not scaled to length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_block(ops.Conv2d(1, 64, 3, padding=1)),
            nn.MaxPool2d(1, 1),
            *_block(ops.Conv2d(64, 192, 3, padding=1)),
            nn.MaxPool2d(3, (1, 2)),
            *_block(ops.Conv2d(192, 384, 3, padding=1)),
            *_block(ops.Conv2d(384, 256, 3, padding=1)),
            *_block(ops.Conv2d(256, 256, 3, padding=1)),
            nn.MaxPool2d(3, 2),
            *_block(ops.Conv2d(256, 512, (5, 4))),
        )
        self.netcnnlip = nn.Sequential(
            *_block(ops.Conv3d(3, 96, (PICTURES, 7, 7), stride=(1, 2, 2))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(ops.Conv3d(96, 256, (1, 5, 5), stride=(1, 2, 2), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_block(ops.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(ops.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            *_block(ops.Conv3d(256, 256, (1, 3, 3), padding=(0, 1, 1))),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_block(ops.Conv3d(256, 512, (1, 6, 6))),
        )
        self.netfcaud, self.netfclip = _head(), _head()

    def see(self, bgr: Tensor) -> Tensor:
        """[n, t - 4, 1024] from pictures [n, 3, t, 224, 224], BGR, 0-255.

        Only the first convolution looks along time, so a run of pictures gives what each five of them give.
        """
        features = self.netcnnlip(bgr).flatten(2).transpose(1, 2)
        embeddings: Tensor = self.netfclip(features.flatten(0, 1))
        return embeddings.unflatten(0, features.shape[:2])

    def hear(self, mfcc: Tensor) -> Tensor:
        """[n, 1024] from MFCC [n, 1, 13, 20]."""
        embeddings: Tensor = self.netfcaud(self.netcnnaud(mfcc).flatten(1))
        return embeddings


def _block(convolution: nn.Conv2d | nn.Conv3d) -> tuple[nn.Module, ...]:
    return convolution, BatchNorm(convolution.out_channels), nn.ReLU()


def _head() -> nn.Sequential:
    return nn.Sequential(ops.Linear(512, 512), BatchNorm(512), nn.ReLU(), ops.Linear(512, VALUES))
