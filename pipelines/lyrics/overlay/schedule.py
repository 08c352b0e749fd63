"""When each line is shown, and in which place among the lines shown with it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...core.lyrics import Line
from .style import MOST_LINES, OverlayStyle


@dataclass(frozen=True)
class Cue:
    """Line number `line` is shown from second `appear` to second `leave`, in place `slot` (0 is the first)."""

    line: int
    slot: int
    appear: float
    leave: float


@dataclass(frozen=True)
class Schedule:
    """slots: for each place the cues in it, one after the other, never two at once."""

    slots: tuple[tuple[Cue, ...], ...]

    def at(self, seconds: float) -> tuple[Cue, ...]:
        """What is shown at a time: at most one cue of each place."""
        shown = []
        for cues in self.slots:
            last = bisect_right(cues, seconds, key=lambda cue: cue.appear) - 1
            if last >= 0 and seconds < cues[last].leave:
                shown.append(cues[last])
        return tuple(shown)


def schedule(lines: Sequence[Line], style: OverlayStyle) -> Schedule:
    """Lines take the places in turn and stay where they are, as on a karaoke screen.

    A line appears up to `lead_in` seconds before it begins, as soon as its place is free. Lines that overlap are all
    shown: one whose place is still sung in takes another, a further one if need be, up to `MOST_LINES`. Beyond these
    the later line wins.
    """
    slots: list[list[Cue]] = [[] for _ in range(MOST_LINES)]
    turn = 0
    for number, line in enumerate(lines):
        slot = _place(slots, lines, line.start, turn, style.lines)
        before = slots[slot][-1] if slots[slot] else None
        free = 0.0
        if before is not None:
            free = _leave(lines[before.line], line.start, style.linger)
            slots[slot][-1] = replace(before, leave=free)
        appear = max(free, line.start - style.lead_in)
        slots[slot].append(Cue(number, slot, appear, line.end + style.linger))
        if slot < style.lines:
            turn = (slot + 1) % style.lines
    return Schedule(tuple(tuple(cue for cue in cues if cue.appear < cue.leave) for cues in slots))


def _place(slots: list[list[Cue]], lines: Sequence[Line], start: float, turn: int, count: int) -> int:
    """The place whose turn it is; when it is still sung in, the first that is not; else the one that is over first."""

    def busy_until(slot: int) -> float:
        return lines[slots[slot][-1].line].end if slots[slot] else 0.0

    in_turn = [(turn + step) % count for step in range(count)]
    order = [*in_turn, *range(count, MOST_LINES)]
    return next((slot for slot in order if busy_until(slot) <= start), min(order, key=busy_until))


def _leave(line: Line, following: float, linger: float) -> float:
    """When a line gives its place to one that begins at `following`: half of a short pause is left to it."""
    if line.end >= following:
        return following
    return min(line.end + linger, (line.end + following) / 2)
