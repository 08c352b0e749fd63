"""Single exchanges: what is sent, what is never followed, what is bounded, what is kept out of logs and errors."""

from __future__ import annotations

import logging
import threading
import traceback
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from did_client import PICTURE, QUICK, Watcher, account
from did_fake import HANG_UP, KEY, NOW, SECRETS, Answer, FakeDID, error
from lipsync_studio.pipelines.cloud.download import download
from lipsync_studio.pipelines.cloud.http import Http, words_of
from lipsync_studio.pipelines.cloud.key import ApiKey
from lipsync_studio.pipelines.cloud.order import Account
from lipsync_studio.pipelines.cloud.transport import WithKey, WithoutKey
from lipsync_studio.pipelines.core.errors import CloudError
from requests.auth import AuthBase


def test_the_key_is_sent_as_it_is(did: FakeDID, us: Account, watcher: Watcher) -> None:
    us.client.credits(watcher)
    assert did.asked[0].headers["Authorization"] == f"Basic {KEY}"


@pytest.mark.parametrize(("auth", "sent"), [(WithKey(ApiKey(KEY)), f"Basic {KEY}"), (WithoutKey(), None)])
def test_a_netrc_puts_nothing_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: AuthBase, sent: str | None
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session, url = requests.Session(), "https://api.d-id.com/credits"
    own = session.prepare_request(requests.Request("GET", url)).headers
    assert own["Authorization"].startswith("Basic "), "requests has read the file"
    assert session.prepare_request(requests.Request("GET", url, auth=auth)).headers.get("Authorization") == sent


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    did: FakeDID, us: Account, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert us.client.credits(watcher).remaining == 20


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(did: FakeDID, us: Account, watcher: Watcher, status: int) -> None:
    did.on("GET /credits", Answer(status, headers={"Location": f"{did.url}/talks"}))
    with pytest.raises(CloudError, match=f"HTTP {status}"):
        us.client.credits(watcher)
    assert did.calls() == ["GET /credits"]


def test_the_body_of_a_redirect_is_bounded_too(did: FakeDID, us: Account, watcher: Watcher) -> None:
    did.on("GET /credits", Answer(302, body=b"x" * (2 << 20), headers={"Location": f"{did.url}/talks"}))
    with pytest.raises(CloudError, match="at most 1 MB"):
        us.client.credits(watcher)


def test_questions_are_repeated(did: FakeDID, us: Account, watcher: Watcher) -> None:
    did.on("GET /credits", HANG_UP, Answer(503))
    assert us.client.credits(watcher).remaining == 20
    did.on("GET /credits", *[Answer(500)] * QUICK.tries)
    with pytest.raises(CloudError, match="HTTP 500"):
        us.client.credits(watcher)


@pytest.mark.parametrize("answer", [HANG_UP, Answer(500), Answer(503)], ids=["hung up", "500", "503"])
def test_uploads_are_not_repeated(did: FakeDID, us: Account, watcher: Watcher, answer: Answer) -> None:
    did.on("POST /images", answer)
    with pytest.raises(CloudError):
        us.client.upload_image("a", PICTURE, watcher)
    assert did.count("POST /images") == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, body=b"<html>log in</html>"), "JSON"),
        (Answer(200, body=b"[1]"), "JSON"),
        (Answer(200, body=b"[" * 100_000), "JSON"),
        (Answer(200, body=b'"' + b"x" * (2 << 20) + b'"'), "at most 1 MB"),
        (Answer(200, body=b"{}"), "the credits in D-ID's answer"),
        (Answer(200, body=b'{"remaining": "many", "total": 1}'), "the credits in D-ID's answer"),
    ],
    ids=["html", "a list", "too deep", "too large", "nothing", "words"],
)
def test_answers_that_are_none(did: FakeDID, us: Account, watcher: Watcher, answer: Answer, words: str) -> None:
    did.on("GET /credits", *[answer] * QUICK.tries)
    with pytest.raises(CloudError, match=words):
        us.client.credits(watcher)


