"""What every engine is to the pipeline.

To add an engine:
1. Put its network into `networks/`, built of `comfy.ops` modules, loaded strictly, held by `residency.Resident`.
2. Write `engines/<name>/` with a class that has a `spec` and a `start` (see `Engine`).
3. If it hears something new, add the features to `audio/` and their name to `core.types.Hearing`.
4. Write the node that loads it (`nodes/`), and add it to the engine contract tests (`tests/engines/`).
5. Give it a row in `select.CANDIDATES`, and its loader to `nodes/select.py`, so that Select Engine may choose it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..core.faces import CropRule
from ..core.types import FaceBatch, Hearing


@dataclass(frozen=True)
class EngineSpec:
    """An engine as data.

    id: stable name. label: what people read on the node and in the report. hears: the kind of audio windows it
    takes. crop_sides: px, rising; the sides it can work at (the pipeline takes the smallest that is not below the
    faces of the clip, else the largest). block: most frames of one segment it takes at once. commercial_use: what the
    weights' licence says, in plain words. chin_margin, chin_share: how far the crop reaches below the chin when the
    user leaves the margin open, in px and in parts of the face's height; they add up. reach: float32 landmarks
    [n, 68, 2] -> float32 boxes [n, 4] xyxy, px: what it wants to see of the picture; None: the crop is enough. finest:
    px, the side at which it paints what it sees, where that is less than the crop's. crop: what boxes it was trained
    on: MuseTalk's, made of the landmarks, or the detector's own.
    """

    id: str
    label: str
    hears: Hearing
    crop_sides: tuple[int, ...]
    block: int
    commercial_use: str
    chin_margin: int = 0
    chin_share: float = 0.0
    reach: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None
    finest: int | None = None
    crop: CropRule = "landmarks"

    def side_for(self, face_side: float) -> int:
        """The crop side (px) for faces whose boxes measure `face_side` px."""
        return next((side for side in self.crop_sides if side >= face_side), self.crop_sides[-1])

    def painted_side(self, face_side: float) -> int:
        """The side (px) at which such faces are painted."""
        side = self.side_for(face_side)
        return side if self.finest is None else min(side, self.finest)


class Painter(Protocol):
    """Paints one run, block by block. What it keeps from block to block goes with it."""

    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1, on the CPU: the same crops saying what was heard. Never changes `batch`.

        Within a run, the same source frame always comes with the same crop.
        """


class Engine(Protocol):
    """A loaded engine. One may serve several runs."""

    @property
    def spec(self) -> EngineSpec: ...

    def start(self) -> Painter:
        """A painter for one run."""


class HearingEngine(Engine, Protocol):
    """An engine that hears "whisper windows" or "latentsync windows" brings its Whisper encoder along."""

    @property
    def hear(self) -> Callable[[Tensor], Tensor]:
        """float32 log-mel [1, 80, 3000] -> float32 [1500, 5, 384]: the encoder's five states at 50 Hz, the last one
        with its norm for "whisper windows", without for "latentsync windows"."""
