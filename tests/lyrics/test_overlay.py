"""What is laid over a frame: which pixels, in which colour, when."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.overlay import compose
from lipsync_studio.pipelines.lyrics.overlay.compose import Overlay, Patch
from lipsync_studio.pipelines.lyrics.overlay.fonts import FontBook
from lipsync_studio.pipelines.lyrics.overlay.pen import Pen
from lipsync_studio.pipelines.lyrics.overlay.sprites import HEM
from lipsync_studio.pipelines.lyrics.overlay.style import OverlayStyle, Position
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 180
# Only the letters' own colour changes, and nothing but time decides.
PLAIN = OverlayStyle(size=0.1, sung=(0.0, 0.0, 1.0), lead_in=1.0, linger=1.0, fade=0.0, lines=1)


def song(*lines: Line) -> Timings:
    return Timings(lines)


def words_at(text: str, *times: tuple[float, float]) -> Line:
    parts = zip(text.split(), times, strict=True)
    return Line.of(tuple(Word(part, start, end) for part, (start, end) in parts))


def patch_at(overlay: Overlay, seconds: float) -> Patch:
    patch = overlay.at(seconds)
    assert patch is not None
    return patch


def sung_columns(overlay: Overlay, seconds: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """bool [picture's width] each: columns that have letters and are all in the colour of what is sung, or all not."""
    patch, before, after = (patch_at(overlay, time) for time in (seconds, 0.5, 9.5))
    assert patch.rect == before.rect == after.rect
    letters = (before.rgb != after.rgb).any(axis=2)
    sung = (patch.rgb == after.rgb).all(axis=2) | ~letters
    unsung = (patch.rgb == before.rgb).all(axis=2) | ~letters
    wide = np.zeros((2, WIDTH), bool)
    columns = slice(patch.rect.x0, patch.rect.x1)
    wide[:, columns] = np.stack([sung.all(axis=0), unsung.all(axis=0)]) & letters.any(axis=0)
    return wide[0], wide[1]


def span_of(overlay: Overlay) -> tuple[float, float]:
    """px of the picture between which the only word's letters stand: of its width, not its ink."""
    (item,) = overlay._blocks[0].placed
    left = (WIDTH - overlay._blocks[0].width) / 2 + item.x
    return left, left + item.width


@pytest.mark.parametrize("text", ["HHHHHHHH", "אאאאאאאא"])
@pytest.mark.parametrize("part", [0.25, 0.5, 0.8])
def test_the_edge_of_the_wipe_is_where_the_time_is(text: str, part: float) -> None:
    overlay = Overlay(song(Line.of((Word(text, 1, 9),))), PLAIN, WIDTH, HEIGHT)
    left, right = span_of(overlay)
    sung, unsung = sung_columns(overlay, 1 + 8 * part)
    if text[0] == "א":
        edge = right - part * (right - left)
        assert np.flatnonzero(sung).min() >= edge
        assert np.flatnonzero(unsung).max() < edge
    else:
        edge = left + part * (right - left)
        assert np.flatnonzero(sung).max() < edge
        assert np.flatnonzero(unsung).min() + 1 > edge
    column = int(edge)  # the one that is partly sung has the share of both colours
    patch, before, after = (patch_at(overlay, time) for time in (1 + 8 * part, 0.5, 9.5))
    share = edge - column if text[0] == "H" else column + 1 - edge
    here = column - patch.rect.x0
    expected = before.rgb[:, here] + share * (after.rgb[:, here] - before.rgb[:, here])
    np.testing.assert_allclose(patch.rgb[:, here], expected, atol=1e-6)


@pytest.mark.parametrize("text", ["one two three", "שלום עולם יפה", "mixed עולם text", "月亮 代表 心"])
def test_what_is_sung_stays_sung(text: str) -> None:
    line = words_at(text, (1, 3), (3, 4), (6, 9))
    overlay = Overlay(song(line), replace(PLAIN, size=0.08), WIDTH, HEIGHT)
    counts = [int(sung_columns(overlay, time)[0].sum()) for time in np.arange(1, 9.5, 0.25)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 10
    during_the_pause = [count for time, count in zip(np.arange(1, 9.5, 0.25), counts, strict=True) if 4 <= time < 6]
    assert len(set(during_the_pause)) == 1


def test_only_the_word_being_sung_is_highlighted() -> None:
    overlay = Overlay(song(words_at("HH HH", (1, 3), (5, 9.4))), replace(PLAIN, highlight="word"), WIDTH, HEIGHT)
    sprite = overlay._shown(overlay._plan.at(2)[0]).sprite

    def coloured(seconds: float) -> tuple[bool, bool]:
        rgb = patch_at(overlay, seconds).rgb
        half = rgb.shape[1] // 2
        return tuple(
            bool((part != plain).any())
            for part, plain in ((rgb[:, :half], sprite.before[:, :half]), (rgb[:, half:], sprite.before[:, half:]))
        )

    assert [coloured(time) for time in (0.5, 2, 4, 6, 9.9)] == [
        (False, False),
        (True, False),
        (False, False),
        (False, True),
        (False, False),
    ]


def test_words_that_were_not_found_are_never_highlighted_by_themselves() -> None:
    words = (Word("HH", 1, 3), Word("HH", 3, 3, 0.0, "not found"), Word("HH", 7, 9))
    overlay = Overlay(song(Line.of(words)), replace(PLAIN, highlight="word"), WIDTH, HEIGHT)
    before = patch_at(overlay, 0.5).rgb
    assert [bool((patch_at(overlay, time).rgb != before).any()) for time in (2, 4, 6, 8)] == [True, False, False, True]


def test_without_highlight_nothing_changes() -> None:
    overlay = Overlay(song(words_at("a b", (1, 2), (2, 3))), replace(PLAIN, highlight="none"), WIDTH, HEIGHT)
    assert all(np.array_equal(patch_at(overlay, time).rgb, patch_at(overlay, 0.5).rgb) for time in (1.5, 2.5, 3.5))


def test_words_of_no_length_are_sung_at_once() -> None:
    words = words_at("HH HH HH", (1, 1), (1, 1), (5, 5)).words
    overlay = Overlay(song(Line("HH HH HH", 1, 9, words)), PLAIN, WIDTH, HEIGHT)
    counts = [int(sung_columns(overlay, time)[0].sum()) for time in (0.99, 1, 4.99, 5)]
    assert counts[0] == 0 < counts[1] == counts[2] < counts[3]


def test_text_fades_in_and_out() -> None:
    style = replace(PLAIN, fade=0.4)
    overlay = Overlay(song(words_at("H", (2, 3))), style, WIDTH, HEIGHT)
    strongest = [
        0.0 if (patch := overlay.at(time)) is None else float(patch.alpha.max())
        for time in (0.99, 1.0, 1.1, 1.2, 1.4, 2.5, 3.6, 3.8, 4.0)
    ]
    assert strongest == pytest.approx([0, 0, 0.25, 0.5, 1, 1, 1, 0.5, 0], abs=1e-6)


def test_no_text_no_patch() -> None:
    overlay = Overlay(song(words_at("a", (2, 3)), words_at("b", (20, 21))), PLAIN, WIDTH, HEIGHT)
    assert [overlay.at(time) is None for time in (0, 0.99, 1, 3.99, 4, 10, 1e9)] == [
        True,
        True,
        False,
        False,
        True,
        True,
        True,
    ]
    assert Overlay(Timings(()), PLAIN, WIDTH, HEIGHT).at(0) is None
    assert Overlay(song(Line("  \n ", 0, 5)), PLAIN, WIDTH, HEIGHT).at(1) is None


def test_lines_that_overlap_are_both_there() -> None:
    lower = Line.of((Word("second", 2, 9),))
    both = Overlay(song(Line.of((Word("first", 1, 9),)), lower), replace(PLAIN, highlight="none"), WIDTH, HEIGHT)
    alone = [Overlay(song(line), replace(PLAIN, highlight="none"), WIDTH, HEIGHT) for line in (lower,)]
    patch = patch_at(both, 5)
    single = patch_at(alone[0], 5)
    assert patch.rect.height > 1.8 * single.rect.height
    rows = (patch.alpha > 0.5).any(axis=1)
    assert rows[: len(rows) // 3].any()
    assert rows[-len(rows) // 3 :].any()


@pytest.mark.parametrize("shapes", [True, False])
@pytest.mark.parametrize(
    "text",
    ["😀👩\u200d🚀 🇫🇷 ❤\ufe0f", "月亮代表我的心。", "カラオケ", "한국 노래", "हिन्दी", "สวัสดี", "سلام (2024)",
     "\u200b\u200f", "\x07\ufffe", "\U0010ffff", "a\u0301\u0302\u0303", "\ud800", "a\x1eb", "\u202eabc\u202c"],
)  # fmt: skip
def test_any_text_can_be_drawn(text: str, shapes: bool) -> None:
    if shapes and not Pen().shapes:
        pytest.skip("this Pillow has no raqm")
    book = FontBook(PLAIN, pen=Pen(shapes=shapes))
    patch = Overlay(song(Line(text, 1, 9)), PLAIN, WIDTH, HEIGHT, book).at(5)
    assert patch is None or np.isfinite(patch.rgb).all()


@settings(deadline=None, max_examples=40)
@given(st.text(min_size=1, max_size=20), st.integers(2, 400), st.integers(2, 400))
def test_any_text_on_any_picture(text: str, width: int, height: int) -> None:
    patch = patch_at(Overlay(song(Line(f"{text}a", 0, 4)), replace(PLAIN, box=0.5), width, height), 2)
    assert patch.rgb.shape == (patch.rect.height, patch.rect.width, 3)
    assert patch.rgb.dtype == patch.alpha.dtype == np.float32
    assert 0 <= patch.rgb.min() <= patch.rgb.max() <= 1 + 1e-6
    assert float(HEM) <= patch.alpha.min() <= patch.alpha.max() <= 1


def test_a_box_around_nothing_is_small() -> None:
    """A space of no width is text too."""
    patch = patch_at(Overlay(song(Line("\u200b", 0, 4)), replace(PLAIN, box=1.0), 16, 16), 2)
    assert patch.rect.width < 16


@pytest.mark.parametrize("position", get_args(Position))
def test_the_text_is_inside_the_margins(position: str) -> None:
    style = replace(PLAIN, position=position, margin_x=0.1, margin_y=0.1, stroke=0, shadow=0, box=1)
    rect = patch_at(Overlay(song(words_at("Hg", (1, 2))), style, WIDTH, HEIGHT), 1.5).rect
    hem = 4
    assert rect.x0 >= 0.1 * WIDTH - hem
    assert rect.x1 <= 0.9 * WIDTH + hem
    assert rect.y0 >= 0.1 * HEIGHT - hem
    assert rect.y1 <= 0.9 * HEIGHT + hem
    assert (rect.x0 < 0.1 * WIDTH + hem) == ("left" in position)
    assert (rect.x1 > 0.9 * WIDTH - hem) == ("right" in position)
    assert (rect.y0 < 0.1 * HEIGHT + hem) == ("top" in position)
    assert (rect.y1 > 0.9 * HEIGHT - hem) == ("bottom" in position)


def test_the_look() -> None:
    """White letters, a black outline around them, a soft shadow around that, and nothing farther away."""
    style = replace(PLAIN, size=0.5, stroke=0.1, highlight="none")
    patch = patch_at(Overlay(song(words_at("I", (1, 2))), style, WIDTH, HEIGHT), 1.5)
    row = patch.rgb.shape[0] // 2
    across, alpha = patch.rgb[row, :, 0], patch.alpha[row]
    middle = int(np.flatnonzero(across > 0.99).mean())
    assert alpha[middle] == 1
    stem = int(np.flatnonzero(across > 0.5).max())
    assert (across[stem + 4], alpha[stem + 4]) == (0, 1)
    assert (np.diff(alpha[stem + 12 :]) <= 0).all()
    assert alpha[-1] == HEM


def test_hdr_white_is_not_the_brightest_light() -> None:
    overlay = Overlay(song(words_at("I", (1, 2))), PLAIN, WIDTH, HEIGHT, white=0.58)
    assert patch_at(overlay, 0.5).rgb.max() == pytest.approx(0.58)


def test_colours_over_colours_are_those_of_one_after_the_other() -> None:
    random = np.random.default_rng(0)
    lower, upper, picture = random.random((3, 5, 8, 3), np.float32)
    lower_alpha, upper_alpha = random.random((2, 5, 8), np.float32)

    def laid(under: NDArray[np.float32], rgb: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.float32]:
        return under + alpha[..., None] * (rgb - under)

    rgb, alpha = compose._over(upper, upper_alpha, lower, lower_alpha)
    expected = laid(laid(picture, lower, lower_alpha), upper, upper_alpha)
    np.testing.assert_allclose(laid(picture, rgb, alpha), expected, atol=1e-6)


def test_lines_whose_edges_overlap_keep_their_letters() -> None:
    """Long shadows reach into the next line; both lines' letters stay on top of what lies there."""
    style = replace(PLAIN, size=0.3, shadow=1.0, highlight="none", position="top")
    lines = (Line("gggg", 1, 9), Line("ÄÄÄÄ", 2, 9))
    both = Overlay(song(*lines), style, WIDTH, HEIGHT)
    first, second = (both._shown(cue).sprite for cue in both._plan.at(5))
    assert first.y < second.y < first.y + first.alpha.shape[0]
    patch = patch_at(both, 5)
    white = int(((patch.rgb > 0.999).all(axis=2) & (patch.alpha > 0.999)).sum())
    alone = sum(int(((each.before > 0.999).all(axis=2) & (each.alpha > 0.999)).sum()) for each in (first, second))
    assert white == alone
