"""The key: what is taken for one, and that nothing shows it."""

from __future__ import annotations

import base64
import pickle
import traceback

import pytest
from did_fake import KEY
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.cloud.key import ApiKey
from lipsync_studio.pipelines.core.errors import InputError


@pytest.mark.parametrize(
    "pasted",
    [KEY, f"  {KEY}\n", f"Basic {KEY}", f"basic   {KEY}", f"Authorization: Basic {KEY}"],
)
def test_what_people_paste(pasted: str) -> None:
    assert ApiKey.read(pasted).header == f"Basic {KEY}"


def test_a_key_that_begins_like_the_word() -> None:
    assert ApiKey.read("basically:secret").text == "basically:secret"


@pytest.mark.parametrize(
    "pasted", ["", "short", "two words of text", f"{KEY}\nX-Header: x", "ключ-ключ-ключ", "x" * 1025, "key:\x00secret"]
)
def test_what_is_no_key_is_refused_without_being_told(pasted: str) -> None:
    with pytest.raises(InputError) as refused:
        ApiKey.read(pasted)
    assert not pasted or pasted not in "".join(traceback.format_exception(refused.value))


def test_it_is_in_no_repr() -> None:
    key = ApiKey(KEY)
    assert KEY not in f"{key} {key!r} {[key]} {vars(key).keys()}"
    assert pickle.loads(pickle.dumps(key)) == key


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"user {KEY} is unknown", "user *** is unknown"),
        (f"password {KEY.split(':')[1]}", "password ***"),
        (base64.b64encode(KEY.encode()).decode(), "***"),
        ("Authorization: Basic abc=, sorry", "Authorization: Basic ***, sorry"),
        ("bearer x.y.z", "bearer ***"),
        ("see https://a.d-id.com/x.mp4?Signature=abc&Expires=1 there", "see https://a.d-id.com/x.mp4?*** there"),
        ("two\nlines", "two lines"),
        ("why? because", "why? because"),
    ],
)
def test_what_people_get_to_read(said: str, shown: str) -> None:
    assert ApiKey(KEY).redact(said) == shown


@given(st.text(), st.text())
def test_redaction_leaves_no_key(before: str, after: str) -> None:
    shown = ApiKey(KEY).redact(before + KEY + after)
    assert KEY not in shown
    assert KEY.split(":")[1] not in shown
    assert len(shown) <= 300
