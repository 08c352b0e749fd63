"""LSE-C, LSE-D and the offset, from embeddings of lips and sound.

SyncNetInstance.py's calc_pdist and evaluate (joonson/syncnet_python@6efbb1c), by which the scores of papers are made
(LSE: Prajwal et al., "A Lip Sync Expert Is All You Need", 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

RATE = 25  # frames per second that SyncNet knows
SHIFTS = 15  # frames, how far sound and lips are moved against each other, each way
_ADDED = 1e-6  # to each difference: torch.pairwise_distance's eps
_AROUND = 25  # frames before and after a moment that its score is made of


@dataclass(frozen=True)
class SyncScore:
    """offset: frames of 1/25 s by which the sound is ahead of the lips; below 0, behind. distance: LSE-D, lower is
    better. confidence: LSE-C, higher is better."""

    offset: int
    distance: float
    confidence: float


def distances(seen: Floats, heard: Floats) -> Floats:
    """float32 [n, 31]: how far each embedding of lips [n, d] is from the sound 15 frames before it to 15 after it.

    heard: float32 [n + 30, d]: the sound from 15 frames before the first lips to 15 after the last. The original has
    zeros before the beginning and after the end, and these count.
    """
    columns = [
        np.linalg.norm(seen - heard[shift : shift + len(seen)] + np.float32(_ADDED), axis=1)
        for shift in range(2 * SHIFTS + 1)
    ]
    return np.stack(columns, axis=1)


def score(mean_distances: NDArray[np.floating]) -> SyncScore:
    """From the mean over frames of `distances`, [31]. Of equal distances, the first shift is taken."""
    best = int(mean_distances.argmin())
    least = float(mean_distances[best])
    return SyncScore(SHIFTS - best, least, float(np.median(mean_distances)) - least)


def score_at(table: Floats, frame: int) -> SyncScore:
    """Of about two seconds around a frame. table: `distances` of a segment, [n, 31]."""
    return score(table[max(frame - _AROUND, 0) : frame + _AROUND + 1].mean(axis=0))
