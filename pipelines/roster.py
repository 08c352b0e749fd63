"""Who is in a clip, in words, for choosing who speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .core.faces import ClipFaces

MOST_LISTED = 20  # people; in a crowd the rest are only counted


def describe_people(found: ClipFaces) -> str:
    """A line for the clip, then one for each person, the largest first, as they are numbered."""
    count, shots = len(found.likeness), int(found.shot[-1]) + 1
    head = f"{_many(len(found), 'frame')} in {_many(shots, 'shot')}, {_many(count, 'person', 'people')}"
    order = np.argsort(found.people, kind="stable")  # frames stay in order within a person
    starts = np.searchsorted(found.people[order], np.arange(count + 1))
    listed = min(count, MOST_LISTED)
    lines = [_person(found, number, order[starts[number] : starts[number + 1]]) for number in range(listed)]
    rest = [f"... and {count - listed} more"] if count > listed else []
    return "\n".join([head, *lines, *rest])


def _person(found: ClipFaces, number: int, rows: NDArray[np.int64]) -> str:
    x0, y0, x1, y1 = (float(v) for v in found.boxes[rows[0]])
    height = float(np.median(found.boxes[rows, 3] - found.boxes[rows, 1]))
    shots = _runs(np.unique(found.shot[found.frames[rows]]))
    return (
        f"person {number}: {_many(len(rows), 'frame')}, shot {shots}, about {height:.0f} px high, "
        f"first in frame {found.frames[rows[0]]} at x {(x0 + x1) / 2:.0f}, y {(y0 + y1) / 2:.0f}"
    )


def _runs(numbers: NDArray[np.int32]) -> str:
    """Rising numbers as "0, 2-4"."""
    ends = np.flatnonzero(np.diff(numbers) != 1)
    firsts, lasts = numbers[np.append(0, ends + 1)], numbers[np.append(ends, -1)]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(firsts, lasts, strict=True))


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
