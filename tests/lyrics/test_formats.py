"""What holds for every format: what it keeps comes back, and its file is known by its content."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import draft
from lipsync_studio.pipelines.lyrics.formats.pieces import extent, space_between
from lipsync_studio.pipelines.lyrics.formats.registry import FORMATS, read_timings, write_timings
from timings_strategies import timings

# Half of the smallest step that a format can write, in seconds.
RESOLUTION = {
    "lrc": 0.005,
    "lrc_words": 0.005,
    "vtt": 0.0005,
    "srt": 0.0005,
    "ass": 0.005,
    "ass_steps": 0.005,
    "json": 0.0,
    "audacity": 0.0000005,
    "audacity_words": 0.0000005,
}
NOISE = 1e-9  # of decimal fractions near 10,000 s
WORD_FORMATS = [name for name, form in FORMATS.items() if form.keeps != "lines"]
LINE_FORMATS = [name for name in FORMATS if name not in ("lrc", "lrc_words", "audacity_words")]


def again(value: Timings, name: str) -> Timings:
    return read_timings(write_timings(value, name).encode(), f"song.{FORMATS[name].extension}")


def test_every_format_is_in_the_tables() -> None:
    assert set(RESOLUTION) == set(FORMATS)
    assert all(form.id == name for name, form in FORMATS.items())


@pytest.mark.parametrize("name", WORD_FORMATS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_words_come_back(name: str, data: st.DataObject) -> None:
    afters = st.just(" ") if name == "audacity_words" else None
    written = data.draw(timings(with_words=True, without_words=False, afters=afters))
    read = again(written, name)
    assert not read.notes
    lines = sorted(written.lines, key=lambda line: line.words[0].start) if name == "audacity_words" else written.lines
    for before, after in zip(lines, read.lines, strict=True):
        assert [word.text for word in after.words] == [word.text for word in before.words]
        spaces = [word.after for word in before.words[:-1]]
        if name == "audacity_words":
            spaces = [space_between(left.text, right.text) for left, right in pairwise(before.words)]
        else:
            assert after.text == before.text
            assert extent(after) == pytest.approx(extent(before), abs=RESOLUTION[name] + NOISE)
        assert [word.after for word in after.words[:-1]] == spaces
        for wanted, got in zip(before.words, after.words, strict=True):
            assert got.start == pytest.approx(wanted.start, abs=RESOLUTION[name] + NOISE)
            assert got.end == pytest.approx(wanted.end, abs=RESOLUTION[name] + NOISE)


@pytest.mark.parametrize("name", ["lrc_words", "vtt", "ass", "ass_steps"])
def test_a_word_ends_where_the_next_begins(name: str) -> None:
    read = again(Timings((Line.of((Word("a", 1, 3), Word("b", 1.5, 2), Word("c", 2.5, 2.75))),)), name)
    assert [(word.text, word.start, word.end) for word in read.words] == [
        ("a", 1, 1.5),
        ("b", 1.5, 2),
        ("c", 2.5, 2.75),
    ]
    assert (read.lines[0].start, read.lines[0].end) == (1, 3)
    assert not read.notes


@pytest.mark.parametrize("name", LINE_FORMATS)
@settings(deadline=None, max_examples=50)
@given(written=timings(with_words=False, without_words=True))
def test_lines_come_back(name: str, written: Timings) -> None:
    read = again(written, name)
    assert not read.notes
    for before, after in zip(written.lines, read.lines, strict=True):
        assert after.text == before.text
        assert after.start == pytest.approx(before.start, abs=RESOLUTION[name] + NOISE)
        assert after.end == pytest.approx(before.end, abs=RESOLUTION[name] + NOISE)
        assert after.words == ()


@pytest.mark.parametrize("name", FORMATS)
@settings(deadline=None, max_examples=50)
@given(written=timings(with_words=True, without_words=True))
def test_a_file_read_and_written_is_the_same_file(name: str, written: Timings) -> None:
    text = write_timings(written, name)
    assert write_timings(FORMATS[name].read(text), name) == text


FILES = {
    "lrc": "[00:01.00]a b\n[00:02.00]\n",
    "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\na b\n",
    "srt": "1\n00:00:01,000 --> 00:00:02,000\na b\n",
    "ass": "[Script Info]\n[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,a b\n",
    "json": json.dumps([{"text": "a b", "start": 1, "end": 2}]),
    "txt": "1.0\t2.0\ta b\n",
}


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("extension", [*FILES, "ssa", "", "lyrics"])
def test_the_content_decides_where_the_name_does_not_fit(content: str, extension: str) -> None:
    read = read_timings(FILES[content].encode(), f"song.{extension}")
    assert [(line.text, line.start, line.end) for line in read.lines] == [("a b", 1, 2)]


def test_unknown_formats_are_named() -> None:
    with pytest.raises(InputError, match="lrc_words"):
        write_timings(Timings(()), "docx")


def test_repairs_are_noted() -> None:
    found = draft.Draft()
    words = [draft.Piece("b", 2, 1), draft.Piece("c", -1, 3), draft.Piece("\x01", 3, 3)]
    found.add("late", 9, 8)
    found.add("early", -5, 1)
    found.add(" ", 1, 2)
    found.add("b c", 1, 3, words)
    found.add("never", 1, float("nan"))
    read = found.timings(notes=("first",))
    assert [(line.text, line.start, line.end) for line in read.lines] == [
        ("early", 0, 1),
        ("b c", 1, 3),
        ("late", 8, 9),
    ]
    assert [(word.text, word.start, word.end) for word in read.lines[1].words] == [("b", 2, 2), ("c", 2, 3)]
    assert read.notes == (
        "first",
        f"{draft.EXCHANGED}: 1.",
        f"{draft.NEGATIVE}: 2.",
        f"{draft.EMPTY}: 2.",
        f"{draft.BACKWARDS}: 2.",
        f"{draft.BEYOND}: 1.",
        f"{draft.UNSORTED}: 1.",
    )


@settings(deadline=None)
@given(st.lists(st.floats(0, 100), min_size=1).map(sorted))
def test_a_line_without_an_end_lasts_until_a_later_start(starts: list[float]) -> None:
    ends = draft.ends_of_starts(starts)
    for start, end in zip(starts, ends, strict=True):
        assert end == min([later for later in starts if later > start], default=starts[-1] + draft.LAST_LINE_SECONDS)
