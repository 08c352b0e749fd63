"""Two opinions on when each line is sung, made into one: what was recognised, and what was placed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .anchors import is_found, letter_seconds, letters_of
from .clean import Lyrics
from .times import Times

# Seconds by which the two may differ (median over a line's words) before the line counts as lost by the placing.
MOST_APART = 1.0
# Of a line that was not recognised, see `belief`. With whisper-tiny and -base on four songs, lines that are written but
# not sung got at most 0.04, and lines that were misheard and placed right, 0.12 and more.
LINE_BELIEVED = 0.08
# Of a single word in a line that is believed.
WORD_BELIEVED = 0.05


def fuse(lyrics: Lyrics, recognised: Times, placed: Times) -> Times:
    """Placed times, but recognised ones in lines that were recognised elsewhere. Unknown: what neither believes."""
    letters = letters_of(lyrics)
    rate = letter_seconds(recognised, letters)
    fused = Times.unknown(len(letters))
    row = 0
    for line in lyrics.lines:
        words = np.arange(row, row + len(line))
        found = is_found(recognised, letters, words)
        if found and _apart(recognised, placed, words) > MOST_APART:
            fused.take(recognised, words[recognised.known[words]])
        elif found or belief(placed, letters, rate, words) >= LINE_BELIEVED:
            believed = recognised.known[words] | (placed.confidence[words] >= WORD_BELIEVED)
            fused.take(placed, words[believed])
            fused.confidence[words] = np.maximum(fused.confidence[words], recognised.confidence[words] * found)
        row += len(line)
    return fused


def belief(placed: Times, letters: NDArray[np.float64], rate: float, words: NDArray[np.intp]) -> float:
    """How much the sound speaks for a line where it was placed, 0-1.

    The mean confidence over its letters, less where it was squeezed: a line that is not sung has to be put somewhere,
    and is put between others in a quarter of the time it needs. rate: seconds that a letter lasts.
    """
    lasts = float((placed.ends[words] - placed.starts[words]).sum()) / (rate * float(letters[words].sum()))
    return float(np.average(placed.confidence[words], weights=letters[words])) * min(1.0, lasts)


def _apart(recognised: Times, placed: Times, words: NDArray[np.intp]) -> float:
    known = words[recognised.known[words]]
    return float(np.median(np.abs(recognised.starts[known] - placed.starts[known])))
