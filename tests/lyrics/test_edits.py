"""Saved edits: whether they still belong to what is connected, and what other packs get of timings."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.edits import (
    Edits,
    aligned_words,
    read_edits,
    state_of,
    timings_fingerprint,
    what_changed,
)
from lipsync_studio.pipelines.lyrics.formats import json_words
from timings_strategies import timings

SONG = Timings(
    (
        Line.of((Word("one", 1.0, 2.0, 0.4), Word("two", 2.0, 3.0, source="filled in"))),
        Line("a plain line", 4.0, 5.0),
        Line.of((Word("three", 6.0, 7.5), Word("lost", 7.5, 7.5, source="not found"))),
    ),
    notes=("Something was dropped.",),
)


def saved(value: Timings, audio: str = "a", base: str = "b") -> str:
    return json.dumps({**json.loads(json_words.write(value)), "edited": {"audio": audio, "base": base}})


@given(timings(with_words=True, without_words=True))
def test_edits_are_read_as_the_timings_they_are(value: Timings) -> None:
    assert read_edits(saved(value)) == Edits(value, "a", "b")


def test_timings_without_an_origin_belong_to_nothing() -> None:
    assert read_edits(json_words.write(SONG)) == Edits(SONG, "", "")


@pytest.mark.parametrize("text", ["{", "[]", "3", '"x"', '{"edited": 3, "lines": []}', '{"edited": {}}', "[" * 10**5])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_edits(text)


@pytest.mark.parametrize(
    ("audio", "base", "state", "changed"),
    [
        ("a", "b", ("edited", "edited", "edited"), ""),
        ("x", "b", ("asks", "kept", "set aside"), "audio"),
        ("a", "x", ("asks", "kept", "set aside"), "timings"),
        ("x", "y", ("asks", "kept", "set aside"), "audio and timings"),
    ],
)
def test_edits_for_something_else_are_not_used_unasked(
    audio: str, base: str, state: tuple[str, str, str], changed: str
) -> None:
    edits = Edits(SONG, "a", "b")
    answers = ("ask", "keep edits", "use new timings")
    assert tuple(state_of(edits, audio, base, answer) for answer in answers) == state
    assert what_changed(edits, audio, base) == changed


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (replace(SONG, notes=(), language="en", tags={"ti": "x"}), True),
        (replace(SONG, lines=(Line.of((Word("one", 1.004, 2.0), Word("two", 2.0, 3.0))), *SONG.lines[1:])), True),
        (replace(SONG, lines=(Line.of((Word("one", 1.01, 2.0), Word("two", 2.0, 3.0))), *SONG.lines[1:])), False),
        (replace(SONG, lines=(Line.of((Word("One", 1.0, 2.0), Word("two", 2.0, 3.0))), *SONG.lines[1:])), False),
        (replace(SONG, lines=SONG.lines[:2]), False),
        (replace(SONG, lines=(*SONG.lines[:1], Line("a plain line", 4.0, 5.1), *SONG.lines[2:])), False),
    ],
)
def test_timings_are_told_apart_by_texts_and_times(other: Timings, is_same: bool) -> None:
    assert (timings_fingerprint(other) == timings_fingerprint(SONG)) is is_same


def test_other_packs_get_what_has_a_time() -> None:
    assert aligned_words(SONG) == [
        {"value": "one", "start": 1.0, "end": 2.0},
        {"value": "two", "start": 2.0, "end": 3.0},
        {"value": "a plain line", "start": 4.0, "end": 5.0},
        {"value": "three", "start": 6.0, "end": 7.5},
    ]


@given(timings(with_words=True, without_words=True))
def test_other_packs_get_words_in_order_that_do_not_overlap(value: Timings) -> None:
    rows = aligned_words(value)
    assert all(row["start"] <= row["end"] for row in rows)
    assert all(before["end"] <= after["start"] for before, after in pairwise(rows))
    assert len(rows) == sum(len(line.words) or 1 for line in value.lines)
