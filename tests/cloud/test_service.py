"""Which addresses are talked to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.cloud.service import DID, local_service
from lipsync_studio.pipelines.core.errors import InputError


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://result.d-id.com/tlk_x/1.mp4?Expires=1&Signature=x", True),
        ("https://d-id-talks-prod.s3.us-west-2.amazonaws.com/x.mp4?Signature=x", True),
        ("https://d-id-talks-prod.s3.amazonaws.com/x.mp4", True),
        ("https://d-id-talks-prod.s3-eu-west-1.amazonaws.com:443/x.mp4", True),
        ("http://result.d-id.com/x.mp4", False),
        ("https://d-id.com.evil.example/x.mp4", False),
        ("https://evil.example/d-id.com/x.mp4", False),
        ("https://evild-id.com/x.mp4", False),
        ("https://evil.s3.amazonaws.com/x.mp4", False),
        ("https://d-id-x.s3.amazonaws.com.evil.example/x.mp4", False),
        ("https://result.d-id.com:8443/x.mp4", False),
        ("https://result.d-id.com@evil.example/x.mp4", False),
        ("https://evil.example\\@result.d-id.com/x.mp4", False),
        ("https://evil.example\\.d-id.com/x.mp4", False),
        ("https://user:word@result.d-id.com/x.mp4", False),
        ("https://127.0.0.1/x.mp4", False),
        ("https://[::1/x.mp4", False),
        ("https://result.d-id.com:port/x.mp4", False),
        ("file:///etc/passwd", False),
        ("https://r\u0435sult.d-id.com/x.mp4", False),  # a Cyrillic letter
        ("", False),
    ],
)
def test_where_results_may_be(url: str, allowed: bool) -> None:
    assert DID.may_download(url) is allowed


@given(st.text())
def test_any_text_is_answered(url: str) -> None:
    assert not DID.may_download(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://localhost:1/", "https://[::1]:5", " http://127.9.9.9 "]
)
def test_a_fake_on_this_machine(url: str) -> None:
    service = local_service(url)
    assert service.is_local
    assert service.may_download(f"{service.base}/x.mp4")
    assert not service.may_download("http://127.0.0.1:2/x.mp4")
    assert not service.may_download("https://result.d-id.com/x.mp4")


@pytest.mark.parametrize(
    "url",
    [
        "https://api.d-id.com",
        "http://192.168.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "http://127.0.0.1\\@evil.example",
        "http://127.0.0.1:1/path",
        "http://127.0.0.1?x",
        "http://0.0.0.0:1",
        "ftp://127.0.0.1",
        "127.0.0.1:1",
        "nonsense",
    ],
)
def test_no_other_machine_gets_the_key(url: str) -> None:
    with pytest.raises(InputError, match="LIPSYNC_STUDIO_DID_URL"):
        local_service(url)


def test_the_real_one() -> None:
    assert (DID.base, DID.is_local) == ("https://api.d-id.com", False)
