"""Which way text runs, and how Arabic letters join."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.lyrics.overlay.arabic import shaped
from lipsync_studio.pipelines.lyrics.overlay.bidi import levels, mirrored, runs_right_to_left, visual_order


# As FriBiDi 1.0.8 has them; 40,000 random lines without brackets agreed with it too.
@pytest.mark.parametrize(
    ("text", "right_to_left", "expected"),
    [
        ("abc אבג", False, "0000111"),
        ("אבג abc דה", True, "1111222111"),
        ("שלום, עולם!", True, "11111111111"),
        ("בשנת 2024 היה", True, "1111122221111"),
        ("السنة 2024 هي", True, "1111112222111"),
        ("abc (אבג) def", False, "0000011100000"),
        ("50% אבג", True, "2221111"),
        ("אבג 1,234.5 דה", True, "11112222222111"),
        ("a-b אב-גד", False, "000011111"),
        ("", True, ""),
    ],
)
def test_levels(text: str, right_to_left: bool, expected: str) -> None:
    assert levels(text, right_to_left) == [int(level) for level in expected]


@pytest.mark.parametrize(
    ("text", "expected"), [("abc אבג", False), ("... אבג abc", True), ("12 سلام", True), ("!?", False), ("", False)]
)
def test_the_first_letter_tells_the_direction(text: str, expected: bool) -> None:
    assert runs_right_to_left(text) is expected


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ([0, 0, 0], [0, 1, 2]),
        ([1, 1, 1], [2, 1, 0]),
        ([0, 1, 1, 0], [0, 2, 1, 3]),
        ([1, 2, 2, 1], [3, 1, 2, 0]),
        ([0, 1, 2, 2, 1, 0], [0, 4, 2, 3, 1, 5]),
        ([], []),
    ],
)
def test_visual_order(of: list[int], expected: list[int]) -> None:
    assert visual_order(of) == expected


@settings(deadline=None)
@given(st.text(alphabet="ab1,. אבג٤٥جد", max_size=20), st.booleans())
def test_every_character_is_shown_once(text: str, right_to_left: bool) -> None:
    assert sorted(visual_order(levels(text, right_to_left))) == list(range(len(text)))


def test_brackets_are_mirrored_and_come_back() -> None:
    assert mirrored("(a) [b] «c»") == ")a( ]b[ »c«"
    assert mirrored(mirrored("({[<«a»>]})")) == "({[<«a»>]})"


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("سلام", "\ufeb3\ufefc\ufee1"),  # initial seen, final lam-alef, isolated meem
        ("لا", "\ufefb"),
        ("دار", "\ufea9\ufe8d\ufead"),  # letters that never join what follows
        ("الحُبّ", "\ufe8d\ufedf\ufea4\u064f\ufe90\u0651"),  # vowel signs do not part letters
        ("پگی", "\ufb58\ufb95\ufbfd"),  # Persian letters, of the other block
        ("بـب", "\ufe91\u0640\ufe90"),  # the stroke that lengthens a word joins both sides
        ("ب ب", "\ufe8f \ufe8f"),
        ("abc שלום", "abc שלום"),
    ],
)
def test_arabic_letters_join(text: str, forms: str) -> None:
    assert shaped(text) == forms
