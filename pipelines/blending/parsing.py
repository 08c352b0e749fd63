"""Masks from the parts of the face: the parser reads each picture around the face, MuseTalk's rule makes the mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..core.types import Picture, Rect
from ..networks.face_parsing import FaceParser
from .masks import MaskSettings
from .parsed_masks import LABELS_SIDE, ParsedMaskSettings, parsed_mask, parsed_square
from .scaling import fit_rect
from .scene import Scene


@dataclass(frozen=True)
class FaceParsing:
    """The LIPSYNC_PARSING socket: a loaded parser, and which parts of the face are replaced. A `shapes.MaskShape`."""

    parser: FaceParser
    settings: ParsedMaskSettings = field(default_factory=ParsedMaskSettings)

    def check(self, frames: int, width: int, height: int) -> None:
        """Fits any clip."""

    def draw(self, scene: Scene, settings: MaskSettings) -> Sequence[Tensor]:
        """See `shapes.MaskShape.draw`. The edge is that of the parsing's own settings."""
        return self.masks(scene.pictures, scene.rects)

    def masks(self, pictures: Sequence[Picture], rects: Sequence[Rect]) -> list[Tensor]:
        """float32 [rect.height, rect.width], 0-1, for each picture and the face's box in it: 1 = replace."""
        squares = [picture.crop(parsed_square(rect)) for picture, rect in zip(pictures, rects, strict=True)]
        labels = self.parser(torch.stack([fit_rect(square, LABELS_SIDE, LABELS_SIDE) for square in squares])).numpy()
        return [parsed_mask(parts, rect, self.settings) for parts, rect in zip(labels, rects, strict=True)]
