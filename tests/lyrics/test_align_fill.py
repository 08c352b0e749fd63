"""Times made whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Word
from lipsync_studio.pipelines.lyrics.align.clean import clean
from lipsync_studio.pipelines.lyrics.align.fill import LETTER_MOST, SHORTEST, whole
from lipsync_studio.pipelines.lyrics.align.times import Times

UNKNOWN = (float("nan"), float("nan"))


def filled(text: str, *times: tuple[float, float], seconds: float = 100.0) -> list[Word]:
    starts, ends = np.array(times, dtype=np.float64).T.copy()
    known = Times(starts, ends, np.where(np.isnan(starts), 0.0, 0.8))
    return [word for line in whole(clean(text), known, Times.unknown(len(times)), seconds) for word in line.words]


def test_known_words_keep_their_times() -> None:
    assert filled("one two", (1.0, 1.5), (2.0, 2.4)) == [Word("one", 1.0, 1.5, 0.8), Word("two", 2.0, 2.4, 0.8)]


def test_a_word_between_known_ones_fills_the_room_by_its_letters() -> None:
    words = filled("one four to end", (1.0, 1.3), UNKNOWN, UNKNOWN, (1.9, 2.2))
    assert [(word.source, round(word.start, 6), round(word.end, 6)) for word in words[1:3]] == [
        ("filled in", 1.3, 1.7),
        ("filled in", 1.7, 1.9),
    ]


def test_no_letter_is_drawn_out_into_an_instrumental() -> None:
    words = filled("one two three", (1.0, 1.3), UNKNOWN, (30.0, 30.5))
    assert (words[1].start, words[1].end) == pytest.approx((1.3, 1.3 + 3 * LETTER_MOST))


def test_words_at_the_edge_of_a_line_stay_with_it() -> None:
    words = filled("one two\nthree four", (1.0, 1.3), UNKNOWN, UNKNOWN, (30.0, 30.4))
    assert words[1].start == pytest.approx(1.3)
    assert words[1].end < 3
    assert words[2].end == pytest.approx(30.0)
    assert words[2].start > 28


def test_a_line_without_any_time_is_not_found() -> None:
    words = filled("one\nnobody sings\nend", (1.0, 1.3), UNKNOWN, UNKNOWN, (9.0, 9.4))
    assert [(word.source, word.confidence) for word in words[1:3]] == [("not found", 0.0)] * 2
    assert all(1.3 <= word.start == word.end <= 9.0 for word in words[1:3])


def test_a_word_without_room_is_not_found() -> None:
    words = filled("one impossible end", (1.0, 1.3), UNKNOWN, (1.31, 1.6))
    assert words[1].source == "not found"


def test_a_time_out_of_order_gives_way() -> None:
    words = filled("one two three four", (1.0, 1.3), (50.0, 50.3), (1.8, 2.0), (2.2, 2.5))
    assert [word.source for word in words] == ["heard", "filled in", "heard", "heard"]
    assert (words[1].start, words[1].end) == pytest.approx((1.3, 1.8))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, Times, Times, float]:
    lines = draw(
        st.lists(st.lists(st.sampled_from(["a", "two", "letters"]), min_size=1, max_size=4), min_size=1, max_size=5)
    )
    count, seconds = sum(map(len, lines)), draw(st.floats(0.05, 60))
    moment = st.floats(0, seconds) | st.just(float("nan"))
    starts, guesses = (np.array(draw(st.lists(moment, min_size=count, max_size=count))) for _ in range(2))
    ends = np.minimum(starts + draw(st.floats(0, 5)), seconds)
    known = Times(starts, ends, np.where(np.isnan(starts), 0.0, 0.5))
    return "\n".join(" ".join(line) for line in lines), known, Times(guesses, guesses, np.zeros(count)), seconds


@settings(deadline=None)
@given(cases())
def test_words_are_all_there_in_order_and_within_the_sound(case: tuple[str, Times, Times, float]) -> None:
    text, known, guesses, seconds = case
    lines = whole(clean(text), known, guesses, seconds)
    assert "\n".join(line.text for line in lines) == text
    words = [word for line in lines for word in line.words]
    assert all(0 <= word.start <= word.end <= seconds + 1e-9 for word in words)
    assert all(before.start <= after.start for before, after in pairwise(words))
    sung = [word for word in words if word.source != "not found"]
    shortest = min(SHORTEST, seconds / max(len(sung), 1))
    assert all(word.end - word.start >= shortest - 1e-6 for word in sung)
    assert all(before.end <= after.start + 1e-6 for before, after in pairwise(sung))
    assert all(word.end == word.start and word.confidence == 0 for word in words if word.source == "not found")
