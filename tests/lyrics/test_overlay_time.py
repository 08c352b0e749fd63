"""When words are sung, and when and where lines are shown."""

from __future__ import annotations

from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Line, Word
from lipsync_studio.pipelines.lyrics.overlay.schedule import Cue, Schedule, schedule
from lipsync_studio.pipelines.lyrics.overlay.stacking import tops
from lipsync_studio.pipelines.lyrics.overlay.style import MOST_LINES, OverlayStyle, Position
from lipsync_studio.pipelines.lyrics.overlay.words import held, line_text


def lines_at(*times: tuple[float, float]) -> tuple[Line, ...]:
    return tuple(Line(f"line {number}", start, end) for number, (start, end) in enumerate(times))


def shown(plan: Schedule) -> list[tuple[int, int, float, float]]:
    cues = sorted(chain.from_iterable(plan.slots), key=lambda cue: cue.line)
    return [(cue.line, cue.slot, cue.appear, cue.leave) for cue in cues]


def test_lines_take_turns_in_their_places() -> None:
    plan = schedule(lines_at((10, 13), (13, 16), (16, 19)), OverlayStyle(lines=2, lead_in=4, linger=1))
    assert shown(plan) == [(0, 0, 6, 14), (1, 1, 9, 17), (2, 0, 14, 20)]


def test_a_short_pause_is_shared() -> None:
    plan = schedule(lines_at((0, 2), (3, 5)), OverlayStyle(lines=1, lead_in=4, linger=1))
    assert shown(plan) == [(0, 0, 0, 2.5), (1, 0, 2.5, 6)]


def test_subtitles_come_and_go_with_their_times() -> None:
    plan = schedule(lines_at((1, 2), (5, 6)), OverlayStyle(lines=1, lead_in=0, linger=0))
    assert shown(plan) == [(0, 0, 1, 2), (1, 0, 5, 6)]
    assert [len(plan.at(time)) for time in (0, 1, 1.99, 2, 5, 99)] == [0, 1, 1, 0, 1, 0]


def test_overlapping_lines_are_all_shown() -> None:
    plan = schedule(lines_at((0, 10), (1, 9), (2, 8)), OverlayStyle(lines=1, lead_in=0, linger=0))
    assert [cue.slot for cue in plan.at(5)] == [0, 1, 2]


def test_beyond_the_most_lines_the_later_one_wins() -> None:
    times = [(float(number), 20.0 - number) for number in range(MOST_LINES + 1)]
    plan = schedule(lines_at(*times), OverlayStyle(lines=2, lead_in=0, linger=0))
    assert [cue.line for cue in plan.at(MOST_LINES - 0.5)] == [0, 1, 2, 3]
    assert sorted(cue.line for cue in plan.at(MOST_LINES)) == [0, 1, 2, 4]  # line 3 would have ended first


LINES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=25).map(
    lambda pairs: lines_at(*((start / 2, (start + lasting) / 2) for start, lasting in sorted(pairs)))
)
STYLES = st.builds(
    OverlayStyle,
    lines=st.integers(1, MOST_LINES),
    lead_in=st.floats(0, 5),
    linger=st.floats(0, 5),
    position=st.sampled_from(["top", "center", "bottom"]),
)


@settings(deadline=None)
@given(LINES, STYLES)
def test_a_line_is_shown_while_it_is_sung(lines: tuple[Line, ...], style: OverlayStyle) -> None:
    plan = schedule(lines, style)
    busiest = max((sum(a.start <= b.start < a.end for a in lines) for b in lines), default=0)
    for number, line in enumerate(lines):
        if busiest <= MOST_LINES and line.start < line.end:
            for time in (line.start, (line.start + line.end) / 2):
                assert number in [cue.line for cue in plan.at(time)]
    for cue in chain.from_iterable(plan.slots):
        assert lines[cue.line].start - style.lead_in <= cue.appear + 1e-9
        assert cue.leave <= lines[cue.line].end + style.linger + 1e-9


