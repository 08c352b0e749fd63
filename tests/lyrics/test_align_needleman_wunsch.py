"""Which recognised word is which word of the lyrics."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.lyrics.align import needleman_wunsch
from lipsync_studio.pipelines.lyrics.align.needleman_wunsch import Heard, align

SECONDS = 0.4  # of a recognised word


def heard(text: str, pauses: dict[int, float] | None = None, unsure: tuple[int, ...] = ()) -> Heard:
    """Words one after the other. pauses: number of a word -> seconds of silence before it."""
    words = tuple(text.split())
    starts = np.cumsum([(pauses or {}).get(number, 0.0) for number in range(len(words))])
    starts = starts + SECONDS * np.arange(len(words))
    confidence = np.array([0.01 if number in unsure else 1.0 for number in range(len(words))])
    return Heard(words, starts, starts + SECONDS, confidence)


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def matched(known: str, recognised: Heard) -> dict[int, list[int]]:
    """Word of the lyrics -> the recognised words that are it, where they are alike."""
    return {
        word: list(range(pair.heard, pair.heard_stop))
        for pair in align(lines(known), recognised)
        if pair.similarity > 0.5
        for word in range(pair.known, pair.known_stop)
    }


@pytest.mark.parametrize(
    ("known", "recognised", "expected"),
    [
        ("the sun is up", "the sun is up", {0: [0], 1: [1], 2: [2], 3: [3]}),
        ("the sun is up", "the son is up", {0: [0], 1: [1], 2: [2], 3: [3]}),  # misheard
        ("the sun is up", "oh yeah the sun is up oh", {0: [2], 1: [3], 2: [4], 3: [5]}),  # ad-libs around a line
        ("the sun is up", "the big sun is up", {0: [0], 1: [2], 2: [3], 3: [4]}),  # and inside
        ("the sun is up", "the is up", {0: [0], 2: [1], 3: [2]}),  # not recognised
        ("cannot stop", "can not stop", {0: [0, 1], 1: [2]}),  # one is two
        ("all right now", "alright now", {0: [0], 1: [0], 2: [1]}),  # two are one
        ("first line here\nnever sung at all\nlast line now", "first line here last line now",
         {0: [0], 1: [1], 2: [2], 7: [3], 8: [4], 9: [5]}),
        ("nothing alike", "xyz qqq", {}),
        ("words", "", {}),
    ],
)  # fmt: skip
def test_known_cases(known: str, recognised: str, expected: dict[int, list[int]]) -> None:
    assert matched(known, heard(recognised)) == expected


def test_a_chorus_that_was_not_recognised_does_not_take_the_next_one() -> None:
    known = "come back home\ngreen fields forever\ncome back home\nblue skies tonight\ncome back home"
    found = matched(known, heard("come back home green fields forever blue skies tonight come back home"))
    assert [word for word in range(15) if word not in found] == [6, 7, 8]
    assert [found[word] for word in (12, 13, 14)] == [[9], [10], [11]]


def test_a_line_is_not_torn_over_an_instrumental() -> None:
    recognised = heard("carry me home carry me home", pauses={3: 20.0})
    assert set(matched("carry me home", recognised)) == {0, 1, 2}
    assert [pair.heard for pair in align([["carry", "me", "home"]], recognised)] in ([0, 1, 2], [3, 4, 5])


def test_what_was_recognised_without_confidence_gives_way() -> None:
    recognised = heard("come back home come back home", pauses={3: 20.0}, unsure=(3, 4, 5))
    assert [pair.heard for pair in align([["come", "back", "home"]], recognised)] == [0, 1, 2]


@settings(deadline=None)
@given(st.data())
def test_pairs_are_in_order_and_no_word_is_taken_twice(data: st.DataObject) -> None:
    word = st.sampled_from(["la", "love", "glove", "home", "x", "going", "to"])
    known = data.draw(st.lists(st.lists(word, min_size=1, max_size=4), min_size=1, max_size=5))
    recognised = data.draw(st.lists(word, max_size=12))
    pairs = align(known, heard(" ".join(recognised)))
    assert all(a.known_stop <= b.known and a.heard_stop <= b.heard for a, b in pairwise(pairs))
    assert all(0 <= p.known < p.known_stop <= sum(map(len, known)) for p in pairs)
    assert all(0 <= p.heard < p.heard_stop <= len(recognised) and 0 <= p.similarity <= 1 for p in pairs)


@pytest.mark.parametrize("errors", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("seed", range(25))  # fixed: one in some thousands may well lose a word
def test_repeated_choruses_stay_in_order_under_errors(seed: int, errors: float) -> None:
    chance = random.Random(seed)
    chorus = "carry me over the river\nbring me back to the shore"
    verses = ["when morning came nobody waited", "seven candles were burning low", "every letter began with summer"]
    known = "\n".join(f"{verse}\n{chorus}" for verse in verses)
    words = known.split()
    said = [word if chance.random() >= errors else "zzqxj" for word in words]
    pairs = [pair for pair in align(lines(known), heard(" ".join(said))) if pair.similarity > 0.9]
    assert all(pair.known == pair.heard for pair in pairs)
    assert errors > 0 or len(pairs) == len(words)


def test_far_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needleman_wunsch, "MAX_CELLS", 10)
    with pytest.raises(InputError, match="few hours"):
        align([["a"] * 4], heard("a b c d"))
