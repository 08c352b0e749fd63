"""LRC: what other programs write, the offset, repeats, word tags; lrcparser reads ours the same way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import lrc
from lrcparser import LrcParser
from timings_strategies import timings

SONG = """[ti: A song]
[ar:Somebody]
[length: 03:20]
[la:EN]

[Verse 1]
[00:12.00][01:15.5]Line that comes twice
[00:17.20]Line with a ] and [brackets]
[00:21.10]
[100:02.345]After a hundred minutes
"""


def spans(value: Timings) -> list[tuple[str, float, float]]:
    return [(line.text, line.start, line.end) for line in value.lines]


def word_spans(value: Timings) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for word in value.words]


def test_a_plain_file() -> None:
    read = lrc.read(SONG)
    assert spans(read) == [
        ("Line that comes twice", 12, 17.2),
        ("Line with a ] and [brackets]", 17.2, 21.1),
        ("Line that comes twice", 75.5, 6002.345),
        ("After a hundred minutes", 6002.345, 6007.345),
    ]
    assert dict(read.tags) == {"ti": "A song", "ar": "Somebody", "length": "03:20"}
    assert read.language == "en"
    assert read.notes == (f"{lrc.UNTIMED}: 1.",)


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("00:01", 1),
        ("0:1.5", 1.5),
        ("00:01.05", 1.05),
        ("00:01.005", 1.005),
        ("00:01:50", 1.5),
        ("00:75.00", 75),
        ("100:00.00", 6000),
        ("5999:00.99", 359940.99),
        ("01:02:03.40", 3723.4),
    ],
)
def test_stamps(stamp: str, seconds: float) -> None:
    assert spans(lrc.read(f"[{stamp}]a"))[0][1] == seconds


@pytest.mark.parametrize(
    "row", ["[00:1a.00]a", "[00;01.00]a", "00:01.00 a", "[a:b", "[Chorus: all together] a", "<a>b"]
)
def test_rows_without_a_time_are_left_out_and_noted(row: str) -> None:
    read = lrc.read(f"{row}\n[00:02.00]b")
    assert [line.text for line in read.lines] == ["b"]
    assert read.notes == (f"{lrc.UNTIMED}: 1.",)


@pytest.mark.parametrize(
    ("offset", "start", "notes"),
    [
        ("500", 9.5, 0),
        ("+500", 9.5, 0),
        (" -250 ", 10.25, 0),
        ("12000", 0, 1),
        ("soon", 10, 1),
        ("9" * 5000, 10, 1),
    ],
)
def test_a_positive_offset_makes_lyrics_appear_sooner(offset: str, start: float, notes: int) -> None:
    read = lrc.read(f"[00:10.00]<00:10.00>a <00:11.00>b\n[offset:{offset}]\n[00:15.00]")
    assert read.lines[0].start == read.words[0].start == start
    assert len(read.notes) == notes
    assert "offset" not in read.tags
    assert "offset" not in lrc.write_lines(read)


def test_words_with_and_without_pauses() -> None:
    read = lrc.read("[00:01.00]<00:01.00>Hel<00:01.20>lo<00:01.50> <00:02.00>you <00:02.40>\n[00:09.00]")
    assert word_spans(read) == [("Hel", 1, 1.2), ("lo", 1.2, 1.5), ("you", 2, 2.4)]
    assert spans(read) == [("Hello you", 1, 2.4)]


@pytest.mark.parametrize(
    "row",
    [
        "[00:01.00]<00:01.00>a <00:02.00>b",
        "[00:01.00]a <00:02.00>b",
        "[00:01.00] <00:01.00> a <00:02.00> b",
        "[00:01.00]a [00:02.00]b",
        "<00:01.00>a <00:02.00>b",
    ],
)
def test_ways_to_write_words(row: str) -> None:
    read = lrc.read(f"{row}\n[00:03.00]c")
    assert word_spans(read) == [("a", 1, 2), ("b", 2, 3)]
    assert spans(read)[0] == ("a b", 1, 3)


def test_repeats_of_words_keep_their_rhythm() -> None:
    read = lrc.read("[01:01.00][00:01.00]<00:01.10>a <00:01.50>b <00:02.00>")
    assert word_spans(read) == [("a", 1.1, 1.5), ("b", 1.5, 2), ("a", 61.1, 61.5), ("b", 61.5, 62)]
    assert spans(read) == [("a b", 1, 2), ("a b", 61, 62)]


def test_word_times_that_run_backwards_are_mended() -> None:
    read = lrc.read("[00:05.00]<00:05.00>a <00:03.00>b <00:06.00>")
    assert word_spans(read) == [("a", 5, 5), ("b", 5, 6)]
    assert "ran backwards" in read.notes[0]


def test_lines_of_the_same_time_are_both_kept() -> None:
    assert spans(lrc.read("[00:01.00]hola\n[00:01.00]hello\n[00:02.00]")) == [("hola", 1, 2), ("hello", 1, 2)]


HELLO = Line.of((Word("Hello", 59.996, 60.4), Word("you", 60.5, 61.004)))


def test_what_is_written() -> None:
    value = Timings((HELLO, Line("two\nrows", 62, 63), Line("last", 66, 66.5)), "en", {"ti": "A\nsong", "offset": "9"})
    head = "[la:en]\n[ti:A song]\n"
    rest = "[01:02.00]two rows\n[01:03.00]\n[01:06.00]last\n[01:06.50]\n"
    assert lrc.write_lines(value) == f"{head}[01:00.00]Hello you\n{rest}"
    words = "<01:00.00>Hello<01:00.40> <01:00.50>you<01:01.00>"
    assert lrc.write_words(value) == f"{head}[01:00.00]{words}\n{rest}"


@settings(deadline=None)
@given(timings(with_words=True, without_words=True))
def test_plain_lines_come_back_with_their_pauses(written: Timings) -> None:
    read = lrc.read(lrc.write_lines(written))
    for place, (before, after) in enumerate(zip(written.lines, read.lines, strict=True)):
        assert after.text == before.text
        assert after.start == pytest.approx(before.start, abs=0.005 + 1e-9)
        later = [line.start for line in written.lines[place + 1 :]]
        if not later or later[0] - before.end >= lrc.PAUSE_SECONDS:
            assert after.end == pytest.approx(before.end, abs=0.005 + 1e-9)
        assert after.end <= min([line.start for line in read.lines if line.start > after.start], default=after.end)


@settings(deadline=None)
@given(timings(with_words=True, without_words=False))
def test_lrcparser_reads_the_same(written: Timings) -> None:
    theirs = LrcParser.parse(lrc.write_words(written))
    ours = lrc.read(lrc.write_words(written))
    assert theirs["attributes"].get("ti", "") == ours.tags.get("ti", "")
    for line, expected in zip(ours.lines, theirs["lrc_lines"], strict=True):
        assert line.start == round(float(expected.start_time), 6)
        segments = [(segment.text.strip(), round(float(segment.time), 6)) for segment in expected.text]
        assert [(word.text, word.start) for word in line.words] == [found for found in segments if found[0]]


def test_lrcparser_reads_the_same_song() -> None:
    theirs = LrcParser.parse(SONG)
    shown = [(line.text[0].text, round(float(line.start_time), 6)) for line in theirs["lrc_lines"] if line.text[0].text]
    assert [(line.text, line.start) for line in lrc.read(SONG).lines] == shown
