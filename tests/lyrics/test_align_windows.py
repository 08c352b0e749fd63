"""Which lines are listened to together."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.lyrics.align.anchors import Span
from lipsync_studio.pipelines.lyrics.align.windows import LONG_GAP, MARGIN, MOST_BYTES, plan

LONGEST = 30.0


def spans(*times: tuple[float, float], missing: tuple[int, ...] = ()) -> list[Span]:
    return [Span(start, end, number not in missing) for number, (start, end) in enumerate(times)]


def test_what_fits_is_one_window_with_a_margin() -> None:
    (window,) = plan(spans((5, 8), (9, 12)), [10, 10], LONGEST, 60.0)
    assert (window.start, window.end) == (5 - MARGIN, 12 + MARGIN)
    assert window.lines == window.taken == range(2)


def test_nothing_is_placed_across_an_instrumental() -> None:
    first, second = plan(spans((1, 4), (4.5 + LONG_GAP, 12)), [10, 10], LONGEST, 60.0)
    assert (first.lines, second.lines) == (range(1), range(1, 2))
    assert first.end < second.start


def test_windows_overlap_by_a_line_where_the_singing_goes_on() -> None:
    lines = [(4.0 * number, 4.0 * number + 3.5) for number in range(15)]
    windows = plan(spans(*lines), [20] * 15, LONGEST, 60.0)
    assert len(windows) > 1
    for before, after in pairwise(windows):
        assert after.lines.start == after.taken.start - 1
        assert before.lines.stop == before.taken.stop + 1
        assert after.taken.start == before.taken.stop


def test_a_window_ends_between_lines_that_were_found() -> None:
    lines = [(4.0 * number, 4.0 * number + 3.5) for number in range(12)]
    first, *_ = plan(spans(*lines, missing=(4, 5, 6)), [20] * 12, LONGEST, 60.0)
    assert first.taken == range(4 - 1), "line 3 is found but the next one is not"


times = st.lists(
    st.tuples(st.floats(0, 8), st.just(0.0) | st.floats(0.2, 40), st.booleans(), st.integers(1, 900)),
    min_size=1,
    max_size=20,
)


@settings(deadline=None)
@given(times, st.floats(5.0, 30.0))
def test_every_line_is_taken_once_in_a_window_that_can_be_heard(
    pieces: list[tuple[float, float, bool, int]], longest: float
) -> None:
    lines, now = [], 0.0
    for gap, lasts, found, _ in pieces:
        lines.append(Span(now + gap, now + gap + lasts, found))
        now += gap + lasts
    now += 1.0
    sizes = [size for *_, size in pieces]
    windows = plan(lines, sizes, longest, now)
    assert [line for window in windows for line in window.taken] == list(range(len(lines)))
    for window in windows:
        assert 0 <= window.start < window.end <= now
        assert window.end - window.start <= longest + 1e-6
        assert set(window.taken) <= set(window.lines)
        assert len(window.lines) == 1 or sum(sizes[line] for line in window.lines) <= MOST_BYTES
