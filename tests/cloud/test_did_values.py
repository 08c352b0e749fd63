"""What D-ID is asked, against its published contract; and what people write, checked before."""

from __future__ import annotations

import json
import math
from typing import get_args

import pytest
from did_contract import contract
from did_fake import KEY
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.cloud.did_values import (
    LONGEST_PAD,
    Credits,
    Expression,
    Mood,
    Provider,
    ResultFormat,
    SpokenText,
    Talk,
    TalkOptions,
    billed_seconds,
    read_expressions,
)
from lipsync_studio.pipelines.core.errors import CloudError, InputError

EXPRESSIONS = st.builds(
    Expression, st.integers(0, 10**6), st.sampled_from(get_args(Mood)), st.floats(0, 1, allow_nan=False)
)
OPTIONS = st.builds(
    TalkOptions,
    stitch=st.booleans(),
    fluent=st.booleans(),
    pad_audio=st.floats(0, LONGEST_PAD),
    expressions=st.lists(EXPRESSIONS, max_size=3).map(tuple),
    result_format=st.sampled_from(get_args(ResultFormat)),
)
TEXTS = st.builds(
    SpokenText,
    st.text(st.characters(exclude_categories=["Cs"]), min_size=3, max_size=200).filter(lambda t: len(t.strip()) >= 3),
    st.sampled_from(get_args(Provider)),
    st.just("en-US-JennyNeural"),
)


@settings(deadline=None)  # the contract is read once
@given(OPTIONS, TEXTS)
def test_whatever_can_be_asked_keeps_to_the_contract(options: TalkOptions, text: SpokenText) -> None:
    talk = {"source_url": "s3://d-id-images-prod/o/img_1/a.jpg", "script": text.script(), "config": options.config()}
    headers = {"Authorization": f"Basic {KEY}", "Content-Type": "application/json"}
    assert contract().breach_of_request("POST", "/talks", headers, json.dumps(talk).encode()) == ""


@pytest.mark.parametrize("legacy", ["persist", "driver_url", "face"])
def test_the_contract_would_tell(legacy: str) -> None:
    headers = {"Authorization": f"Basic {KEY}", "Content-Type": "application/json"}
    body = json.dumps({"script": {"type": "text"}, legacy: "x"}).encode()
    assert legacy in contract().breach_of_request("POST", "/talks", headers, body)


@pytest.mark.parametrize(("seconds", "billed"), [(0, 15), (0.1, 15), (15, 15), (15.01, 30), (60, 60), (600, 600)])
def test_billing_in_steps(seconds: float, billed: int) -> None:
    assert billed_seconds(seconds) == billed


@given(st.floats(0, 1e6))
def test_billing_never_tells_less(seconds: float) -> None:
    billed = billed_seconds(seconds)
    assert billed % 15 == 0
    assert seconds <= billed < max(seconds, 1e-9) + 15 or math.isclose(billed, 15)


@pytest.mark.parametrize(("provider", "voice"), [("google", ""), ("elevenlabs", " ")])
def test_a_voice_may_be_the_provider_s_own(provider: Provider, voice: str) -> None:
    assert SpokenText("Hello.", provider, voice).script()["provider"] == {"type": provider}


@pytest.mark.parametrize(
    ("text", "provider", "voice", "words"),
    [
        ("", "google", "", "got no audio and 0 characters"),
        ("  a ", "google", "", "1 characters"),
        ("x" * 10_001, "google", "", "10001"),
        ("Hello.", "microsoft", "", "a voice of microsoft"),
        ("Hello.", "amazon", " ", "a voice of amazon"),
    ],
)
def test_text_that_cannot_be_spoken(text: str, provider: Provider, voice: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        SpokenText(text, provider, voice)


def test_expressions_are_read() -> None:
    assert read_expressions("\n 0 happy 0.5 \n\n25 neutral 1\n") == (
        Expression(0, "happy", 0.5),
        Expression(25, "neutral", 1.0),
    )
    assert read_expressions("") == ()


@pytest.mark.parametrize(
    "row", ["happy", "0 happy", "0 angry 1", "-1 happy 1", "0 happy 2", "0 happy nan", "0.5 happy 1", "0 happy 1 x"]
)
def test_expressions_that_are_none(row: str) -> None:
    with pytest.raises(InputError, match="expressions"):
        read_expressions(f"0 happy 1\n{row}")


@pytest.mark.parametrize("seconds", [-0.1, 60.1, math.nan])
def test_padding_has_bounds(seconds: float) -> None:
    with pytest.raises(InputError, match="pad_audio"):
        TalkOptions(pad_audio=seconds)


@pytest.mark.parametrize("answer", [{}, {"id": 7, "status": "done"}, {"id": "x"}, {"id": "", "status": "done"}])
def test_a_talk_without_its_parts(answer: dict[str, object]) -> None:
    with pytest.raises(CloudError, match="in D-ID's answer"):
        Talk.of(answer)


def test_a_talk_with_odd_parts() -> None:
    talk = Talk.of({"id": "t", "status": "error", "result_url": None, "error": "oops"})
    assert (talk.result_url, talk.reason, talk.has_ended) == ("", "", True)


def test_credits_must_be_numbers() -> None:
    with pytest.raises(CloudError):
        Credits.of({"remaining": None, "total": 1})
