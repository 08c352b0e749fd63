"""JSON: ours loses nothing, and the lists of other nodes become lines."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import draft, json_words
from timings_strategies import timings


def read(value: object) -> Timings:
    return json_words.read(json.dumps(value))


def lines(value: Timings) -> list[tuple[str, float, float]]:
    return [(line.text, line.start, line.end) for line in value.lines]


@settings(deadline=None)
@given(
    timings(with_words=True, without_words=True), st.floats(0, 1), st.sampled_from(["heard", "filled in", "not found"])
)
def test_nothing_is_lost(written: Timings, confidence: float, source: str) -> None:
    changed = tuple(
        replace(
            line, words=tuple(replace(word, confidence=confidence, source=source, after=" - ") for word in line.words)
        )
        for line in written.lines
    )
    value = replace(written, lines=changed, notes=("Two words were not found.",))
    assert json_words.read(json_words.write(value)) == value


def test_an_empty_song() -> None:
    assert json_words.read(json_words.write(Timings(()))) == Timings(())


@pytest.mark.parametrize("key", ["word", "value", "text"])
@pytest.mark.parametrize("confidence", ["confidence", "score", "probability"])
@pytest.mark.parametrize("around", [lambda rows: rows, lambda rows: {"words": rows}])
def test_lists_of_words(key: str, confidence: str, around: object) -> None:
    assert callable(around)
    rows = [{key: "Hello", "start": 1, "end": 1.5, confidence: 0.25}, {key: "you.", "start": 1.5, "end": 2}]
    value = read(around([*rows, {key: "And", "start": 2, "end": 3}, {key: "me", "start": 4.5, "end": 5}]))
    assert lines(value) == [("Hello you.", 1, 2), ("And", 2, 3), ("me", 4.5, 5)]
    assert [word.confidence for word in value.words] == [0.25, 1, 1, 1]


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        ([" He", "llo", " you"], ["Hello you"]),
        (["He", "llo", "you"], ["He llo you"]),
        (["你", "好", "abc", "한국", "어"], ["你好 abc 한국 어"]),
        (["twenty-five characters ..", "and again"], ["twenty-five characters ..", "and again"]),
        (["a" * 30, "b" * 30], ["a" * 30, "b" * 30]),
    ],
)
def test_spaces_between_words(texts: list[str], shown: list[str]) -> None:
    value = read([{"word": text, "start": place, "end": place + 1} for place, text in enumerate(texts)])
    assert [line.text for line in value.lines] == shown


def test_segments_of_whisper() -> None:
    words = [{"word": " Hello", "start": 1, "end": 2, "probability": 0.5}, {"word": " you.", "start": 2, "end": 3}]
    segments = [
        {"text": " Hello you.", "start": 0.5, "end": 3.5, "words": words},
        {"text": " Bye", "start": 4, "end": 5},
    ]
    value = read({"language": "en", "text": " Hello you. Bye", "segments": segments})
    assert value.lines[0] == Line("Hello you.", 0.5, 3.5, (Word("Hello", 1, 2, 0.5), Word("you.", 2, 3)))
    assert value.lines[1] == Line("Bye", 4, 5)
    assert value.language == "en"


def test_lists_of_sentences_are_lines() -> None:
    value = read([{"value": "Hello there you", "start": 0, "end": 2}, {"value": "Bye bye", "start": 2, "end": 3}])
    assert lines(value) == [("Hello there you", 0, 2), ("Bye bye", 2, 3)]


def test_words_without_times_are_not_found() -> None:
    value = read([{"word": "a", "start": 1, "end": 2}, {"word": "1984"}, {"word": "b", "start": 2.5}])
    assert [(word.text, word.start, word.end, word.source) for word in value.words] == [
        ("a", 1, 2, "heard"),
        ("1984", 2, 2, "not found"),
        ("b", 2.5, 2.5, "heard"),
    ]
    assert value.notes == (f"{json_words.UNTIMED_WORDS}: 1.",)


@pytest.mark.parametrize(
    ("row", "note"),
    [
        (7, draft.UNREADABLE),
        ({"word": None, "start": 1, "end": 2}, draft.UNREADABLE),
        ({"word": "b", "start": "1", "end": 2}, json_words.UNTIMED_WORDS),
        ({"word": "b", "start": float("nan"), "end": 2}, json_words.UNTIMED_WORDS),
        ({"word": "b", "start": 10**400, "end": 2}, json_words.UNTIMED_WORDS),
        ({"word": "b", "start": True, "end": 2}, json_words.UNTIMED_WORDS),
        ({"word": "b", "start": 2, "end": 1.5}, draft.BACKWARDS),
        ({"word": "b", "start": 1.5, "end": 2, "score": 7}, json_words.CLAMPED),
        ({"word": "b", "start": 1.5, "end": 2, "source": ["x"], "after": 3}, ""),
        ({"word": "b\x00\ud800", "start": 1.5, "end": 2}, ""),
    ],
)
def test_repairs(row: object, note: str) -> None:
    value = read([{"word": "a", "start": 1, "end": 1.5}, row])
    assert value.words[0].text == "a"
    assert all(word.text in "ab" for word in value.words)
    assert value.notes == ((f"{note}: 1.",) if note else ())


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("{}", "nothing in it"),
        ('{"a": 1}', "an object with a"),
        ("7", "a single int"),
        ("[{", "not JSON"),
        ('{"format": "lipsync-studio timings", "version": 2, "lines": []}', "version 2"),
    ],
)
def test_what_cannot_be_read(text: str, got: str) -> None:
    with pytest.raises(InputError) as caught:
        json_words.read(text)
    assert got in caught.value.got


@pytest.mark.parametrize("head", [{"tags": 1}, {"notes": "x"}, {"language": None}, {"tags": {"ti": 3}}, {"lines": 5}])
def test_odd_heads_do_no_harm(head: dict[str, object]) -> None:
    value = read({"segments": [{"text": "a b", "start": 1, "end": 2}], **head})
    assert value == Timings((Line("a b", 1, 2),))
