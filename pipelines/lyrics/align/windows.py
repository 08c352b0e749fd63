"""Which lines are listened to together, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .anchors import Span

# Seconds without singing that end a block: what lies between is an instrumental, and nothing is placed across it.
LONG_GAP = 4.0
# Seconds of sound around the lines of a window.
MARGIN = 1.0
# Whisper reads at most 448 tokens, and a token has two bytes or more of most scripts.
MOST_BYTES = 800


@dataclass(frozen=True)
class Window:
    """Seconds to place `lines` in. taken: those whose times count; the others are context."""

    start: float
    end: float
    lines: range
    taken: range


def plan(spans: Sequence[Span], sizes: Sequence[int], longest: float, seconds: float) -> list[Window]:
    """Windows of at most `longest` seconds that take each line once.

    sizes: bytes of each line. They overlap by a line on each side where the singing goes on, and end between lines
    that were found where they can.
    """
    windows = []
    for block in _blocks(spans):
        taken = block.start
        while taken < block.stop:
            lines, stop = _next(spans, sizes, block, taken, longest - 2 * MARGIN)
            windows.append(Window(*_audio(spans, lines, longest, seconds), lines, range(taken, stop)))
            taken = stop
    return windows


def _blocks(spans: Sequence[Span]) -> Iterator[range]:
    """Lines without a long gap between them. Lines that were not found may be anywhere in a gap, so they end none."""
    start = 0
    for line in range(1, len(spans) + 1):
        if line == len(spans) or spans[line].start - spans[line - 1].end > LONG_GAP:
            yield range(start, line)
            start = line


def _next(spans: Sequence[Span], sizes: Sequence[int], block: range, taken: int, longest: float) -> tuple[range, int]:
    """The lines of the window that takes line `taken` first, and the line before which it stops taking."""

    def fits(first: int, stop: int) -> bool:
        return spans[stop - 1].end - spans[first].start <= longest and sum(sizes[first:stop]) <= MOST_BYTES

    first = taken - 1 if taken > block.start and fits(taken - 1, taken + 1) else taken
    stop = taken + 1
    while stop < block.stop and fits(first, stop + 1):
        stop += 1
    if stop == block.stop:
        return range(first, stop), stop
    cuts = range(stop - 1, taken, -1)
    sure = (cut for cut in cuts if spans[cut - 1].found and spans[cut].found)
    return range(first, stop), next(sure, max(stop - 1, taken + 1))


def _audio(spans: Sequence[Span], lines: range, longest: float, seconds: float) -> tuple[float, float]:
    """From when to when: a margin on both sides, but not into a neighbour that is not placed with them.

    Cut to `longest` around the middle, and widened to `MARGIN` where there is no room between the neighbours.
    """
    start, end = spans[lines.start].start, spans[lines.stop - 1].end
    before = spans[lines.start - 1].end if lines.start else 0.0
    after = spans[lines.stop].start if lines.stop < len(spans) else seconds
    start = max(start - MARGIN, min(before, start), 0.0)
    end = min(end + MARGIN, max(after, end), seconds)
    beyond = max(0.0, end - start - longest) / 2 + min(0.0, end - start - MARGIN) / 2
    return max(start + beyond, 0.0), min(end - beyond, seconds)
