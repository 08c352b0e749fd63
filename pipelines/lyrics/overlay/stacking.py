"""How high each line stands, so that lines shown together lie one above the other and none moves while it is shown."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import chain

from .schedule import Cue, Schedule
from .style import OverlayStyle


def tops(plan: Schedule, heights: Sequence[float], gap: float, style: OverlayStyle, height: int) -> dict[Cue, float]:
    """px of the upper edge of every cue on a picture of `height` px. heights: px, of each line by its number.
    gap: px between two lines.

    A line is as near to the edge of the picture as the lines shown with it allow; in the middle, lines that follow each
    other without a break are centred as a whole.
    """
    at_bottom, margin = style.position.startswith("bottom"), style.margin_y * height
    away = _distances(plan, [tall + gap for tall in heights], _from_the_edge(len(plan.slots), style.lines, at_bottom))
    if at_bottom:
        return {cue: height - margin - distance - heights[cue.line] for cue, distance in away.items()}
    if style.position.startswith("top"):
        return {cue: margin + distance for cue, distance in away.items()}
    return {cue: away[cue] + shift for cue, shift in _centred(plan, heights, away, height).items()}


def _from_the_edge(count: int, lines: int, at_bottom: bool) -> list[int]:
    """The places in order of their distance from the edge; further ones (for overlaps) are farthest."""
    usual = list(range(min(lines, count)))
    return [*(reversed(usual) if at_bottom else usual), *range(lines, count)]


def _distances(plan: Schedule, heights: Sequence[float], order: list[int]) -> dict[Cue, float]:
    """px between each cue and the edge: those shown with it in nearer places come first. heights: with the gaps."""
    away: dict[Cue, float] = {}
    for rank, slot in enumerate(order):
        for cue in plan.slots[slot]:
            nearer = chain.from_iterable(_shown_with(cue, plan.slots[other]) for other in order[:rank])
            away[cue] = max((away[other] + heights[other.line] for other in nearer), default=0.0)
    return away


def _shown_with(cue: Cue, others: Sequence[Cue]) -> Sequence[Cue]:
    first = bisect_right(others, cue.appear, key=lambda other: other.leave)
    return others[first : bisect_left(others, cue.leave, key=lambda other: other.appear)]


def _centred(plan: Schedule, heights: Sequence[float], away: dict[Cue, float], height: int) -> dict[Cue, float]:
    """px to move each cue by, the same for all that are chained together in time."""
    shifts: dict[Cue, float] = {}
    for chain_of_cues in _chains(plan):
        total = max(away[cue] + heights[cue.line] for cue in chain_of_cues)
        shifts.update(dict.fromkeys(chain_of_cues, (height - total) / 2))
    return shifts


def _chains(plan: Schedule) -> list[list[Cue]]:
    """Cues between two moments at which nothing is shown."""
    chains: list[list[Cue]] = []
    until = -1.0
    for cue in sorted(chain.from_iterable(plan.slots), key=lambda cue: cue.appear):
        if cue.appear >= until:
            chains.append([])
        chains[-1].append(cue)
        until = max(until, cue.leave)
    return chains
