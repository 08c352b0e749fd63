"""Move the skin of a lower face so that its lines come to where they are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from .lines import ABOVE, LOWER_INNER, REACH, UPPER_INNER, Lines, MouthFrame, bump

SPREAD: Final = 0.12  # how much wider spread lips are, and round lips narrower
NARROWS: Final = 0.14  # how much an open mouth is narrower
SPREAD_REACH: Final = 2.2  # along a; along b it is ABOVE
THINNEST: Final = 1e-3


@dataclass(frozen=True)
class Warped:
    """A warped block and where the pixels lie in the wanted mouth.

    rgb: [n, 3, h, w]. a, b: [n, h, w], in the mouth's frame, a after undoing the spread. wanted: [n, 7, h, w], wanted
    b of each line above or below the pixel. seam: [n, h, w], the same where closed lips meet. parted: [n, h, w], the
    lips' distance in the picture.
    """

    rgb: Tensor
    a: Tensor
    b: Tensor
    wanted: Tensor
    seam: Tensor
    parted: Tensor


def warp(rgb: Tensor, rows: slice, frame: MouthFrame, lines: Lines, heard: Tensor) -> Warped:
    """The given rows of crops [n, 3, S, S] with the lines moved."""
    side = rgb.shape[-1]
    y, x = torch.meshgrid(torch.arange(rows.start, rows.stop) + 0.5, torch.arange(side) + 0.5, indexing="ij")
    pixels = torch.stack([x, y], dim=-1).expand(len(rgb), -1, -1, -1)
    a, b = (part.contiguous() for part in frame.local(pixels).unbind(-1))
    source_a = a / _spread(a, b, heard)
    now, wanted, seam = (_at(table, source_a) for table in (lines.now, lines.wanted, lines.seam))
    source_b = b - _drop(b, now, wanted)
    offsets = frame.pixels(torch.stack([source_a - a, source_b - b], dim=-1))
    moved = functional.grid_sample(rgb, (pixels + offsets) * (2 / side) - 1, padding_mode="border", align_corners=False)
    return Warped(moved, source_a, b, wanted, seam[:, 0], now[:, LOWER_INNER] - now[:, UPPER_INNER])


def _spread(a: Tensor, b: Tensor, heard: Tensor) -> Tensor:
    """How many times wider the face is at (a, b): [n, h, w]."""
    wider = SPREAD * heard[:, 1] - NARROWS * heard[:, 0]
    return 1 + wider[:, None, None] * bump(a / SPREAD_REACH) * bump(b / ABOVE)


def _at(table: Tensor, a: Tensor) -> Tensor:
    """Lines [n, 7, COLUMNS] looked up at a [n, h, w]: [n, 7, h, w]."""
    where = torch.stack([a / REACH, torch.zeros_like(a)], dim=-1)
    return functional.grid_sample(table[:, :, None], where, padding_mode="border", align_corners=True)


def _drop(b: Tensor, now: Tensor, wanted: Tensor) -> Tensor:
    """How far the skin seen at b has come down: linear between the wanted lines, 0 beyond them."""
    moves = wanted - now
    drop = torch.zeros_like(b)
    for line in range(wanted.shape[1] - 1):
        strip = (wanted[:, line + 1] - wanted[:, line]).clamp(min=THINNEST)
        drop += ((b - wanted[:, line]) / strip).clamp(0, 1) * (moves[:, line + 1] - moves[:, line])
    return drop
