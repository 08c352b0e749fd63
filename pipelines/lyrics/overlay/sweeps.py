"""How the colour of a line changes while it is sung: word after word, or an edge that moves through each word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from .layout import Block, Placed
from .sprites import Floats, Sprite
from .style import Highlight
from .words import TimedWord, held

# Seconds: a shorter pause between two words does not take the highlight off the first, which would flicker.
_SHORT_PAUSE = 0.3


@dataclass(frozen=True)
class Sweep:
    """One run of a line. rows, and columns from `left` to `right`: the px of the sprite that it colours.

    start, stop: px where the edge is at seconds `begin` and `end`; start > stop where text runs from right to left.
    moves: whether there is an edge; else the run is coloured from `begin` to `end` only.
    """

    rows: slice
    left: int
    right: int
    start: float
    stop: float
    begin: float
    end: float
    moves: bool = True

    def coloured(self, seconds: float) -> tuple[float, float]:
        """(left, right) px of the part that shows the colour of what is sung; equal when there is none."""
        if seconds < self.begin or (not self.moves and seconds >= self.end):
            return self.left, self.left
        if not self.moves or seconds >= self.end:
            return self.left, self.right
        edge = self.start + (seconds - self.begin) / (self.end - self.begin) * (self.stop - self.start)
        edge = min(max(edge, self.left), self.right)
        return (edge, self.right) if self.start > self.stop else (self.left, edge)


def paint(rgb: Floats, sprite: Sprite, runs: Sequence[Sweep], seconds: float) -> None:
    """Write the line as it looks at a time to `rgb`: float32 [h, w, 3], 0-1."""
    rgb[:] = sprite.before
    for run in runs:
        left, right = run.coloured(seconds)
        if left < right:
            _fill(rgb[run.rows], sprite.after[run.rows], left, right)


def sweeps(
    block: Block, words: tuple[TimedWord, ...], highlight: Highlight, origin: tuple[float, float], sprite: Sprite
) -> tuple[Sweep, ...]:
    """One for each run of a block that lies at `origin` (x, y px) in its sprite. Together they cover all of it.

    A word that was not found is swept over in its share of the time, but never highlighted by itself.
    """
    if highlight == "none":
        return ()
    if highlight == "word":
        words = held(words, _SHORT_PAUSE)
    height, width = sprite.alpha.shape
    areas = _areas(block, origin, width, height)
    times = _times(block, words) if highlight == "wipe" else [_whole(words[item.word]) for item in block.placed]
    found = []
    for item, (rows, left, right), (begin, end) in zip(block.placed, areas, times, strict=True):
        if highlight == "wipe" or words[item.word].heard:
            start, stop = origin[0] + item.x, origin[0] + item.x + item.width
            if item.run.right_to_left:
                start, stop = stop, start
            found.append(Sweep(rows, left, right, start, stop, begin, end, highlight == "wipe"))
    return tuple(found)


def _whole(word: TimedWord) -> tuple[float, float]:
    return word.begin, word.end


def _times(block: Block, words: tuple[TimedWord, ...]) -> list[tuple[float, float]]:
    """(begin, end) of each run: the time of its word, shared by width. The space after a word takes none of it."""
    times: list[tuple[float, float]] = []
    for number, group in groupby(block.placed, key=lambda item: item.word):
        word, items = words[number], list(group)
        widths = [item.width for item in items]
        inked = max((index for index, item in enumerate(items) if not item.run.text.isspace()), default=-1)
        widths[inked + 1 :] = [0.0] * (len(items) - inked - 1)
        done, total = 0.0, sum(widths) or 1.0
        for width in widths:
            shares = done / total, (done + width) / total
            times.append(tuple(word.begin + share * (word.end - word.begin) for share in shares))
            done += width
    return times


def _areas(block: Block, origin: tuple[float, float], width: int, height: int) -> list[tuple[slice, int, int]]:
    """(rows, left, right) px of each run's area. Areas touch: between two runs, halfway; outside, up to the edge."""
    lines = [round(origin[1] + row * block.row_height) for row in range(1, block.rows)]
    bounds = [0, *(min(max(line, 0), height) for line in lines), height]
    areas: dict[int, tuple[slice, int, int]] = {}
    for row, group in groupby(enumerate(block.placed), key=lambda pair: pair[1].row):
        in_row = sorted(group, key=lambda pair: pair[1].x)
        edges = [0, *(_between(left, right, origin[0]) for (_, left), (_, right) in pairwise(in_row)), width]
        for (index, _), (left, right) in zip(in_row, pairwise(edges), strict=True):
            areas[index] = slice(bounds[row], bounds[row + 1]), left, right
    return [areas[index] for index in range(len(block.placed))]


def _between(left: Placed, right: Placed, origin: float) -> int:
    return round(origin + (left.x + left.width + right.x) / 2)


def _fill(rgb: Floats, sung: Floats, left: float, right: float) -> None:
    """Copy the columns from `left` to `right`; of a column that is only partly between them, that part."""
    first, last = math.ceil(left), math.floor(right)
    if last < first:  # both inside one column
        _mix(rgb, sung, last, right - left)
        return
    rgb[:, first:last] = sung[:, first:last]
    _mix(rgb, sung, first - 1, first - left)
    _mix(rgb, sung, last, right - last)


def _mix(rgb: Floats, sung: Floats, column: int, part: float) -> None:
    if part > 0:
        rgb[:, column] += part * (sung[:, column] - rgb[:, column])
