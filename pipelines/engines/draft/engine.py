"""The embedded engine: warps the lower face to the sound's loudness. No network, no weights."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ...core.types import FaceBatch
from ..base import EngineSpec
from .cavity import paint_cavity
from .lines import ABOVE, REACH, Lines, MouthFrame
from .warp import warp

PIXELS_AT_ONCE: Final = 2**20  # about 100 MB of work

SPEC: Final = EngineSpec(
    id="draft",
    label="Draft: checks timing, not looks",
    hears="mouth shapes",
    crop_sides=(256, 384, 512, 768),
    block=16,
    chin_share=0.12,
    commercial_use="yes: no weights",
)


class DraftEngine:
    """Implements `Engine` for 68 landmarks and `audio.mouth_shapes.MouthShapes`.

    A mouth that is open in the picture closes in silence: the wanted opening is absolute. Where the landmarks do
    not form a face the crop comes back as it was.
    """

    @property
    def spec(self) -> EngineSpec:
        return SPEC

    def start(self) -> DraftEngine:
        """Itself: it keeps nothing between batches."""
        return self

    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1: the crops with the mouth as open and as wide as `batch.heard` [n, 2] says."""
        crops = batch.crops.cpu().permute(0, 3, 1, 2)
        landmarks = torch.from_numpy(batch.landmarks).float()
        heard = batch.heard.cpu().float()
        size = max(1, PIXELS_AT_ONCE // (crops.shape[2] * crops.shape[3]))
        parts = zip(crops.split(size), landmarks.split(size), heard.split(size), strict=True)
        return torch.cat([_painted(*part) for part in parts]).permute(0, 2, 3, 1).contiguous()


def _painted(crops: Tensor, landmarks: Tensor, heard: Tensor) -> Tensor:
    """[n, 3, S, S] from the same, landmarks [n, 68, 2] px and what is heard [n, 2]."""
    frame = MouthFrame.of(landmarks)
    side = crops.shape[-1]
    bottom = (side - frame.centre[:, 1]) / frame.unit
    lines = Lines.of(frame, landmarks, heard[:, 0], bottom)
    rows = _rows(frame, side)
    warped = warp(crops, rows, frame, lines, heard)
    painted = paint_cavity(warped, crops, landmarks, frame.unit)
    result = crops.clone()
    result[frame.usable, :, rows] = painted[frame.usable]
    return result


def _rows(frame: MouthFrame, side: int) -> slice:
    """The rows of the crops in which anything moves, for all frames of the batch."""
    rises = frame.unit * (ABOVE * frame.down[:, 1].abs() + REACH * frame.along[:, 1].abs())
    tops = (frame.centre[:, 1] - rises)[frame.usable]
    top = int(tops.min().clamp(0, side - 1)) if len(tops) else side - 1
    return slice(top, side)
