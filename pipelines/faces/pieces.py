"""A clip in pieces: stretches that belong together, and blocks that keep memory small."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.faces import FaceTrack

# Frames of which all landmarks (2 MB) are in memory at once.
BLOCK = 4096


def stretches(track: FaceTrack) -> Iterator[tuple[int, int]]:
    """(first, end) of each stretch of frames within one shot that all have the face or all lack it, in order."""
    edges = np.flatnonzero((np.diff(track.present) != 0) | (np.diff(track.shot) != 0)) + 1
    yield from zip([0, *edges.tolist()], [*edges.tolist(), len(track)], strict=True)


def blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """(first, end) of pieces of at most `BLOCK` frames that cover `start` up to `stop`."""
    for first in range(start, stop, BLOCK):
        yield first, min(first + BLOCK, stop)
