"""Hard cuts, found frame by frame: a step that is large for its surroundings and does not go back."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

Item = TypeVar("Item")

# Pictures are compared as miniatures of this many pixels (rows, columns): motion and noise fade, the scene stays.
MINIATURE = (18, 32)

# Frames on either side that a step is compared with; so cuts are known this many frames late.
REACH = 8

# A cut changes the miniature by this much at least (mean absolute difference, full scale 1). The
# liveliest talking head measured changes it by 0.021 from one frame to the next.
LEAST = 0.025

# A cut is this many times as large as the steps around it.
OUTSTANDING = 2.0

# When any frame nearby differs by less than this part of the step, the scene came back: a flash, or a passer-by.
CAME_BACK = 0.5


def number_shots(frames: Iterable[tuple[NDArray[np.float32], Item]]) -> Iterator[tuple[int, Item]]:
    """Give each item the number of its shot, rising from 0, `REACH` frames late.

    frames: (miniature, item) of every frame in the order they are shown; see `miniatures`.
    """
    before: deque[NDArray[np.float32]] = deque(maxlen=REACH + 1)
    after: deque[tuple[NDArray[np.float32], Item]] = deque()
    shot = 0

    def next_numbered() -> tuple[int, Item]:
        nonlocal shot
        if before and is_cut(np.stack(before), np.stack([miniature for miniature, _ in after])):
            shot += 1
        miniature, item = after.popleft()
        before.append(miniature)
        return shot, item

    for frame in frames:
        after.append(frame)
        if len(after) > REACH:
            yield next_numbered()
    while after:
        yield next_numbered()


def is_cut(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether a new shot begins with the first frame of `after`; both are miniatures [n, values] in order."""
    step = _difference(before[-1], after[0])
    if step < LEAST:
        return False
    came_back = min(
        _difference(before[-1], after[1:]).min(initial=np.inf), _difference(after[0], before[:-1]).min(initial=np.inf)
    )
    restless = max(_usual_step(before), _usual_step(after))
    return bool(step > OUTSTANDING * restless and came_back > CAME_BACK * step)


def miniatures(thumbnails: Tensor) -> NDArray[np.float32]:
    """float32 [n, values], 0-1, from uint8 RGB thumbnails [n, h, w, 3]."""
    small = functional.interpolate(thumbnails.permute(0, 3, 1, 2).float(), size=MINIATURE, mode="area")
    return (small / 255).flatten(1).numpy()


def _usual_step(frames: NDArray[np.float32]) -> float:
    """The second largest step: one other cut nearby does not count, motion on every fourth frame does."""
    steps = np.sort(_difference(frames[1:], frames[:-1]))
    return float(steps[-2]) if len(steps) > 1 else 0.0


def _difference(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.abs(first - second).mean(axis=-1)
