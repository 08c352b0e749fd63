"""Short gaps in a track, filled in between their two sides."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..core.faces import FaceTrack
from ..core.rows import Rows
from .pieces import blocks, stretches


def bridge_gaps(track: FaceTrack, longest: int, flash: NDArray[np.bool_]) -> FaceTrack:
    """Fill in gaps of at most `longest` frames by straight lines from the last frame before to the first one after.

    Only inside a shot: what begins or ends with a cut, or with the clip, stays a gap. So does one with a `flash` (bool
    [N], see `ClipFaces`) in it: nobody is behind it. The same track if there is nothing to fill in.
    """
    gaps = _gaps(track, longest, flash)
    if not gaps:
        return track
    present, bridged, boxes = track.present.copy(), track.bridged.copy(), track.boxes.copy()
    landmarks = Rows((68, 2), np.float32)
    for start, stop in stretches(track):
        if (start, stop) in gaps:
            landmarks.add(_between(track.landmarks[start - 1], track.landmarks[stop], stop - start))
            boxes[start:stop] = _between(boxes[start - 1], boxes[stop], stop - start)
            present[start:stop] = bridged[start:stop] = True
        else:
            for first, end in blocks(start, stop):
                landmarks.add(track.landmarks[first:end])
    table = cast(NDArray[np.float32], landmarks.table())
    return replace(track, present=present, bridged=bridged, boxes=boxes, landmarks=table)


def _gaps(track: FaceTrack, longest: int, flash: NDArray[np.bool_]) -> set[tuple[int, int]]:
    return {
        (start, stop)
        for start, stop in stretches(track)
        if stop - start <= longest
        and not track.present[start]
        and 0 < start
        and stop < len(track)
        and track.shot[start - 1] == track.shot[stop]
        and not flash[start:stop].any()
    }


def _between(first: NDArray[np.float32], last: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """[count, ...]: evenly on the way from `first` to `last`, without either."""
    share = np.arange(1, count + 1, dtype=np.float32) / (count + 1)
    share = share.reshape(-1, *(1,) * first.ndim)
    return first + share * (last - first)
