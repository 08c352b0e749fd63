"""ASS karaoke: durations that add up exactly, what other programs write, and what pysubs2 makes of ours."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import ass, draft
from pysubs2 import SSAFile
from timings_strategies import timings

EVENTS = "[Script Info]\nTitle: A song\n\n[Events]\nFormat: Layer, Start, End, Style, Effect, Text\n"


def read(*rows: str) -> Timings:
    return ass.read(EVENTS + "\n".join(rows))


def word_spans(value: Timings) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for word in value.words]


@pytest.mark.parametrize(
    ("text", "shown", "words"),
    [
        ("{\\k50}Hel{\\k30}lo {\\kf40}you", "Hello you", [("Hel", 1, 1.5), ("lo", 1.5, 1.8), ("you", 1.8, 2.2)]),
        ("{\\K50}a {\\ko30}b", "a b", [("a", 1, 1.5), ("b", 1.5, 1.8)]),
        ("{\\k20}{\\k50}a{\\k30} {\\k10}b", "a b", [("a", 1.2, 1.7), ("b", 2, 2.1)]),
        ("{\\k20\\k50}a", "a", [("a", 1.2, 1.7)]),
        ("{\\k20}a\\N{\\an8\\k50\\c&HFF&}b", "a\nb", [("a", 1, 1.2), ("b", 1.2, 1.7)]),
        ("{\\kt100\\k50}a", "a", [("a", 2, 2.5)]),
        ("Oh {\\k50}a", "Oh a", [("Oh", 1, 1), ("a", 1, 1.5)]),
        ("{\\p1}m 0 0 l 1 1{\\p0}{\\pos(1,2)\\k50}a", "a", [("a", 1, 1.5)]),
        ("{\\i1}plain{\\i0}, with\\Na comma\\hhere", "plain, with\na comma\u00a0here", []),
        ("{\\k50}a {b", "a {b", [("a {b", 1, 1.5)]),
        ("{\\k12.7}a", "a", [("a", 1, 1.12)]),
    ],
)
def test_karaoke(text: str, shown: str, words: list[tuple[str, float, float]]) -> None:
    value = read(f"Dialogue: 0,0:00:01.00,0:00:03.00,Default,,{text}")
    assert [(line.text, line.start, line.end) for line in value.lines] == [(shown, 1, 3)]
    assert word_spans(value) == words
    assert dict(value.tags) == {"ti": "A song"}
    assert value.notes == ()


def test_columns_comments_and_templates() -> None:
    value = ass.read(
        "[V4 Styles]\nStyle: broken,x\n[Events]\nFormat: Marked, Effect, End, Start, Text\n"
        "Dialogue: Marked=0,,0:00:02.00,0:00:01.00,a, b\n"
        "Dialogue: Marked=0,fx,0:00:02.00,0:00:01.00,m\n"
        "Comment: Marked=0,,0:00:02.00,0:00:01.00,not shown\n"
        "Comment: Marked=0,karaoke,0:00:04.00,0:00:03.00,{\\k50}sung\n"
    )
    assert [(line.text, line.start) for line in value.lines] == [("a, b", 1), ("sung", 3)]


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("Dialogue: 0,0:00:01.00", draft.UNREADABLE),
        ("Dialogue: 0,soon,0:00:03.00,Default,,a", draft.UNREADABLE),
        ("Dialogue: 0,0:00:03.00,0:00:01.00,Default,,a", draft.EXCHANGED),
        ("Dialogue: 0,-0:00:03.00,0:00:01.00,Default,,a", draft.NEGATIVE),
        ("Dialogue: 0,0:00:03.00,0:00:04.00,Default,,{\\k50}", draft.EMPTY),
        ("Dialogue: 0,0:00:03.00,0:00:04.00,Default,,{\\k9999999\\k9999999\\k9999999\\k9999999}a", draft.BEYOND),
    ],
)
def test_repairs(row: str, note: str) -> None:
    assert read(row).notes == (f"{note}: 1.",)


def test_what_is_written() -> None:
    words = (Word("{Hel}", 1.004, 1.333, after=""), Word("lo", 1.333, 1.5), Word("C:\\N", 1.666, 2))
    line = Line("", 1.004, 2.2, words)
    value = Timings((Line(Line.of(words).text, line.start, line.end, words), Line("two\nrows", 3, 4)), tags={"ti": "T"})
    rows = [row.removeprefix("Dialogue: 0,") for row in ass.write_fill(value).split("\n") if row.startswith("Dialogue")]
    assert rows == [
        "0:00:01.00,0:00:02.20,Default,,0,0,0,,{\\kf33}(Hel){\\kf17}lo {\\k17}{\\kf33}C:/N{\\k20}",
        "0:00:03.00,0:00:04.00,Default,,0,0,0,,two\\Nrows",
    ]
    assert ass.write_steps(value) == ass.write_fill(value).replace("\\kf", "\\k")
    assert "Title: T\n" in ass.write_fill(value)


@settings(deadline=None)
@given(timings(with_words=True, without_words=False))
def test_durations_add_up_to_the_line(written: Timings) -> None:
    theirs = SSAFile.from_string(ass.write_fill(written), format_="ass")
    assert len(theirs) == len(written.lines)
    for event in theirs:
        durations = [int(found) for found in re.findall(r"\\kf?(\d+)", event.text)]
        assert sum(durations) * 10 == event.duration


@settings(deadline=None)
@given(timings(with_words=True, without_words=True))
def test_pysubs2_reads_the_same(written: Timings) -> None:
    for text in (ass.write_fill(written), ass.write_steps(written)):
        theirs = [(event.start, event.end, event.plaintext) for event in SSAFile.from_string(text, format_="ass")]
        ours = [(round(line.start * 1000), round(line.end * 1000), line.text) for line in ass.read(text).lines]
        assert theirs == ours
        assert [shown for _, _, shown in theirs] == [line.text for line in written.lines]