@settings(deadline=None)
@given(LINES, STYLES)
def test_a_place_is_never_taken_twice(lines: tuple[Line, ...], style: OverlayStyle) -> None:
    for cues in schedule(lines, style).slots:
        assert all(before.leave <= after.appear for before, after in pairwise(cues))


@settings(deadline=None)
@given(LINES, STYLES, st.lists(st.integers(10, 40), min_size=25, max_size=25))
def test_lines_shown_together_never_overlap(lines: tuple[Line, ...], style: OverlayStyle, heights: list[float]) -> None:
    plan = schedule(lines, style)
    places = tops(plan, heights, 5, style, 300)
    cues = list(chain.from_iterable(plan.slots))
    for first in cues:
        for second in cues:
            if first.slot < second.slot and first.appear < second.leave and second.appear < first.leave:
                a, b = sorted((first, second), key=lambda cue: places[cue])
                assert places[a] + heights[a.line] + 5 <= places[b] + 1e-9


@pytest.mark.parametrize(
    ("position", "expected"), [("top", [20, 50]), ("bottom", [125, 155]), ("center", [72.5, 102.5])]
)
def test_the_earlier_line_stands_above(position: Position, expected: list[float]) -> None:
    style = OverlayStyle(position=position, margin_y=0.1)
    plan = Schedule(((Cue(0, 0, 0, 9),), (Cue(1, 1, 0, 9),), (), ()))
    places = tops(plan, [25, 25], 5, style, 200)
    assert list(places[cues[0]] for cues in plan.slots[:2]) == expected


def word(text: str, start: float, end: float, found: bool = True) -> Word:
    return Word(text, start, end, 1.0 if found else 0.0, "heard" if found else "not found")


def times(line: Line) -> list[tuple[float, float]]:
    return [(each.begin, each.end) for each in line_text(line).words]


def test_words_that_were_not_found_share_the_time_between_their_neighbours() -> None:
    words = (word("a", 1, 2), word("bb", 2, 2, False), word("bbbb", 2, 2, False), word("c", 5, 6))
    line = line_text(Line.of(words))
    assert times(Line.of(words)) == [(1, 2), (2, 3), (3, 5), (5, 6)]
    assert [each.heard for each in line.words] == [True, False, False, True]


def test_at_the_ends_they_take_the_lines_own_time() -> None:
    words = (word("a", 3, 3, False), word("b", 3, 4), word("c", 4, 4, False))
    assert times(Line("a b c", 1, 9, words)) == [(1, 3), (3, 4), (4, 9)]


def test_words_are_never_sung_two_at_once() -> None:
    assert times(Line.of((word("a", 0, 5), word("b", 2, 2), word("c", 2, 3)))) == [(0, 2), (2, 2), (2, 3)]


def test_a_line_without_words_is_one() -> None:
    (whole,) = line_text(Line("two words", 1, 3)).words
    assert (whole.start, whole.stop, whole.begin, whole.end) == (0, 9, 1, 3)


def test_the_text_of_the_line_is_shown_and_its_words_are_found_in_it() -> None:
    line = line_text(Line("  “Hey,\r\n you!”\t", 0, 2, (word("Hey", 0, 1), word("you", 1, 2))))
    assert line.text == "“Hey,\nyou!”"
    assert [line.text[each.start : each.stop] for each in line.words] == ["“Hey,", "\nyou!”"]


def test_words_win_over_a_text_that_has_not_got_them() -> None:
    assert line_text(Line("something else", 0, 2, (word("a", 0, 1), word("b", 1, 2)))).text == "a b"


def test_composed_letters_stay_in_their_word() -> None:
    line = line_text(Line("cafe\u0301 noir", 0, 2, (word("cafe\u0301", 0, 1), word("noir", 1, 2))))
    assert [line.text[each.start : each.stop] for each in line.words] == ["café", " noir"]


def test_only_short_pauses_are_held() -> None:
    line = line_text(Line.of((word("a", 0, 1), word("b", 1.1, 2), word("c", 3, 4))))
    assert [each.end for each in held(line.words, 0.3)] == [1.1, 2, 4]
