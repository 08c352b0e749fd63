"""SRT and WebVTT: what other programs write, and what pysubs2 makes of ours."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import draft, srt, vtt
from pysubs2 import SSAEvent, SSAFile
from timings_strategies import sentences, timings


def spans(value: Timings) -> list[tuple[str, float, float]]:
    return [(line.text, line.start, line.end) for line in value.lines]


SRT = """1
00:00:01,000 --> 00:00:02,500 X1:10 Y1:20
<i>Hello</i> <font color="#fff">you</font>
{\\an8}and me

2
00:00:03,000 --> 00:00:04,000
1984
3
0:0:5.5 --> 100:00:00,000
no blank row before me, I <3 it
"""


def test_an_srt_file() -> None:
    read = srt.read(SRT)
    assert spans(read) == [
        ("Hello you\nand me", 1, 2.5),
        ("1984", 3, 4),
        ("no blank row before me, I <3 it", 5.5, 360000),
    ]
    assert read.notes == ()


@pytest.mark.parametrize(
    ("cue", "expected", "note"),
    [
        ("-00:00:01,000 --> 00:00:02,000\na b", ("a b", 0, 2), draft.NEGATIVE),
        ("00:00:05,000 --> 00:00:04,000\na b", ("a b", 4, 5), draft.EXCHANGED),
        ("00:00:01,000 --> 00:00:02,000\na b\n\n2\n00:0x:00,000 --> 00:00:01,000\nb", ("a b", 1, 2), draft.UNREADABLE),
        ("00:00:01,000 --> 00:00:02,000\na b\n\n2\n00:00:03,000 --> 00:00:04,000\n\n", ("a b", 1, 2), draft.EMPTY),
        ("00:00:01,000 --> 00:00:02,000\na b\n\n2\n101:00:03,000 --> 101:00:04,000\nb", ("a b", 1, 2), draft.BEYOND),
        ("00:00:09,000 --> 00:00:10,000\nb\n\n1\n00:00:01,000 --> 00:00:02,000\na b", ("a b", 1, 2), draft.UNSORTED),
    ],
)
@pytest.mark.parametrize("read", [srt.read, vtt.read])
def test_repairs(read: object, cue: str, expected: tuple[str, float, float], note: str) -> None:
    assert callable(read)
    value = read(f"WEBVTT\n\n1\n{cue}\n")
    assert spans(value)[0] == expected
    assert value.notes == (f"{note}: 1.",)


def test_a_word_in_an_exchanged_cue_has_its_times() -> None:
    assert vtt.read("WEBVTT\n\n00:05.000 --> 00:04.000\na\n").words == (Word("a", 4, 5),)


def test_written_times_are_rounded() -> None:
    assert "00:59:59,999 --> 01:00:00,000" in srt.write(Timings((Line("a", 3599.9994, 3599.9996),)))


VTT = """WEBVTT - a title

STYLE
::cue { color: red }

NOTE a --- b

intro
00:01.000 --> 00:02.500 align:start position:0%
<v Ann>Hello <00:01.500><c.loud>you</c> <00:02.000>&amp;&nbsp;me

NOTE
not shown

00:00:03.000 --> 00:00:04.000
plain &lt;text&gt; &#233; &bogus;
in two rows
2
00:00:05.000 --> 00:00:06.000
word
"""


def test_a_vtt_file() -> None:
    read = vtt.read(VTT)
    assert spans(read) == [
        ("Hello you &\u00a0me", 1, 2.5),
        ("plain <text> é &bogus;\nin two rows", 3, 4),
        ("word", 5, 6),
    ]
    assert [(word.text, word.start, word.end) for word in read.words] == [
        ("Hello", 1, 1.5),
        ("you", 1.5, 2),
        ("&\u00a0me", 2, 2.5),
        ("word", 5, 6),
    ]


def test_a_line_of_a_script_without_spaces_is_not_one_word() -> None:
    assert vtt.read("WEBVTT\n\n00:01.000 --> 00:02.000\n你好世界\n").lines[0].words == ()


@pytest.mark.parametrize("entity", ["&#" + "9" * 6000 + ";", "&#x" + "f" * 6000 + ";", "&" + "a" * 6000 + ";"])
def test_endless_entities_stay_text(entity: str) -> None:
    assert vtt.read(f"WEBVTT\n\n00:01.000 --> 00:02.000\na {entity}\n").lines[0].text == f"a {entity}"


def test_tags_are_written_where_they_say_something() -> None:
    words = (Word("<Hello>", 1, 1.4), Word("you", 1.5, 2, after=", "), Word("me", 2, 3))
    line = Line.of(words)
    text = "&lt;Hello&gt;<00:00:01.400> <00:00:01.500>you, <00:00:02.000>me"
    assert vtt.write(Timings((line,))) == f"WEBVTT\n\n00:00:01.000 --> 00:00:03.000\n{text}\n"
    longer = Line(line.text, 0.5, 3.5, words)
    text = f"<00:00:01.000>{text}<00:00:03.000>"
    assert vtt.write(Timings((longer,))) == f"WEBVTT\n\n00:00:00.500 --> 00:00:03.500\n{text}\n"


def events_of(value: Timings) -> list[tuple[int, int, str]]:
    return [(round(line.start * 1000), round(line.end * 1000), line.text) for line in value.lines]


@settings(deadline=None)
@given(timings(with_words=False, without_words=True).filter(lambda value: "&" not in str(value)))
def test_pysubs2_reads_the_same(written: Timings) -> None:
    for text, name in ((srt.write(written), "srt"), (vtt.write(written), "vtt")):
        theirs = [(event.start, event.end, event.plaintext) for event in SSAFile.from_string(text, format_=name)]
        assert theirs == events_of(written)


times = st.integers(0, 99 * 3600 * 1000)


@settings(deadline=None)
@given(st.lists(st.tuples(times, times, sentences), min_size=1, max_size=5))
def test_what_pysubs2_writes_is_read(rows: list[tuple[int, int, str]]) -> None:
    theirs = SSAFile()
    theirs.events = [SSAEvent(min(start, end), max(start, end), text) for start, end, text in rows]
    theirs.sort()
    expected = [(event.start, event.end, event.text) for event in theirs]
    assert events_of(srt.read(theirs.to_string("srt"))) == expected
    assert events_of(vtt.read(theirs.to_string("vtt"))) == expected
