"""From painted crops to patches: what of them is laid over the picture, in which colours, how sharp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

from ..core.errors import InputError
from .colour_match import ColourMatch
from .masks import MaskSettings
from .scaling import fit_rect
from .scene import Patch, Scene
from .shapes import ExternalMask, MaskShape
from .sharpness_match import SharpnessMatch
from .steady import SteadyMask

# Around what is in front of the mouth: grown by more than half the feather, so that all of it is kept.
OCCLUDER: Final = MaskSettings(grow=0.02, feather=0.03)


@dataclass(frozen=True)
class BlendSettings:
    """How a painted face is laid over the picture. All but the mask are off at 0, and strongest at 1.

    mask: the mask's edge, where the shape has none of its own. steady: how slowly the mask follows, within a shot.
    colour, sharpness: how far the painted face is matched to the face around it.
    """

    mask: MaskSettings = field(default_factory=MaskSettings)
    steady: float = 0.0
    colour: float = 0.0
    sharpness: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("steady", self.steady), ("colour", self.colour), ("sharpness", self.sharpness)):
            if not 0 <= value <= 1:
                raise InputError(
                    expected=f"a blend setting `{name}` from 0 to 1",
                    got=str(value),
                    next_step="0 is off, 1 is the strongest.",
                )


class Compositor:
    """Blends one run, scene by scene, in the order they are shown.

    Masks, colours and sharpness are steady within a shot: what is measured of it is kept until the next shot, or until
    the frames jump.
    """

    def __init__(self, shape: MaskShape, settings: BlendSettings, occluders: ExternalMask | None = None) -> None:
        """shape: what is replaced. occluders: what stays all the same, a hand or a microphone before the mouth."""
        self._shape = shape
        self._settings = settings
        self._occluders = occluders
        self._shot = _Shot(settings)
        self._seen: tuple[int, int] | None = None  # shot and source frame of the last picture

    def blend(self, scene: Scene) -> tuple[Patch, ...]:
        """One patch for each frame of the scene. With all settings off, the shape's masks over the painted crops."""
        self._follow(scene)
        settings, faces = self._settings, scene.painted
        masks = self._shape.draw(scene, settings.mask)
        if settings.steady > 0:
            masks = self._shot.mask.follow(masks, scene.side)
        if settings.colour > 0:
            faces = self._shot.colour.match(scene, faces, masks)
        if settings.sharpness > 0:
            faces = self._shot.sharpness.match(scene, faces, masks)
        if self._occluders is not None:
            masks = _behind(masks, self._occluders.spread(scene, OCCLUDER))
        masks = [
            mask * amount if amount < 1 else mask for mask, amount in zip(masks, scene.amount.tolist(), strict=True)
        ]
        return tuple(Patch(*parts) for parts in zip(scene.rects, faces, masks, strict=True))

    def _follow(self, scene: Scene) -> None:
        """Forget the shot before where this scene does not continue it. Ping-pong turns round within a shot."""
        first, last = int(scene.indices[0]), int(scene.indices[-1])
        if self._seen is not None and (self._seen[0] != scene.shot or abs(first - self._seen[1]) > 1):
            self._shot = _Shot(self._settings)
        self._seen = scene.shot, last


class _Shot:
    """What is kept from scene to scene."""

    def __init__(self, settings: BlendSettings) -> None:
        self.mask = SteadyMask(settings.steady)
        self.colour = ColourMatch(settings.colour)
        self.sharpness = SharpnessMatch(settings.sharpness)


def _behind(masks: Sequence[Tensor], kept: Sequence[Tensor]) -> list[Tensor]:
    """The masks without what is in front of them."""
    return [
        mask * (1 - fit_rect(stays[..., None], *mask.shape)[..., 0]) for mask, stays in zip(masks, kept, strict=True)
    ]
