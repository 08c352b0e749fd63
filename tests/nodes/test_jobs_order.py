"""Values that a client sends, as JSON and as the texts of a form."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.nodes.jobs_errors import RequestError
from lipsync_studio.nodes.jobs_order import PARAMETERS, Wishes

NUMBERS = {name: parameter.kind for name, parameter in PARAMETERS.items() if parameter.kind in (int, float)}


def test_without_values_the_engine_is_musetalk() -> None:
    assert Wishes.of_json({}) == Wishes.of_texts({}) == Wishes("musetalk", {})


def test_json_and_texts_mean_the_same() -> None:
    values = {"bbox_shift": -7, "smoothing": 0.25, "restore_in_silence": True, "codec": "hevc", "fps": 24}
    texts = {"bbox_shift": "-7", "smoothing": "0.25", "restore_in_silence": "true", "codec": "hevc", "fps": "24"}
    assert Wishes.of_json({"engine": "draft", **values}) == Wishes("draft", values)
    assert Wishes.of_texts({"engine": "draft", **texts}) == Wishes("draft", values)


@pytest.mark.parametrize(
    "fields",
    [
        {"engine": "other"},
        {"engine": None},
        {"engine": ["draft"]},
        {"engine": {}},
        {"bbox_shift": True},
        {"bbox_shift": 1.0},
        {"bbox_shift": "1"},
        {"smoothing": False},
        {"smoothing": math.nan},
        {"smoothing": math.inf},
        {"restore_in_silence": 1},
        {"codec": None},
        {"codec": ["h264"]},
        {"filename_prefix": "../../x"},
        {"": 1},
    ],
)
def test_wrong_types_and_names_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(RequestError) as refused:
        Wishes.of_json(fields)
    assert refused.value.status == 400


@given(st.sampled_from(sorted(NUMBERS)), st.integers(-(10**9) + 1, 10**9 - 1))
def test_a_whole_number_is_read_as_it_was_written(name: str, number: int) -> None:
    (value,) = Wishes.of_texts({name: str(number)}).values.values()
    assert type(value) is NUMBERS[name]
    assert value == number


@given(st.sampled_from(sorted(NUMBERS)), st.text(st.characters(exclude_categories=["Nd"])))
def test_a_text_without_digits_is_refused(name: str, text: str) -> None:
    with pytest.raises(RequestError):
        Wishes.of_texts({name: text})


@pytest.mark.parametrize("text", ["", " 1", "1 ", "1_0", "\u0661", "1e3", "nan", "0x10", "1\n", "9" * 5000])
def test_only_plain_numbers_are_numbers(text: str) -> None:
    for name in NUMBERS:
        with pytest.raises(RequestError):
            Wishes.of_texts({name: text})


def test_what_a_client_sent_is_shortened() -> None:
    with pytest.raises(RequestError) as refused:
        Wishes.of_json({"engine": "\ud800" * 5000})
    assert len(str(refused.value)) < 300
    assert str(refused.value).isascii()
