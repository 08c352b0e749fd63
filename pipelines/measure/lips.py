"""Whether the mouth opens when there is something to hear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.floating]

LONGEST_LAG = 0.6  # s that are searched each way, as SyncNet's 15 frames
LEAST_FRAMES = 25  # fewer tell nothing

_UPPER, _LOWER = [61, 62, 63], [67, 66, 65]  # of the inner lips, above each other
_CORNERS = [48, 54]


@dataclass(frozen=True)
class LipsAndSound:
    """correlation: the best, -1 to 1. lag: frames by which the lips are behind the sound there; below 0, ahead.
    at_zero: the correlation without any lag. frames: that were compared."""

    correlation: float
    lag: int
    at_zero: float
    frames: int


def opening(landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
    """float32 [n]: the mean distance of the inner lips over the width of the mouth, of iBUG points [n, 68, 2]."""
    lips = np.linalg.norm(landmarks[:, _UPPER] - landmarks[:, _LOWER], axis=2).mean(axis=1)
    width = np.linalg.norm(landmarks[:, _CORNERS[1]] - landmarks[:, _CORNERS[0]], axis=1)
    return (lips / np.maximum(width, 1e-6)).astype(np.float32)


def lips_and_sound(
    openings: Curve, seconds: NDArray[np.float64], envelope: Callable[[NDArray[np.float64]], Curve], rate: float
) -> LipsAndSound | None:
    """The lag at which openings and loudness agree best (Pearson's correlation); None where nothing can be told.

    openings: [n], NaN where unknown. seconds: [n], when each frame is seen. envelope: loudness at given times. rate:
    frames per second. Real synced clips give 0.35 to 0.57 at 0 to 3 frames, and near 0 far away.
    """
    known = np.isfinite(openings)
    if known.sum() < LEAST_FRAMES:
        return None
    reach = round(LONGEST_LAG * rate)
    lags = np.arange(-reach, reach + 1)
    found = [_correlation(openings[known], envelope(seconds[known] - lag / rate)) for lag in lags]
    if not np.isfinite(found).any():
        return None
    best = int(np.nanargmax(found))
    return LipsAndSound(found[best], int(lags[best]), found[reach], int(known.sum()))


def _correlation(one: Curve, other: Curve) -> float:
    """NaN where one of them is constant."""
    deviations = [curve - np.mean(curve, dtype=np.float64) for curve in (one, other)]
    length = float(np.prod([np.linalg.norm(deviation) for deviation in deviations]))
    return float(np.dot(*deviations)) / length if length > 1e-12 else float("nan")
