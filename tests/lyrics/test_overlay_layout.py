"""Rows and places of a line's words."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Word
from lipsync_studio.pipelines.lyrics.overlay.fonts import FontBook
from lipsync_studio.pipelines.lyrics.overlay.layout import Block, Placed, lay_out
from lipsync_studio.pipelines.lyrics.overlay.style import OverlayStyle, colour
from lipsync_studio.pipelines.lyrics.overlay.words import line_text
from lipsync_studio.pipelines.lyrics.overlay.wrapping import may_part, row_width, rows

WIDTH, HEIGHT = 640, 360
STYLE = OverlayStyle()
BOOK = FontBook(STYLE)
WIDE, HIGH = STYLE.room(WIDTH, HEIGHT)


def block_of(text: str, style: OverlayStyle = STYLE) -> Block:
    return lay_out(line_text(Line(text, 0, 1)), style, BOOK, WIDTH, HEIGHT)


def by_row(block: Block) -> list[list[Placed]]:
    return [list(group) for _, group in groupby(block.placed, key=lambda item: item.row)]


def text_of(items: list[Placed]) -> str:
    return "".join(item.run.text for item in items)


WORDS = st.text(alphabet="abcdefgMW'éßжשל", min_size=1, max_size=14)


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=40))
def test_every_word_is_there_and_inside_the_margins(words: list[str]) -> None:
    text = " ".join(words)
    block = block_of(text)
    assert " ".join(text_of(row) for row in by_row(block)) == text
    assert block.height <= HIGH + 1e-6
    for row in by_row(block):
        assert min(item.x for item in row) >= -1e-6
        assert max(item.x + item.width for item in row) <= block.width + 1e-6
    assert block.width <= WIDE + 1e-6


@settings(deadline=None, max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=12))
def test_the_runs_of_a_row_touch_and_never_overlap(words: list[str]) -> None:
    for row in by_row(block_of(" ".join(words))):
        across = sorted(row, key=lambda item: item.x)
        for left, right in pairwise(across):
            assert left.x + left.width == pytest.approx(right.x)


def test_a_word_too_wide_for_a_row_makes_the_letters_smaller() -> None:
    assert block_of("short words only").size == STYLE.em(WIDTH, HEIGHT)
    block = block_of("a " + "W" * 60)
    assert block.size < STYLE.em(WIDTH, HEIGHT)
    assert block.width <= WIDE
    assert block.rows == 2


def test_rows_too_many_for_the_picture_make_the_letters_smaller() -> None:
    block = block_of("many words of a long line " * 30)
    assert block.size < STYLE.em(WIDTH, HEIGHT)
    assert block.height <= HIGH


def test_an_endless_line_ends() -> None:
    assert block_of("word " * 4000).size == 5.0


@pytest.mark.parametrize(
    ("widths", "most", "expected"),
    [
        ([3, 3, 3], 20, [3]),
        ([3, 3, 3], 7, [2, 1]),
        ([1, 1, 1, 1, 1, 4], 9, [4, 2]),  # 7 and 6 wide; filling would give 9 and 4
        ([3, 3, 3, 3], 12, [2, 2]),  # filling would give 3 and 1
        ([9, 1], 5, [1, 1]),
        ([], 5, []),
    ],
)
def test_rows(widths: list[float], most: float, expected: list[int]) -> None:
    assert [len(row) for row in rows(widths, [1.0] * len(widths), most)] == expected


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=30), st.floats(10, 40))
def test_rows_are_as_few_as_can_be_and_fit(widths: list[float], most: float) -> None:
    gaps = [0.5] * len(widths)
    found = rows(widths, gaps, most)
    assert [part for row in found for part in row] == list(range(len(widths)))
    assert all(row_width(row, widths, gaps) <= most + 1e-9 for row in found)
    fewest, wide = 1, -0.5
    for width in widths:
        wide += 0.5 + width
        if wide > most:
            fewest, wide = fewest + 1, width
    assert len(found) == fewest


@pytest.mark.parametrize(
    ("before", "after", "at_word_edge", "expected"),
    [
        ("a", " ", True, False),
        (" ", "a", True, True),
        ("a", "b", True, False),
        ("\u00a0", "a", True, False),
        ("中", "文", False, True),
        ("中", "，", False, False),  # noqa: RUF001
        ("「", "中", False, False),
        ("カ", "ー", False, False),
        ("ち", "ょ", False, False),
        ("한", "국", True, False),
        ("-", "n", False, True),
        ("-", "5", False, False),
        ("ก", "ข", True, True),
        ("ก", "ข", False, False),
    ],
)
def test_where_a_row_may_end(before: str, after: str, at_word_edge: bool, expected: bool) -> None:
    assert may_part(before, after, at_word_edge) is expected


def test_right_to_left_words_stand_from_right_to_left() -> None:
    words = [item for item in block_of("שלום עולם יפה").placed if not item.run.text.isspace()]
    assert [item.run.text for item in words] == ["שלום", "עולם", "יפה"]
    assert all(item.run.right_to_left for item in words)
    assert words[0].x > words[1].x > words[2].x


def test_latin_within_hebrew_keeps_its_own_order() -> None:
    placed = {item.run.text: item for item in block_of("שיר big song יפה").placed}
    assert placed["שיר"].x > placed["song"].x > placed["big"].x > placed["יפה"].x
    assert not placed["big"].run.right_to_left


@pytest.mark.parametrize("position", ["left", "center", "right"])
def test_rows_are_set_flush_as_the_position_says(position: str) -> None:
    block = block_of("wide wide wide\nslim", OverlayStyle(position=position))
    first, second = by_row(block)
    left, right = second[0].x, block.width - second[-1].x - second[-1].width
    assert first[0].x == pytest.approx(0, abs=1e-6)
    assert {"left": left == 0, "center": left == pytest.approx(right), "right": right == pytest.approx(0)}[position]
    assert block.rows == 2


def test_letters_belong_to_their_words() -> None:
    line = Line.of((Word("don't", 0, 1, after=", "), Word("stop", 1, 2, after="!")))
    block = lay_out(line_text(Line("“don't, (stop)!”", 0, 2, line.words)), STYLE, BOOK, WIDTH, HEIGHT)
    assert [(item.run.text, item.word) for item in block.placed] == [("“don't,", 0), (" ", 1), ("(stop)!”", 1)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0.0},
        {"size": float("nan")},
        {"lines": 9},
        {"fade": -1.0},
        {"position": "middle"},
        {"highlight": "glow"},
    ],
)
def test_a_wrong_style_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        OverlayStyle(**wrong)


def test_colours() -> None:
    assert colour("#ffffff") == (1, 1, 1)
    assert colour("#f00") == (1, 0, 0)
    with pytest.raises(InputError, match="#12345"):
        colour("#12345")
