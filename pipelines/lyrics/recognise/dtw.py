"""From what a decoder listened to, to when each token was said: dynamic time warping with pauses.

Every token is given the frames it was heard in: one stretch each, in order, and between words there may be stretches
that belong to nobody. The path of the largest summed log attention wins; a frame of a pause counts as if a token paid a
given share of its attention. Without pauses the silence between two words would be part of the second, and the first
word of a sound would begin at 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# The end of a word is heard less clearly than its beginning: it fades down to this.
FADED = 0.002  # share of a token's attention
# Frames. Shorter gaps between words are closures of plosives, not pauses.
SHORTEST_PAUSE = 10

_LEAST = 1e-5  # keeps the logarithm finite
_NEVER = -1e18

Spans = NDArray[np.int64]


def token_spans(attention: NDArray[np.float32], begins: NDArray[np.bool_], pauses: NDArray[np.floating]) -> Spans:
    """Where each token was heard: int64 [tokens, 2], first frame and the one after the last.

    attention: [tokens, frames], shares as in `networks.whisper.Attention`. begins: [tokens]: a pause may come before
    this token. pauses: [frames], above 0: to a frame of a pause, every token pays less than this share.
    Raises ValueError when there are fewer frames than tokens.
    """
    count, frames = attention.shape
    if count == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if frames < count:
        raise ValueError(f"{count} tokens need as many frames, got {frames}")
    path = _best_path(_scores(attention, begins, pauses))
    states = 2 * np.arange(count) + 1
    return np.stack([np.searchsorted(path, states), np.searchsorted(path, states, side="right")], axis=1)


def faded_ends(spans: Spans, attention: NDArray[np.float32], limits: NDArray[np.int64]) -> NDArray[np.int64]:
    """[tokens]: where each token has faded away, or the next word begins.

    limits: [tokens]: the frame where the next word begins. A gap before it that is too short for a pause is closed.
    """
    ends = spans[:, 1].copy()
    for token, limit in enumerate(limits):
        silent = np.flatnonzero(attention[token, ends[token] : limit] < FADED)
        ends[token] = ends[token] + silent[0] if len(silent) else max(limit, ends[token])
        if 0 < limit - ends[token] <= SHORTEST_PAUSE:
            ends[token] = limit
    return ends


def _scores(
    attention: NDArray[np.float32], begins: NDArray[np.bool_], pauses: NDArray[np.floating]
) -> NDArray[np.float64]:
    """[2 * tokens + 1, frames]: pauses in even rows, each before its token, the last one after all of them."""
    scores = np.empty((2 * len(attention) + 1, attention.shape[1]))
    scores[::2] = np.log(pauses)
    scores[1::2] = np.log(attention + _LEAST)
    scores[:-1:2][~begins] = _NEVER
    return scores


def _best_path(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """[frames]: the state of each frame on the best way through all odd states (Viterbi). Even ones may be skipped."""
    states, frames = scores.shape
    steps = np.zeros((frames, states), dtype=np.int8)
    best = np.full(states, _NEVER)
    best[:2] = scores[:2, 0]
    options = np.full((3, states), _NEVER)  # from the same state, from the one before, over a pause
    for frame in range(1, frames):
        options[0] = best
        options[1, 1:] = best[:-1]
        options[2, 3::2] = best[1:-2:2]
        steps[frame] = options.argmax(axis=0)
        best = options.max(axis=0) + scores[:, frame]
    return _walked_back(steps, states - 1 if best[-1] > best[-2] else states - 2)


def _walked_back(steps: NDArray[np.int8], last: int) -> NDArray[np.int64]:
    path = np.empty(len(steps), dtype=np.int64)
    for frame in range(len(steps) - 1, -1, -1):
        path[frame] = last
        last -= int(steps[frame, last])
    return path
