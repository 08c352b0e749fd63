"""What of each frame a result may have repainted: the sampler's mask, or what can be said without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from torch import Tensor

from .blending.masks import MaskSettings, lower_face_mask
from .blending.scaling import fit_rect
from .core.faces import CropPlan, FaceTrack
from .core.types import Rect
from .measure.regions import MaskedArea

OWN_MARGIN = 10  # px below the chin: MuseTalk 1.5's
_SIDE = 256  # px, on which a mask is drawn
_REACH = 0.25  # of the crop, around it: engines' crops differ in how far they reach below the chin and aside

Areas: TypeAlias = tuple[MaskedArea | None, MaskedArea | None]
"""The mask, for its edge and for the eye; and all that may differ, where it is above 0. None: nothing."""


class Repainted(Protocol):
    """Knows where frame `number` of the result may differ from frame `row` of the source, which it was made of."""

    @property
    def where(self) -> str:
        """In words, what counts as outside."""

    def at(self, number: int, row: int) -> Areas:
        """Of one frame."""


@dataclass(frozen=True)
class GivenMask:
    """The `mask` that a sampler gave: float [1 or M, H, W], 0-1."""

    masks: Tensor
    where: str = "the mask"

    def at(self, number: int, row: int) -> Areas:
        """See `Repainted.at`: both are the part of the mask that is not 0, and 2 px around it."""
        mask = self.masks[number if len(self.masks) > 1 else 0].to("cpu", torch.float32).numpy()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not len(rows):
            return None, None
        height, width = mask.shape
        y0, y1 = max(int(rows[0]) - 2, 0), min(int(rows[-1]) + 3, height)
        x0, x1 = max(int(columns[0]) - 2, 0), min(int(columns[-1]) + 3, width)
        area = MaskedArea(Rect(x0, y0, x1, y1), mask[y0:y1, x0:x1].clip(0, 1))
        return area, area


@dataclass(frozen=True)
class GuessedMask:
    """The mask that samplers make from the landmarks with default settings; outside is what is far from the crop."""

    track: FaceTrack
    crops: CropPlan
    where: str = "the crop around the face and a quarter more on each side (no mask was connected)"

    def at(self, number: int, row: int) -> Areas:
        """See `Repainted.at`: the drawn mask, and a rectangle."""
        rect, reach = self._inside(row, 0.0), self._inside(row, _REACH)
        return (
            None if rect is None else self._drawn(rect, row),
            None if reach is None else MaskedArea(reach, np.ones((reach.height, reach.width), np.float32)),
        )

    def _drawn(self, rect: Rect, row: int) -> MaskedArea:
        one = np.array([row])
        whole = self.crops.rect(row)
        points = self.crops.to_crop(self.track.landmarks[one], one, _SIDE)
        mask = lower_face_mask(points, _SIDE, MaskSettings())[0]
        fitted = fit_rect(mask[..., None], whole.height, whole.width)[..., 0].numpy()
        return MaskedArea(
            rect, fitted[rect.y0 - whole.y0 : rect.y1 - whole.y0, rect.x0 - whole.x0 : rect.x1 - whole.x0]
        )

    def _inside(self, row: int, more: float) -> Rect | None:
        """The crop, larger by `more` of its sides on each, as far as it lies in the picture."""
        if not self.crops.valid[row]:
            return None
        rect = self.crops.rect(row)
        aside, above = round(more * rect.width), round(more * rect.height)
        x0, y0 = max(rect.x0 - aside, 0), max(rect.y0 - above, 0)
        x1, y1 = min(rect.x1 + aside, self.track.width), min(rect.y1 + above, self.track.height)
        return Rect(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
