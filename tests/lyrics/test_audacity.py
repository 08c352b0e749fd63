"""Audacity labels: of lines, of words, and as tapped."""

from __future__ import annotations

import pytest
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import audacity, draft


def lines(value: Timings) -> list[tuple[str, float, float]]:
    return [(line.text, line.start, line.end) for line in value.lines]


def test_regions_and_frequencies() -> None:
    value = audacity.read("1.500000\t2.000000\tHello you\n\\\t6928.45\t6928.45\n2,5\t2,5\tpoint\n")
    assert lines(value) == [("Hello you", 1.5, 2), ("point", 2.5, 2.5)]
    assert value.notes == ()


def test_tapped_points_last_until_the_next() -> None:
    assert lines(audacity.read("4\t4\tb\n1\t1\ta\n")) == [("a", 1, 4), ("b", 4, 4 + draft.LAST_LINE_SECONDS)]


def test_words_and_their_lines() -> None:
    words = (Word("Hello", 1, 1.5), Word("you", 1.5, 2))
    value = Timings((Line.of(words), Line("no words\nhere", 3, 4)))
    text = audacity.write_words(value)
    assert text == ("1.000000\t1.500000\tHello\n1.500000\t2.000000\tyou ¶\n3.000000\t4.000000\tno words here ¶\n")
    moved = audacity.read(text.replace("1.000000\t", "0.750000\t") + "5\t6\tadded\n")
    assert lines(moved) == [("Hello you", 0.75, 2), ("no words here", 3, 4), ("added", 5, 6)]
    assert moved.lines[0].words[0] == Word("Hello", 0.75, 1.5)
    assert audacity.write_lines(value) == "1.000000\t2.000000\tHello you\n3.000000\t4.000000\tno words here\n"


def test_a_pilcrow_in_the_text_ends_no_line() -> None:
    value = Timings((Line.of((Word("a¶", 1, 2), Word("b", 2, 3))),))
    assert lines(audacity.read(audacity.write_words(value))) == [("a| b", 1, 3)]
    assert lines(audacity.read(audacity.write_lines(value))) == [("a| b", 1, 3)]


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ("soon\t2\tb", draft.UNREADABLE),
        ("1e3\t2\tb", draft.UNREADABLE),
        ("nan\t2\tb", draft.UNREADABLE),
        ("3\t4", draft.EMPTY),
        ("-3\t4\tb", draft.NEGATIVE),
        ("4\t3\tb", draft.EXCHANGED),
        ("9999999\t99999999\tb", draft.BEYOND),
    ],
)
def test_repairs(row: str, note: str) -> None:
    value = audacity.read(f"0\t2\ta\n{row}\n")
    assert value.lines[0].text in "ab"
    assert f"{note}: 1." in value.notes
