"""The lines across a lower face, from its landmarks, and where they belong for a wanted mouth.

Everything is measured in the mouth's own frame: a runs along the line between the corners of the mouth, b from there
towards the chin, both in units of about half a mouth's width. Seven lines, top to bottom, cross the face. Skin
between two lines is stretched or squeezed as they move:

    NOSE         below the nose, stays
    UPPER_OUTER  upper lip, outer edge
    UPPER_INNER  upper lip, inner edge
    LOWER_INNER  lower lip, inner edge
    LOWER_OUTER  lower lip, outer edge
    CHIN         drops with the jaw
    NECK         below the chin, stays
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

NOSE, UPPER_OUTER, UPPER_INNER, LOWER_INNER, LOWER_OUTER, CHIN, NECK = range(7)

# iBUG points, left to right in the picture.
LINE_POINTS: Final = {
    UPPER_OUTER: (48, 49, 50, 51, 52, 53, 54),
    UPPER_INNER: (60, 61, 62, 63, 64),
    LOWER_INNER: (60, 67, 66, 65, 64),
    LOWER_OUTER: (48, 59, 58, 57, 56, 55, 54),
}
REACH: Final = 2.6  # the lines are known for a from -REACH to REACH; the warp has faded out there
COLUMNS: Final = 105  # one every 0.05

# Proportions, all in units of half a mouth's width unless said otherwise; chosen by eye on real faces.
GAPE: Final = 0.7  # between the lips when the mouth is wide open
UPPER_SHARE: Final = 0.2  # of the gape is the upper lip's; the jaw makes the rest
ROUNDNESS: Final = 0.8  # of the opening's ends: 0.5 an ellipse, 1 two parabolas
SEAM: Final = 0.35  # where between the lips of an open mouth they meet when it closes; 0 is the upper lip
INSET: Final = 0.25  # of the parting: an open mouth's inside, with its bright teeth, reaches under the lips' edges
WIDEST_INSET: Final = 0.1
LIP_FOLLOWS: Final = 0.85  # how far a lip's outer edge moves with its inner one
JAW_FOLLOWS: Final = 0.6  # how far the chin moves with the middle of the lower lip
CORNER_FOLLOWS: Final = 0.12  # how far the corners move with the middle of the lower lip
JAW_REACH: Final = 2.4
CORNER_REACH: Final = 1.0  # beyond the corners
LEAST_STRIP: Final = 0.02  # lines keep at least this far apart, so that nothing folds over
ABOVE: Final = 1.3  # nothing further above the mouth moves
NECK_BELOW_CHIN: Final = 0.9
SQUEEZE: Final = 0.6  # the chin takes at most this share of the room below it


@dataclass(frozen=True)
class MouthFrame:
    """Where the mouth's own frame lies in each crop.

    centre: [n, 2] px. along: [n, 2], unit vector from corner to corner. down: [n, 2], unit vector towards the chin.
    unit: [n] px. usable: bool [n], False where the landmarks do not form a face that this warp can move.
    """

    centre: Tensor
    along: Tensor
    down: Tensor
    unit: Tensor
    usable: Tensor

    @classmethod
    def of(cls, landmarks: Tensor) -> MouthFrame:
        """From float32 [n, 68, 2] px."""
        left, right, nose, chin = (landmarks[:, i] for i in (48, 54, 33, 8))
        height = (chin - nose).norm(dim=1)
        half = (right - left).norm(dim=1) / 2
        along = (right - left) / (2 * half).clamp(min=1e-3)[:, None]
        down = torch.stack([-along[:, 1], along[:, 0]], dim=1)
        down = torch.where(((chin - nose) * down).sum(1, keepdim=True) < 0, -down, down)
        centre = (left + right) / 2
        # A profile's mouth is short; from the nose to the chin stays long.
        unit = torch.maximum(half, height / 4).clamp(min=1e-3)
        above = ((centre - nose) * down).sum(1) / unit
        below = ((chin - centre) * down).sum(1) / unit
        return cls(centre, along, down, unit, usable=(height > 8) & (half > 2) & (above > 0.1) & (below > 0.4))

    def local(self, points: Tensor) -> Tensor:
        """[n, ..., 2] px to the same in (a, b)."""
        spread = (len(self.unit),) + (1,) * (points.ndim - 2)
        moved = points - self.centre.view(*spread, 2)
        axes = torch.stack([self.along, self.down], dim=2) / self.unit[:, None, None]
        return (moved.flatten(1, -2) @ axes).view_as(moved)

    def pixels(self, offsets: Tensor) -> Tensor:
        """Offsets [n, ..., 2] in (a, b) to the same in px."""
        axes = torch.stack([self.along, self.down], dim=1) * self.unit[:, None, None]
        return (offsets.flatten(1, -2) @ axes).view_as(offsets)


@dataclass(frozen=True)
class Lines:
    """The lines now and as wanted.

    now, wanted: [n, 7, COLUMNS], b of each line at a = -REACH..REACH. seam: [n, 1, COLUMNS], where closed lips meet.
    """

    now: Tensor
    wanted: Tensor
    seam: Tensor

    @classmethod
    def of(cls, frame: MouthFrame, landmarks: Tensor, opening: Tensor, bottom: Tensor) -> Lines:
        """For landmarks [n, 68, 2] px, an opening [n] 0-1, and the b of the crop's lower edge [n]."""
        columns = torch.linspace(-REACH, REACH, COLUMNS)
        points = frame.local(landmarks)
        now = _lines_now(points, columns, bottom)
        moves = _moves(now, points, columns, opening)
        return cls(now, _apart(now + moves), torch.lerp(now[:, UPPER_INNER], now[:, LOWER_INNER], SEAM)[:, None])


