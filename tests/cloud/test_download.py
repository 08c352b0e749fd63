"""The result's way here: known hosts, bounded, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from did_client import QUICK, Watcher
from did_fake import Answer, FakeDID
from lipsync_studio.pipelines.cloud.download import LinkExpiredError, download
from lipsync_studio.pipelines.cloud.failures import UnansweredError
from lipsync_studio.pipelines.cloud.order import Account
from lipsync_studio.pipelines.cloud.service import DID
from lipsync_studio.pipelines.core.errors import CloudError, LipSyncError

MP4 = {"Content-Type": "video/mp4"}


def fetch(did: FakeDID, us: Account, folder: Path, watcher: Watcher, *answers: Answer) -> Path:
    did.on("GET /results/{id}", *answers)
    path = folder / "a.mp4"
    download(f"{did.url}/results/a.mp4", path, us.client.http.service, QUICK, watcher)
    return path


@pytest.mark.parametrize(
    "kind", ["video/mp4", "video/quicktime; x=y", "application/octet-stream", "binary/octet-stream"]
)
def test_what_stores_call_a_video(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher, kind: str) -> None:
    answer = Answer(200, body=b"film", headers={"Content-Type": kind})
    assert fetch(did, us, tmp_path, watcher, answer).read_bytes() == b"film"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(200, body=b"<html>", headers={"Content-Type": "text/html"}), CloudError, "text/html"),
        (Answer(200, body=b"x", headers={"Content-Type": ""}), CloudError, "unknown"),
        (Answer(200, body=b"x", headers=MP4 | {"Content-Length": "9999999999"}), CloudError, "10000 MB"),
        (Answer(200, body=b"x" * 1_000_001, headers=MP4), CloudError, "at most 1 MB"),
        (Answer(200, body=b"x" * 100, headers=MP4, cut=50), UnansweredError, "broke|bytes of it"),
        (Answer(200, headers=MP4), UnansweredError, "0 bytes"),
        (Answer(200, body=b"x" * 1000, headers=MP4, drip=0.01), UnansweredError, "had not ended"),
        (Answer(403, body=b"expired"), LinkExpiredError, "403"),
        (Answer(500), CloudError, "HTTP 500"),
        (Answer(302, headers={"Location": "https://evil.example/x.mp4"}), CloudError, "link to somewhere else"),
        (Answer(302, headers={"Location": "file:///etc/passwd"}), CloudError, "link to somewhere else"),
        (Answer(302, headers={"Location": "http://[bad"}), CloudError, "link to somewhere else"),
    ],
    ids=lambda value: str(getattr(value, "status", "")),
)
def test_what_is_no_result(
    did: FakeDID,
    us: Account,
    tmp_path: Path,
    watcher: Watcher,
    answer: Answer,
    kind: type[LipSyncError],
    words: str,
) -> None:
    with pytest.raises(kind, match=words):
        fetch(did, us, tmp_path, watcher, answer)
    assert list(tmp_path.iterdir()) == []


def test_the_size_is_counted_where_it_is_not_told(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    """A header that says less than what comes ends the reading at what it says; without one, bytes are counted."""
    lying = Answer(200, body=b"x" * 2_000_000, headers=MP4 | {"Content-Length": "10"})
    assert fetch(did, us, tmp_path, watcher, lying).read_bytes() == b"x" * 10


def test_a_redirect_to_a_known_host_is_followed(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    moved = Answer(307, headers={"Location": "/results/b.mp4"})
    assert fetch(did, us, tmp_path, watcher, moved, Answer(200, body=b"film", headers=MP4)).read_bytes() == b"film"
    with pytest.raises(CloudError, match="one redirect after another"):
        fetch(did, us, tmp_path, watcher, *[moved] * 5)


def test_an_unknown_host_is_not_even_asked(did: FakeDID, tmp_path: Path, watcher: Watcher) -> None:
    with pytest.raises(CloudError, match="link to somewhere else"):
        download(f"{did.url}/results/a.mp4", tmp_path / "a.mp4", DID, QUICK, watcher)
    assert did.asked == []


def test_an_earlier_file_stays_when_it_fails(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    (tmp_path / "a.mp4").write_text("earlier")
    with pytest.raises(CloudError):
        fetch(did, us, tmp_path, watcher, Answer(500))
    assert (tmp_path / "a.mp4").read_text() == "earlier"


def test_a_folder_that_is_gone(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    with pytest.raises(LipSyncError, match="folder that can be written"):
        fetch(did, us, tmp_path / "gone", watcher)
