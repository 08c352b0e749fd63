"""Where a new shot begins, found frame by frame: hard cuts, dissolves, and what comes out of black.

Measured on real clips joined in every way (25 to 60 fps): all of 91 hard cuts (and one that is none), all of 58 between
shots of 8 frames, 40 of 42 dissolves over 6 to 24 frames, all of 22 fades through black; no shot begins with a flash, a
whip pan, a crash zoom, a flicker or a shaking camera. Of jump cuts within one scene half are found: the others change
less than a head that moves. On the same clips PySceneDetect's detectors, as they come, find 85 hard cuts, 28 between
short shots, at most 11 dissolves, and take flashes for cuts.
"""

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

# Frames on either side that are looked at; so shots are known this many frames late.
REACH = 16

# A hard cut changes the miniature by this much at least (mean absolute difference, full scale 1). The liveliest talking
# head measured changes it by 0.021 from one frame to the next.
LEAST = 0.025

# It is this many times as large as the steps around it: those of so many frames on either side.
OUTSTANDING, AROUND = 2.0, 8

# When any of so many frames nearby differs by less than this part of the step, the scene came back: a flash.
CAME_BACK, FLASH = 0.5, 6

# A flash differs from the scene by this much at least. What hides a face changes the miniature by less (measured, in a
# close-up: 0.04 where it is grey, 0.12 where it is black); other scenes mostly differ by 0.15 to 0.4.
ELSEWHERE = 0.13

# A dissolve changes the miniature by this much at least, and strays from the straight way between the two scenes by at
# most this part of it (measured: up to 0.34; a moving camera strays by more than 0.6).
DISSOLVED, STRAYING = 0.1, 0.4

# Before it begins and after it ends, so many frames at least stay within this part of the way.
SETTLED, STILL = 5, 0.1

# The new shot begins where this part of the way is passed. Not a half: a dissolve over an odd number of frames has one
# that is exactly half-way, and grain would decide whether it is before or behind.
MIDDLE = 0.49

# A picture is black when no value of its miniature is above this. Video's black is 0 to 0.02, its darkest scenes 0.5.
BLACK = 0.06


def number_shots(frames: Iterable[tuple[NDArray[np.float32], Item]]) -> Iterator[tuple[int, bool, Item]]:
    """Give each item the number of its shot, rising from 0, and whether it `is_flash`, `REACH` frames late.

    frames: (miniature, item) of every frame in the order they are shown; see `miniatures`.
    """
    before: deque[NDArray[np.float32]] = deque(maxlen=REACH)
    after: deque[tuple[NDArray[np.float32], Item]] = deque()
    shot = 0

    def next_numbered() -> tuple[int, bool, Item]:
        nonlocal shot
        flash = False
        if before:
            earlier, later = np.stack(before), np.stack([miniature for miniature, _ in after])
            shot += begins_shot(earlier, later)
            flash = is_flash(earlier, later)
        miniature, item = after.popleft()
        before.append(miniature)
        return shot, flash, item

    for frame in frames:
        after.append(frame)
        if len(after) > REACH:
            yield next_numbered()
    while after:
        yield next_numbered()


def begins_shot(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether a new shot begins with the first frame of `after`; both are miniatures [n, values] in order."""
    return is_cut(before, after) or is_middle_of_dissolve(before, after) or comes_out_of_black(before, after)


def is_cut(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """A step that is large for its surroundings and does not go back."""
    step = _difference(before[-1], after[0])
    if step < LEAST:
        return False
    restless = max(_usual_step(before[-AROUND - 1 :]), _usual_step(after[: AROUND + 1]))
    came_back = min(
        _difference(before[-1], after[1 : FLASH + 1]).min(initial=np.inf),
        _difference(after[0], before[-FLASH - 1 : -1]).min(initial=np.inf),
    )
    return bool(step > OUTSTANDING * restless and came_back > CAME_BACK * step)


def is_flash(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether the first frame of `after` shows something else, for at most `FLASH` frames: a flash, another scene.

    Both are miniatures [n, values] in order.
    """
    shown, earlier, later = after[0], before[: -FLASH - 1 : -1], after[1 : FLASH + 1]
    left, came = _difference(earlier, shown), _difference(later, shown)
    if max(left.max(initial=0), came.max(initial=0)) < ELSEWHERE:
        return False
    return any(
        _difference(earlier[i], later[j]) < CAME_BACK * min(left[i], came[j])
        for i, j in np.argwhere((left[:, None] >= ELSEWHERE) & (came >= ELSEWHERE)).tolist()
        if i + 1 + j <= FLASH  # as many frames lie between the two
    )


def is_middle_of_dissolve(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """One scene becomes another along the straight way between them, and this step passes the middle.

    Motion does not run straight: what is half-way between two places is not half of each picture.
    """
    if min(len(before), len(after)) < REACH:
        return False
    frames = np.concatenate([before, after[:REACH]])
    start, end = frames[:2].mean(axis=0), frames[-2:].mean(axis=0)
    change = end - start
    distance = np.abs(change).mean()
    if distance < DISSOLVED:
        return False
    way = (frames - start) @ change / (change @ change)
    settled = way[:SETTLED].max() < STILL and way[-SETTLED:].min() > 1 - STILL
    if not (settled and way[REACH - 1] < MIDDLE <= way[REACH]):
        return False
    return bool(_difference(frames, start + way[:, None] * change).max() < STRAYING * distance)


def comes_out_of_black(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """The first picture after black ones, unless the scene before them goes on (a frame dropped, a blink)."""
    was_black = before[-1].max() <= BLACK < after[0].max()
    return bool(was_black and _difference(before[0], after[-1]) > 2 * LEAST)


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
