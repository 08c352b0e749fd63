"""Batch normalisation under ComfyUI's management, for features of any number of axes."""

from __future__ import annotations

from collections.abc import Mapping

import comfy.ops
from torch import Tensor, nn


class BatchNorm(comfy.ops.manual_cast.BatchNorm2d):
    """Of each channel [n, c, ...]; ComfyUI has the two-dimensional one only."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(*x.shape[:2], -1, 1)).reshape(x.shape)


def with_counts(state: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """`state` with the counts of training batches that `network` has: of no use, and not in every file."""
    own = network.state_dict().items()
    return {**{key: value for key, value in own if key.endswith(".num_batches_tracked")}, **state}
