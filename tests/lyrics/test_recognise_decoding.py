"""Time tokens by the rules, and freer attempts when the first is doubtful; on a vocabulary of twenty tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from lipsync_studio.pipelines.lyrics.recognise.decoding import allowed, best_draft
from lipsync_studio.pipelines.lyrics.recognise.presets import SPEECH, Preset
from numpy.typing import NDArray

# 0-9: letters a-j. 10: the end. 11: start. 12: nobody speaks. 13: no times. 14-79: times.
SIZE = 80


class Vocabulary:
    end, no_speech, first_time = 10, 12, 14
    silenced = (11, 12, 13)
    blank = (9, 10)

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join("abcdefghij"[token] for token in tokens)


class Script:
    """A text that is written so: the token after n others is the n-th of `tokens`, with the given certainty."""

    def __init__(self, tokens: Sequence[int], certainty: float = 10.0, no_speech: float = -10.0) -> None:
        self._tokens = [*tokens, 10]
        self._certainty, self._no_speech = certainty, no_speech
        self._seen = -1

    def after(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        rows = np.zeros((len(tokens), SIZE), np.float32)
        self._seen += 1
        rows[-1, self._tokens[min(self._seen, len(self._tokens) - 1)]] = self._certainty
        if self._seen == 0:
            rows[0, 12] = self._no_speech
        return rows


def may_follow(tokens: Sequence[int]) -> set[int]:
    row = allowed(np.zeros(SIZE, np.float32), tokens, Vocabulary())
    return set(np.flatnonzero(row > -np.inf).tolist())


TEXT, END, TIMES = set(range(10)), {10}, set(range(14, 80))

RULES = [
    ("a text begins with a time of its first second", [], set(range(14, 65))),
    ("then come words", [14], TEXT | END),
    ("after a pair of times come words", [14, 1, 20, 20], TEXT | END),
    ("after a line, the next begins or all ends", [14, 1, 20], END | set(range(20, 80))),
]


@pytest.mark.parametrize(("why", "tokens", "wanted"), RULES, ids=[why for why, *_ in RULES])
def test_what_may_follow(why: str, tokens: list[int], wanted: set[int]) -> None:
    found = may_follow(tokens)
    # Times are taken together: with even chances they outweigh each single word, where both may come.
    assert found == wanted - (END if wanted & TIMES and wanted & END else set())


def test_a_line_ends_later_than_it_begins() -> None:
    assert min(may_follow([20, 1]) & TIMES) == 21


def test_marks_are_never_written() -> None:
    row = np.zeros(SIZE, np.float32)
    row[[11, 12, 13]] = 50
    assert np.isinf(allowed(row, [14], Vocabulary())[[11, 12, 13]]).all()


def draft_of(*scripts: Script, preset: Preset = SPEECH) -> tuple[str, int]:
    """The text, and how many attempts it took."""
    waiting = list(scripts)
    draft = best_draft(lambda: waiting.pop(0), [11], Vocabulary(), preset)
    return draft.text, len(scripts) - len(waiting)


GOOD = (14, 0, 1, 2, 20)


def test_a_sure_text_is_written_once() -> None:
    assert draft_of(Script(GOOD), Script(())) == ("abc", 1)


def test_a_text_in_circles_is_tried_again() -> None:
    circles = [14, *[0, 1] * 60, 20]
    assert draft_of(Script(circles), Script(GOOD), Script(())) == ("abc", 2)


def test_an_unsure_text_is_tried_again() -> None:
    unsure = Script((14, 3, 4, 20), certainty=0.5)
    assert draft_of(unsure, Script(GOOD, certainty=40), Script(())) == ("abc", 2)


def test_silence_is_not_tried_again() -> None:
    text, attempts = draft_of(Script((14, 3, 20), certainty=0.5, no_speech=40), Script(GOOD))
    assert attempts == 1
    assert text != "abc"


def test_when_all_fail_the_likeliest_is_taken_and_it_is_the_same_each_time() -> None:
    preset = Preset(voice_only=True, temperatures=(0.0, 0.2, 0.4))
    scripts = [((14, 3, 20), 0.1), ((14, 4, 20), 3.0), ((14, 5, 20), 0.2)]
    first, second = (draft_of(*(Script(*script) for script in scripts), preset=preset) for _ in range(2))
    assert first == second
    assert first[1] == 3