def test_an_answer_that_drips(did: FakeDID, tmp_path: Path, watcher: Watcher) -> None:
    """Each byte comes in time, but not the whole."""
    did.on("GET /credits", Answer(200, body=b"{}" * 5000, drip=0.01))
    hasty = account(did, tmp_path, pace=replace(QUICK, answer=0.3, tries=1))
    with pytest.raises(CloudError, match="an answer that had not ended"):
        hasty.client.credits(watcher)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"kind": "K", "description": "d", "details": {"x": 1}}', "K: d"),
        (b'{"Message": "denied"}', "denied"),
        (b'{"message": "denied"}', "denied"),
        (b'{"kind": 7, "description": null}', ""),
        (b"[]", ""),
        (b"<html>", ""),
        (b"\xff", ""),
        (b"", ""),
    ],
)
def test_the_words_of_an_error(body: bytes, words: str) -> None:
    assert words_of(body) == words


def test_no_error_and_no_log_holds_a_secret(
    did: FakeDID, us: Account, watcher: Watcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = error(403, "PermissionError", f"Authorization: Basic {KEY} for {did.url}/x.mp4?Signature=CANARY-SIGNATURE")
    did.on("POST /talks", told)
    did.on("GET /credits", *[HANG_UP] * QUICK.tries)
    signed = f"{did.url}/results/x/1.mp4?Signature=CANARY-SIGNATURE"
    did.on("GET /results/{id}", HANG_UP, Answer(200, body=b"x", headers={"Content-Type": "text/html"}))
    nowhere = signed.replace(did.url.rsplit(":", 1)[1].split("/")[0], "9")
    failures = []
    for attempt in (
        lambda: us.client.credits(watcher),
        lambda: us.client.http.call("POST", "/talks", "talk", watcher, json={"script": {"type": "text"}}),
        lambda: download(signed, tmp_path / "a.mp4", us.client.http.service, QUICK, watcher),
        lambda: download(signed, tmp_path / "a.mp4", us.client.http.service, QUICK, watcher),
        lambda: download(nowhere, tmp_path / "a.mp4", us.client.http.service, QUICK, watcher),
    ):
        with pytest.raises(CloudError) as failed:
            attempt()
        failures.append("".join(traceback.format_exception(failed.value)))
    shown = "\n".join([*failures, caplog.text, repr(us), *watcher.said])
    assert "GET /results" in caplog.text, "urllib3's own log was looked at"
    assert [secret for secret in SECRETS if secret in shown] == []


def test_what_does_not_connect_did_nothing(tmp_path: Path, did: FakeDID, us: Account) -> None:
    http: Http = replace(us.client.http, service=replace(us.client.http.service, base="http://127.0.0.1:9"))
    with pytest.raises(CloudError) as failed:
        http.exchange("POST", "/talks", "talk", threading.Event())
    assert failed.value.may_have_arrived is False


def test_an_unknown_key(did: FakeDID, tmp_path: Path, watcher: Watcher) -> None:
    stranger = account(did, tmp_path, key="somebody:else123")
    with pytest.raises(CloudError, match=r"HTTP 401.*Set it again"):
        stranger.client.credits(watcher)


def test_the_list_of_talks_is_read_with_care(did: FakeDID, us: Account, watcher: Watcher) -> None:
    assert us.client.find("token", watcher) is None
    did.on("GET /talks", Answer(200, body=b'{"talks": [7, null, {"source_url": 9}]}'))
    assert us.client.find("token", watcher) is None
    talk = {"id": "t", "user_id": "o", "created_at": NOW, "modified_at": NOW, "status": "done"}
    did.on("GET /talks", Answer(200, {"talks": [talk | {"source_url": "https://x/img_1/face-token.jpg"}]}))
    found = us.client.find("token", watcher)
    assert found is not None
    assert found.id == "t"


def test_the_list_of_talks_is_turned_over(did: FakeDID, us: Account, watcher: Watcher) -> None:
    did.on("GET /talks", *[Answer(200, {"talks": [], "token": "next & more"})] * 3)
    assert us.client.find("token", watcher) is None
    further = "/talks?limit=100&token=next%20%26%20more"
    assert [asked.target for asked in did.asked] == ["/talks?limit=100", further, further, further]
    did.on("GET /talks", *[Answer(200, {"talks": [], "token": "for ever"})] * 1000)
    assert us.client.find("token", watcher) is None
    assert did.count("GET /talks") < 20
