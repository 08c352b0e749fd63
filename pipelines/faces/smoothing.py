"""Steady landmarks: trembling is averaged away, motion stays."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from ..core.faces import FaceTrack
from ..core.rows import Rows
from .pieces import blocks, stretches

# Frames in the mean: on a still head it leaves a ninth of the trembling from frame to frame. A longer one would leave
# less on a still head, and find fewer heads still.
WINDOW = 9

# What counts as trembling at full strength, in parts of the face's side (the root of its box's area). It grows with the
# square of the strength, so 0.5 allows 0.5 %: the embedded mesh trembles by 0.1 %, the chin of people who talk moves by
# 0.3 to 1.6 % about its mean. Landmarks on a coarse grid (the reference's: 4 px at 1080p) need more than 0.5.
_TREMBLING = 0.02

# How many times as much as the landmarks the detector's boxes tremble (measured: 4 to 8).
_BOXES = 4.0

_REACH = WINDOW - 1  # frames on either side that a result depends on: half a window for each of two means


def smooth(track: FaceTrack, strength: float) -> FaceTrack:
    """Smooth landmarks and boxes, each coordinate on its own. strength: 0-1; 0 gives back the same track.

    Every coordinate becomes its moving mean plus what is left of its distance from that mean once trembling is taken
    out: nothing on a still head, nearly all where the head turns or the jaw drops. The windows are centred, so nothing
    lags behind, and a steady drift is smoothed without being changed. They end at cuts and gaps, where the motion is
    continued as a mirror image (the first and the last frame stay as they are).
    Source: the adaptive Wiener filter (Lim, "Two-Dimensional Signal and Image Processing", 1990, p. 548; as
    scipy.signal.wiener), along time, with a known noise and the power taken about the moving mean.
    """
    if strength == 0:
        return track
    boxes = track.boxes.copy()
    landmarks = Rows((68, 2), np.float32)
    for start, stop in stretches(track):
        for first, end in blocks(start, stop):
            here = slice(max(first - _REACH, start), min(end + _REACH, stop))
            if not track.present[first] or stop - start == 1:
                landmarks.add(track.landmarks[first:end])
                continue
            missing = (_REACH - (first - here.start), _REACH - (here.stop - end))
            noise = _TREMBLING * strength**2 * _sides(track.boxes[first:end])
            landmarks.add(_smoothed(track.landmarks[here], noise, missing))
            boxes[first:end] = _smoothed(track.boxes[here], _BOXES * noise, missing)
    return replace(track, boxes=boxes, landmarks=cast(NDArray[np.float32], landmarks.table()))


def _smoothed(values: NDArray[np.float32], noise: NDArray[np.float32], missing: tuple[int, int]) -> NDArray[np.float32]:
    """[n, ...] from `values` with `_REACH` frames more at either end, of which `missing` have to be made up.

    noise: [n], the standard deviation that counts as trembling.
    """
    columns = values.reshape(len(values), -1)
    columns = np.pad(columns, (missing, (0, 0)), mode="reflect", reflect_type="odd")
    half = WINDOW // 2
    mean = _mean(columns)
    detail = columns[half:-half] - mean
    power = _mean(np.square(detail))
    mean, detail = mean[half:-half], detail[half:-half]
    motion = np.maximum(power - np.square(noise)[:, None], 0)
    keep = motion / np.maximum(power, np.finfo(np.float32).tiny)
    return (mean + keep * detail).reshape(len(noise), *values.shape[1:])


def _mean(columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n - WINDOW + 1, c]: the mean of each window that lies inside `columns` [n, c]."""
    half = WINDOW // 2
    return uniform_filter1d(columns, WINDOW, axis=0)[half:-half]


def _sides(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n]: the root of each box's area, px."""
    return np.sqrt(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))
