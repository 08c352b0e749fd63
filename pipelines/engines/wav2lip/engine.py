"""Wav2Lip as an engine: hide the lower half of the face, let the network paint it by sound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from ...core.types import FaceBatch
from ..base import EngineSpec

SIDE: Final = 96


class Wav2LipEngine:
    """Implements `Engine`.

    network: faces float32 BGR [n, 6, 96, 96], 0-1 (lower half black, then whole), and mel float32 [n, 80, 16] ->
    float32 BGR [n, 3, 96, 96], 0-1. block: most frames in one batch.
    """

    def __init__(self, network: Callable[[Tensor, Tensor], Tensor], block: int = 16) -> None:
        self._network = network
        self.spec = EngineSpec(
            id="wav2lip",
            label="Wav2Lip (non-commercial)",
            hears="wav2lip mel",
            crop_sides=(SIDE,),
            block=block,
            chin_margin=10,
            crop="detector",
            commercial_use="no: trained on LRS2, whose licence allows research only; the authors say the same of the "
            "weights",
        )

    def start(self) -> Wav2LipEngine:
        """Itself: it keeps nothing between batches."""
        return self

    @torch.no_grad()
    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, 96, 96, 3], 0-1, on the CPU; `batch.crops` must be 96 px."""
        faces = batch.crops.permute(0, 3, 1, 2).flip(1)
        hidden = faces.clone()
        hidden[:, :, SIDE // 2 :] = 0.0
        painted = self._network(torch.cat([hidden, faces], dim=1), batch.heard)
        return painted.flip(1).permute(0, 2, 3, 1).contiguous()
