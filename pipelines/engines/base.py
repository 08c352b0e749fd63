"""What every engine is to the pipeline.

To add an engine:
1. Put its network into `networks/`, built of `comfy.ops` modules, loaded strictly, held by `residency.Resident`.
2. Write `engines/<name>/` with a class that has a `spec` and a `paint` (see `Engine`).
3. If it hears something new, add the features to `audio/` and their name to `core.types.Hearing`.
4. Write the node that loads it (`nodes/`), and add it to the engine contract tests (`tests/engines/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..core.types import FaceBatch, Hearing


@dataclass(frozen=True)
class EngineSpec:
    """An engine as data.

    id: stable name. label: what people read on the node and in the report. hears: the kind of audio windows it
    takes. crop_sides: px, rising; the sides it can work at (the pipeline takes the smallest that is not below the
    faces of the clip, else the largest). block: most frames of one segment it takes at once. chin_margin: px
    the crop reaches below the chin when the user leaves the margin on auto. commercial_use: what the weights'
    licence says, in plain words.
    """

    id: str
    label: str
    hears: Hearing
    crop_sides: tuple[int, ...]
    block: int
    chin_margin: int
    commercial_use: str

    def side_for(self, face_side: float) -> int:
        """The crop side (px) for faces whose boxes measure `face_side` px."""
        return next((side for side in self.crop_sides if side >= face_side), self.crop_sides[-1])


class Engine(Protocol):
    """A loaded engine: paints the mouth for one batch of crops at a time."""

    @property
    def spec(self) -> EngineSpec: ...

    def paint(self, batch: FaceBatch) -> Tensor:
        """float32 RGB [n, S, S, 3], 0-1, on the CPU: the same crops saying what was heard. Never changes `batch`."""
