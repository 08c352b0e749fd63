"""Paint what shows between open lips: a dark mouth, the upper teeth, a hint of the tongue."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .lines import LOWER_INNER, UPPER_INNER, bump
from .warp import Warped

LIP_POINTS: Final = (50, 51, 52, 56, 57, 58)
SKIN_POINTS: Final = (30, 31, 35)  # the nose: rarely in shadow, never bearded

# Colours, as shares of the face's own, so that they fit its light.
DARK: Final = (0.24, 0.10, 0.10)  # of the lips' red, green, blue
FLESH: Final = (0.62, 0.42, 0.42)
ENAMEL: Final = 0.95  # of the skin's brightness, in grey
ENAMEL_TINT: Final = 0.25  # and of its colour

EDGE: Final = 2.0  # px of soft edge around the inside

# Lengths in units of half a mouth's width.
TEETH_BELOW: Final = 0.1  # how far the teeth reach below the seam of closed lips
TEETH_REACH: Final = 1.0  # where they have faded out to the sides
TEETH_CURVE: Final = 1.3  # where their lower edge has risen to the seam
SHADOW: Final = 0.08  # depth of the shadow that the upper lip casts
SHADOW_LIGHT: Final = 0.6  # what it leaves of the light
TONGUE_HEIGHT: Final = 0.3
TONGUE_REACH: Final = 0.8
SEAM_STRENGTH: Final = 0.5  # how dark the line is between closed lips that were open
SEAM_HEIGHT: Final = 0.04
PARTED: Final = 0.1  # lips further apart than this have no line of their own


def paint_cavity(warped: Warped, crops: Tensor, landmarks: Tensor, unit: Tensor) -> Tensor:
    """The warped rows [n, 3, h, w] with the mouth's inside painted.

    crops: [n, 3, S, S], landmarks: [n, 68, 2] px: where the colours are taken from. unit: [n] px.
    """
    lips, skin = (_colour(crops, landmarks[:, list(points)]) for points in (LIP_POINTS, SKIN_POINTS))
    upper, lower = warped.wanted[:, UPPER_INNER], warped.wanted[:, LOWER_INNER]
    soft = EDGE / unit.view(-1, 1, 1)
    inside = _edge(warped.b - upper, soft) * _edge(lower - warped.b, soft) * ((lower - upper) / soft).clamp(0, 1)
    painted = torch.lerp(warped.rgb, _inside(warped, lips, skin, soft), inside[:, None])
    return painted * (1 - SEAM_STRENGTH * _seam(warped))[:, None]


def _seam(warped: Warped) -> Tensor:
    """The line between closed lips, 0-1, where the picture has none because they were parted."""
    upper, lower = warped.wanted[:, UPPER_INNER], warped.wanted[:, LOWER_INNER]
    closed = (1 - (lower - upper) / SEAM_HEIGHT).clamp(0, 1)
    line = bump((warped.b - (upper + lower) / 2) / SEAM_HEIGHT) * bump(warped.a)
    return line * closed * (warped.parted / PARTED).clamp(0, 1)


def _inside(warped: Warped, lips: Tensor, skin: Tensor, soft: Tensor) -> Tensor:
    below_lip = warped.b - warped.wanted[:, UPPER_INNER]
    above_lip = warped.wanted[:, LOWER_INNER] - warped.b
    tongue = _soft(1 - above_lip / TONGUE_HEIGHT) * bump(warped.a / TONGUE_REACH)
    picture = torch.lerp(_tinted(lips, DARK), _tinted(lips, FLESH), tongue[:, None])
    enamel = ENAMEL * torch.lerp(skin.amax(1, keepdim=True).expand_as(skin), skin, ENAMEL_TINT)
    teeth = _edge(warped.seam + TEETH_BELOW * bump(warped.a / TEETH_CURVE) - warped.b, soft) * bump(
        warped.a / TEETH_REACH
    )
    picture = torch.lerp(picture, enamel.expand_as(picture), teeth[:, None])
    light = SHADOW_LIGHT + (1 - SHADOW_LIGHT) * _soft(below_lip / SHADOW)
    return picture * light[:, None]


def _colour(crops: Tensor, points: Tensor) -> Tensor:
    """Mean colour at points [n, k, 2] px: [n, 3, 1, 1]."""
    where = points[:, None] * (2 / crops.shape[-1]) - 1
    sampled = functional.grid_sample(crops, where, padding_mode="border", align_corners=False)
    return sampled.mean(dim=(2, 3))[:, :, None, None]


def _tinted(colour: Tensor, tint: tuple[float, float, float]) -> Tensor:
    return colour * torch.tensor(tint).view(1, 3, 1, 1)


def _edge(distance: Tensor, width: Tensor) -> Tensor:
    """1 inside, 0 outside, linear over `width` around the edge at distance 0."""
    return (distance / width + 0.5).clamp(0, 1)


def _soft(x: Tensor) -> Tensor:
    """0 below 0, 1 above 1, smooth between."""
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)
