"""Made-up tables of people in a clip, for what is arithmetic on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from lipsync_studio.pipelines.core.faces import ClipFaces, FaceTrack
from numpy.typing import NDArray

WIDTH, HEIGHT = 1000, 800

# The iBUG points of a schematic face, in sides of its box from its middle: jaw, brows, nose, eyes, lips.
_JAW = [(0.5 * np.sin(angle), -0.1 + 0.6 * np.cos(angle)) for angle in np.linspace(-np.pi / 2, np.pi / 2, 17)]
_BROWS = [(x, -0.3) for x in np.linspace(-0.35, 0.35, 10)]
_NOSE = [(0.0, y) for y in np.linspace(-0.2, 0.05, 4)] + [(x, 0.1) for x in np.linspace(-0.1, 0.1, 5)]
_EYES = [(x, -0.18) for x in np.linspace(-0.3, 0.3, 12)]
_LIPS = [(0.2 * np.cos(angle), 0.27 + 0.06 * np.sin(angle)) for angle in np.linspace(-np.pi, np.pi, 20, endpoint=False)]
SHAPE = np.array([*_JAW, *_BROWS, *_NOSE, *_EYES, *_LIPS], np.float32)


def box_at(x: float, y: float = 400.0, side: float = 100.0) -> list[float]:
    return [x - side / 2, y - side / 2, x + side / 2, y + side / 2]


def clip_faces(
    rows: Sequence[tuple[int, int, Sequence[float]]],
    shot: Sequence[int],
    scores: Sequence[float] | None = None,
    likeness: Sequence[Sequence[float]] | None = None,
    flashes: Sequence[int] = (),
) -> ClipFaces:
    """rows: (frame, person, box) of each face, with the landmarks of the schematic face. flashes: frames."""
    boxes = np.array([box for _, _, box in rows], np.float32).reshape(-1, 4)
    people = np.array([person for _, person, _ in rows], np.int32)
    count = int(people.max(initial=-1)) + 1
    middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return ClipFaces(
        frames=np.array([frame for frame, _, _ in rows], np.int32),
        people=people,
        boxes=boxes,
        landmarks=middle[:, None] + SHAPE * size[:, None],
        scores=np.ones(len(rows), np.float32) if scores is None else np.array(scores, np.float32),
        shot=np.array(shot, np.int32),
        flash=np.isin(np.arange(len(shot)), flashes),
        likeness=np.zeros((count, 0), np.float32) if likeness is None else np.array(likeness, np.float32),
        width=WIDTH,
        height=HEIGHT,
    )


def track_of(
    landmarks: NDArray[np.float32], boxes: NDArray[np.float32], present: Sequence[bool], shot: Sequence[int]
) -> FaceTrack:
    """A track whose absent frames are zeros, as they must be."""
    there = np.array(present, bool)
    return FaceTrack(
        present=there,
        bridged=np.zeros(len(there), bool),
        landmarks=np.where(there[:, None, None], landmarks, 0).astype(np.float32),
        boxes=np.where(there[:, None], boxes, 0).astype(np.float32),
        shot=np.array(shot, np.int32),
        width=WIDTH,
        height=HEIGHT,
    )