def _lines_now(points: Tensor, columns: Tensor, bottom: Tensor) -> Tensor:
    lips = {line: _lip(points[:, list(chosen)], columns) for line, chosen in LINE_POINTS.items()}
    nose = points[:, 31:36, 1].amax(1).clamp(min=-ABOVE)
    chin = points[:, 8, 1]
    neck = torch.minimum(chin + NECK_BELOW_CHIN, bottom)
    flat = {NOSE: nose, CHIN: chin, NECK: neck}
    inset = INSET * (lips[LOWER_INNER] - lips[UPPER_INNER]).clamp(min=0, max=WIDEST_INSET)
    lips[UPPER_INNER] = lips[UPPER_INNER] - inset
    lips[LOWER_INNER] = lips[LOWER_INNER] + inset
    level = [lips[k] if k in lips else flat[k][:, None].expand(-1, len(columns)) for k in range(7)]
    return _apart(torch.stack(level, dim=1))


def _moves(now: Tensor, points: Tensor, columns: Tensor, opening: Tensor) -> Tensor:
    """How far each line goes down at each column: [n, 7, COLUMNS]."""
    upper, lower = now[:, UPPER_INNER], now[:, LOWER_INNER]
    gap = lower - upper
    left, right = points[:, 60, 0:1], points[:, 64, 0:1]
    across = ((columns - left) / (right - left).clamp(min=1e-3)).clamp(0, 1)
    gape = GAPE * opening[:, None] * (4 * across * (1 - across)).pow(ROUNDNESS)
    upper_move = SEAM * gap - UPPER_SHARE * gape
    lower_move = (SEAM - 1) * gap + (1 - UPPER_SHARE) * gape
    middle = lower_move[:, len(columns) // 2, None]
    beyond = (columns.abs() - 1).clamp(min=0)
    corner = CORNER_FOLLOWS * middle * bump(beyond / CORNER_REACH)
    room = SQUEEZE * (now[:, NECK] - now[:, CHIN])
    jaw = torch.minimum(JAW_FOLLOWS * middle * bump(columns / JAW_REACH), room)
    still = torch.zeros_like(jaw)
    return torch.stack(
        [
            still,
            LIP_FOLLOWS * upper_move + corner,
            upper_move + corner,
            lower_move + corner,
            LIP_FOLLOWS * lower_move + corner,
            jaw,
            still,
        ],
        dim=1,
    )


def bump(x: Tensor) -> Tensor:
    """1 at 0, falling smoothly to 0 at -1 and 1, and 0 beyond."""
    return (1 - x.square()).clamp(min=0).square()


def _lip(points: Tensor, columns: Tensor) -> Tensor:
    """b at each column of the lip's edge through points [n, k, 2] (a, b): [n, COLUMNS]. Level beyond its ends.

    Linear in the angle of an ellipse over the lip's width: between two points at its end the edge is as round as a
    lip is, where a straight line would cut into it.
    """
    order = points[..., 0].argsort(dim=1)
    a = points[..., 0].gather(1, order)
    b = points[..., 1].gather(1, order)
    knots, at = _angle(a, a), _angle(columns.expand(len(a), -1), a)
    right = torch.searchsorted(knots, at).clamp(1, a.shape[1] - 1)
    left_angle, right_angle = knots.gather(1, right - 1), knots.gather(1, right)
    share = (at - left_angle) / (right_angle - left_angle).clamp(min=1e-4)
    return torch.lerp(b.gather(1, right - 1), b.gather(1, right), share.clamp(0, 1))


def _angle(a: Tensor, ends: Tensor) -> Tensor:
    """-pi/2 at the first of `ends`, pi/2 at the last: the angle of an ellipse at a."""
    left, right = ends[:, :1], ends[:, -1:]
    return ((a - left) / (right - left).clamp(min=1e-3) * 2 - 1).clamp(-1, 1).asin().contiguous()


def _apart(lines: Tensor) -> Tensor:
    """The same lines, each at least LEAST_STRIP below the one above it; the inner lips may touch."""
    strips = torch.full((lines.shape[1], 1), LEAST_STRIP)
    strips[[NOSE, LOWER_INNER]] = 0
    offsets = strips.cumsum(0)
    return (lines - offsets).cummax(dim=1).values + offsets
