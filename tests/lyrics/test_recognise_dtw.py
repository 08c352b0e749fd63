"""Which frames a token was heard in: planted attention is found again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.lyrics.recognise.dtw import FADED, SHORTEST_PAUSE, faded_ends, token_spans
from numpy.typing import NDArray

PAUSE = 0.008


def spans_of(attention: NDArray[np.float32], begins: NDArray[np.bool_]) -> NDArray[np.int64]:
    """With the same pause everywhere."""
    return token_spans(attention, begins, np.full(attention.shape[1], PAUSE))


def planted(spans: list[tuple[int, int]], frames: int) -> NDArray[np.float32]:
    """Attention that each token pays to its own frames only."""
    attention = np.full((len(spans), frames), 1e-4, np.float32)
    for token, (start, stop) in enumerate(spans):
        attention[token, start:stop] = 0.05
    return attention


@st.composite
def stretches(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int]:
    """Tokens of 1-20 frames with pauses of 0-40 between them; and frames in all."""
    place, spans = draw(st.integers(0, 40)), []
    for length, gap in draw(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 40)), min_size=1, max_size=12)):
        spans.append((place, place + length))
        place += length + gap
    return spans, place + draw(st.integers(0, 40))


@given(stretches())
def test_every_token_and_every_pause_is_found(made: tuple[list[tuple[int, int]], int]) -> None:
    spans, frames = made
    found = spans_of(planted(spans, frames), np.ones(len(spans), bool))
    assert [tuple(span) for span in found.tolist()] == spans


@given(st.integers(1, 12), st.integers(0, 50), st.integers(0, 2**32 - 1))
def test_any_attention_gives_stretches_in_order(tokens: int, more: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    attention = generator.dirichlet(np.full(tokens + more, 0.3), tokens).astype(np.float32)
    begins = generator.random(tokens) < 0.5
    found = spans_of(attention, begins)
    assert (found[:, 1] > found[:, 0]).all()
    assert found[0, 0] >= 0
    assert found[-1, 1] <= tokens + more
    gaps = found[1:, 0] - found[:-1, 1]
    assert (gaps >= 0).all()
    assert (gaps[~begins[1:]] == 0).all(), "a pause within a word"


def test_the_first_word_does_not_begin_with_the_sound() -> None:
    assert spans_of(planted([(60, 70)], 100), np.array([True])).tolist() == [[60, 70]]


def test_a_word_is_held_through_what_no_pause_is_heard_in() -> None:
    attention = np.full((2, 100), 1e-4, np.float32)
    attention[0, 10:20] = attention[1, 60:70] = 0.05
    attention[0, 20:60] = 0.004  # held
    pauses = np.full(100, 0.008)
    assert token_spans(attention, np.ones(2, bool), pauses).tolist() == [[10, 20], [60, 70]]
    pauses[20:60] = 0.002
    assert token_spans(attention, np.ones(2, bool), pauses).tolist() == [[10, 60], [60, 70]]


def test_no_tokens_have_no_frames() -> None:
    assert spans_of(np.zeros((0, 50), np.float32), np.zeros(0, bool)).shape == (0, 2)


def test_too_few_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="3 tokens need as many frames, got 2"):
        spans_of(np.ones((3, 2), np.float32), np.ones(3, bool))


@pytest.mark.parametrize(
    ("fading", "limit", "end"),
    [
        (0, 60, 20),  # it ends where it was heard last
        (15, 60, 35),  # it fades away
        (50, 60, 60),  # it fades until the next word
        (0, 20 + SHORTEST_PAUSE, 20 + SHORTEST_PAUSE),  # too short for a pause
        (0, 21 + SHORTEST_PAUSE, 20),
    ],
)
def test_where_a_word_ends(fading: int, limit: int, end: int) -> None:
    attention = np.full((1, 100), FADED / 2, np.float32)
    attention[0, 10:20] = 0.05
    attention[0, 20 : 20 + fading] = FADED * 2
    assert faded_ends(np.array([[10, 20]]), attention, np.array([limit])).tolist() == [end]
