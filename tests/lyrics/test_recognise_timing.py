"""From attention to words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lipsync_studio.pipelines.lyrics.recognise.pieces import Piece, Pieces
from lipsync_studio.pipelines.lyrics.recognise.timing import FRAME, timed_words
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shown:
    """What a decoder shows."""

    frames: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def test_the_median_of_several_pauses_counts() -> None:
    attention = np.full((2, 100), 1e-4, np.float32)
    attention[0, 10:20] = attention[1, 70:80] = 0.05
    attention[1, 50:60], attention[1, 60:70] = 0.003, 0.006  # the second word grows clearer
    pieces = Pieces((1, 2), np.ones(2, bool), (Piece("one", " ", 0, 1), Piece("two", "", 1, 2)))
    shown = Shown(attention, np.array([0.5, 0.9], np.float32))
    starts = {}
    for levels in ((0.002,), (0.004,), (0.008,), (0.002, 0.004, 0.008)):
        words = timed_words(pieces, shown, [np.full(100, level) for level in levels], 5.0, 7.0)
        starts[levels] = round((words[1].start - 5) / FRAME)
        assert round((words[0].start - 5) / FRAME) == 10
    assert list(starts.values()) == [50, 60, 70, 60]
