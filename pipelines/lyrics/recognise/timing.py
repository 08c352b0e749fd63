"""When the words of a text were said: the decoder is given the text, and shows where it listens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.lyrics import Word
from .dtw import faded_ends, token_spans
from .pieces import Piece, Pieces

FRAME = 0.02  # seconds


class Timed(Protocol):
    """What a decoder shows of a text; see `networks.whisper.Attention`."""

    @property
    def frames(self) -> NDArray[np.float32]:
        """[tokens, frames]: shares of attention."""

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """[tokens], 0-1."""


def timed_words(
    pieces: Pieces, shown: Timed, pauses: Sequence[NDArray[np.floating]], start: float, end: float
) -> tuple[Word, ...]:
    """One `Word` for each of `pieces.words`, between `start` and `end`, the seconds that were listened to.

    shown: of `pieces.tokens`. pauses: as for `token_spans`, an odd number of them; the median of what follows from each
    counts. confidence: the mean probability of a word's tokens. With more tokens than frames of 20 ms nothing can be
    heard: the words are spread evenly, "filled in", with confidence 0.
    """
    if len(pieces.tokens) > shown.frames.shape[1]:
        return _spread(pieces.words, start, end)
    answers = [token_spans(shown.frames, pieces.begins, level) for level in pauses]
    spans = np.sort(answers, axis=0)[len(answers) // 2]  # in order, as each of them is
    ends = faded_ends(spans, shown.frames, _limits(pieces, spans, shown.frames.shape[1]))
    return tuple(_word(piece, spans, ends, shown.probabilities, start, end) for piece in pieces.words)


def _limits(pieces: Pieces, spans: NDArray[np.int64], frames: int) -> NDArray[np.int64]:
    """[tokens]: where a token has to have ended: at the next one of its word, or at the next word."""
    limits = np.r_[spans[1:, 0], frames]
    for word, following in zip(pieces.words, pieces.words[1:], strict=False):
        limits[word.last - 1] = spans[following.first, 0]
    if pieces.words:
        limits[pieces.words[-1].last - 1] = frames
    return limits.clip(min=spans[:, 1])


def _word(
    piece: Piece,
    spans: NDArray[np.int64],
    ends: NDArray[np.int64],
    chances: NDArray[np.float32],
    start: float,
    end: float,
) -> Word:
    first, last = float(spans[piece.first, 0]), float(ends[piece.last - 1])
    edges = start + FRAME * (first + (last - first) * np.array(piece.share))
    begin, stop = edges.clip(start, end).tolist()
    confidence = float(chances[piece.first : piece.last].mean().clip(0, 1))
    return Word(piece.text, begin, stop, confidence, "heard", piece.after)


def _spread(words: tuple[Piece, ...], start: float, end: float) -> tuple[Word, ...]:
    edges = np.linspace(start, end, len(words) + 1).tolist()
    return tuple(
        Word(piece.text, edges[number], edges[number + 1], 0.0, "filled in", piece.after)
        for number, piece in enumerate(words)
    )
