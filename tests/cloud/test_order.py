"""An order from the first byte to the result, against a fake that keeps to D-ID's published contract."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from did_client import QUICK, TEXT, Stopped, Watcher, account, bought, order
from did_fake import HANG_UP, Answer, FakeDID, error, wait_until
from lipsync_studio.pipelines.cloud.did_values import Expression, TalkOptions
from lipsync_studio.pipelines.cloud.order import Account, ordered
from lipsync_studio.pipelines.core.errors import CloudError, LipSyncError, NoFaceError


def test_all_goes_well(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    path, is_earlier = bought(us, order(), tmp_path, watcher)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert not is_earlier
    sent = ["GET /credits", "POST /images", "POST /audios", "POST /talks"]
    assert did.calls() == [*sent, *["GET /talks/{id}"] * 3, "GET /results/{id}"]
    told = ["Uploading the picture", "Uploading the sound", "Uploaded; ordering the talk", "Queued at D-ID"]
    assert watcher.said[:5] == [*told, "Started; D-ID is at work"]
    assert watcher.said[5].startswith("Downloading")
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["talk.mp4"]


def test_what_is_asked(did: FakeDID, us: Account, watcher: Watcher) -> None:
    options = TalkOptions(False, True, 1.5, (Expression(0, "happy", 0.5),), "mov")
    ordered(us, replace(order(), options=options), watcher)
    (talk,) = [asked.said for asked in did.asked if asked.call == "POST /talks"]
    assert talk["source_url"].startswith("s3://d-id-images-prod/")
    assert talk["script"]["type"] == "audio"
    assert talk["config"] == {
        "stitch": False,
        "fluent": True,
        "pad_audio": 1.5,
        "result_format": "mov",
        "driver_expressions": {"expressions": [{"start_frame": 0, "expression": "happy", "intensity": 0.5}]},
    }


def test_text_is_spoken_without_an_upload(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    bought(us, order(TEXT), tmp_path, watcher)
    (talk,) = [asked.said for asked in did.asked if asked.call == "POST /talks"]
    provider = {"type": "microsoft", "voice_id": "en-US-JennyNeural"}
    assert talk["script"] == {"type": "text", "input": "Hello there.", "provider": provider}
    assert did.count("POST /audios") == 0


def test_the_same_inputs_are_not_bought_again(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    bought(us, order(), tmp_path, watcher)
    path, is_earlier = bought(us, order(), tmp_path, watcher)
    assert is_earlier
    assert path.exists()
    assert (did.count("POST /talks"), did.count("POST /images")) == (1, 1)
    bought(us, order(inputs="cd" * 32), tmp_path, watcher)
    assert did.count("POST /talks") == 2


@pytest.mark.parametrize(
    ("call", "answer", "words"),
    [
        ("GET /credits", error(401, "AuthorizationError", "user unauthenticated"), "key"),
        ("POST /images", error(400, "BadRequestError", "face not detected"), "one face"),
        ("POST /images", error(415, "UnsupportedMimeTypeError", "no"), "kind of file"),
        ("POST /images", error(451, "CelebrityDetectedError", "a celebrity"), "moderation"),
        ("POST /audios", error(451, "AudioModerationError", "no"), "moderation"),
        ("POST /talks", error(400, "ValidationError", "no"), "options"),
        ("POST /talks", error(402, "InsufficientCreditsError", "not enough credits"), "credits"),
        ("POST /talks", error(403, "PermissionError", "user has no permission for stitch"), "stitch"),
        ("POST /talks", Answer(403, {"Message": "explicit deny"}), "explicit deny"),
        ("POST /talks", Answer(403, {"message": "Forbidden"}), "Forbidden"),
        ("POST /talks", error(451, "TextModerationError", "no"), "moderation"),
        ("POST /talks", Answer(302, headers={"Location": "http://127.0.0.1:9/"}), "HTTP 302"),
    ],
    ids=lambda value: getattr(value, "status", value),
)
def test_a_refusal_is_explained_and_nothing_is_left(
    did: FakeDID, us: Account, watcher: Watcher, call: str, answer: Answer, words: str
) -> None:
    did.on(call, answer)
    with pytest.raises(CloudError, match=words):
        ordered(us, order(afterwards="delete the uploads"), watcher)
    assert us.journal.find(order().inputs) is None
    assert did.uploads == {}
    assert did.count("POST /talks") == (call == "POST /talks")
    ordered(us, order(), watcher)  # the next run orders


def test_no_face_costs_nothing(did: FakeDID, us: Account, watcher: Watcher) -> None:
    did.on("POST /images", Answer(201, {"id": "img_x", "url": "s3://d-id-images-prod/o/img_x/a.jpg", "faces": []}))
    with pytest.raises(NoFaceError, match="seen from the front"):
        ordered(us, order(), watcher)
    assert did.count("POST /talks") == 0


@pytest.mark.parametrize(
    "retry_after",
    [None, "0", "Fri, 31 Dec 1999 23:59:59 GMT", "Fri, 31 Dec 99999999999 23:59:59 GMT", "soon"],
)
def test_too_many_requests_are_repeated_because_they_did_nothing(
    did: FakeDID, us: Account, watcher: Watcher, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    did.on("POST /talks", *[replace(error(429, "TooMany", "wait"), headers=headers)] * 2)
    ordered(us, order(), watcher)
    assert len(did.talks) == 1


def test_retry_after_is_waited_for(did: FakeDID, us: Account, watcher: Watcher) -> None:
    did.on("POST /images", replace(error(429, "TooMany", "wait"), headers={"Retry-After": "99"}))
    began = time.monotonic()
    ordered(us, order(), watcher)
    assert time.monotonic() - began >= QUICK.longest_retry_after


@pytest.mark.parametrize(
    "lost",
    [
        replace(HANG_UP, done_anyway=True),
        Answer(504, {"message": "Endpoint request timed out"}, done_anyway=True),
        Answer(408, {"message": "Request timeout"}, done_anyway=True),
        Answer(500, {"kind": "ServerError", "description": "oops"}, done_anyway=True),
        Answer(201, body=b"<html>", done_anyway=True),
        Answer(201, body=b'{"id": "tlk', headers={"Content-Length": "999"}, done_anyway=True),
    ],
    ids=["hung up", "gateway timeout", "request timeout", "server error", "not JSON", "cut off"],
)
def test_a_lost_answer_is_searched_and_never_sent_twice(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher, lost: Answer
) -> None:
    did.on("POST /talks", lost)
    path, _ = bought(us, order(), tmp_path, watcher)
    assert path.exists()
    assert (did.count("POST /talks"), did.count("GET /talks")) == (1, 1)


@pytest.mark.parametrize("lost", [HANG_UP, Answer(503, {"message": "unavailable"})], ids=["hung up", "unavailable"])
def test_when_it_cannot_be_found_the_user_decides(did: FakeDID, us: Account, watcher: Watcher, lost: Answer) -> None:
    did.on("POST /talks", lost)
    for _ in range(2):  # the second run only looks
        with pytest.raises(CloudError, match="`run_again`"):
            ordered(us, order(afterwards="delete the uploads"), watcher)
        assert did.count("POST /talks") == 1
        assert len(did.uploads) == 2, "a job that may be running needs its files"
    ordered(us, order(inputs="another"), watcher)
    assert did.count("POST /talks") == 2


def test_a_crash_after_the_order_costs_nothing(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    ordered(us, order(), watcher)
    after_restart = account(did, tmp_path)
    path, is_earlier = bought(after_restart, order(), tmp_path, watcher)
    assert (is_earlier, did.count("POST /talks")) == (True, 1)
    assert path.exists()


def test_a_crash_while_ordering_costs_nothing(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    job, _ = ordered(us, order(), watcher)
    us.journal.write(replace(job, state="sending", id=""))  # as it was before the answer came
    _, is_earlier = bought(account(did, tmp_path), order(), tmp_path, watcher)
    assert (is_earlier, did.count("POST /talks")) == (True, 1)


def test_stopping_while_the_order_is_sent(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    """The answer that comes after the stop is still noted, so the next run knows the talk."""
    did.on("POST /talks", Answer(drip=0.005, done_anyway=True, **_made()))
    thread = threading.Thread(target=lambda: (wait_until(lambda: did.talks), watcher.stop.set()))
    thread.start()
    with pytest.raises(Stopped):
        ordered(us, order(), watcher)
    thread.join()
    assert "may be made and billed" in watcher.said[-1]
    wait_until(lambda: getattr(us.journal.find(order().inputs), "state", "") == "made")
    _, is_earlier = bought(us, order(), tmp_path, Watcher())
    assert (is_earlier, did.count("POST /talks")) == (True, 1)


def test_stopping_before_the_order_buys_nothing(did: FakeDID, us: Account) -> None:
    class InTime(Watcher):
        def say(self, text: str) -> None:
            super().say(text)
            if "ordering" in text:
                self.stop.set()

    watcher = InTime()
    with pytest.raises(Stopped):
        ordered(us, order(), watcher)
    assert did.count("POST /talks") == 0
    assert us.journal.find(order().inputs) is None
    assert "billed" not in watcher.said[-1]


def _made() -> dict:
    body = {"id": "tlk_0-x", "object": "talk", "created_by": "o", "created_at": "2026-01-02", "status": "created"}
    return {"status": 201, "said": body}


def test_a_full_disk_after_the_order_takes_nothing_away(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = us.journal.folder
    usual = did._make

    def make(asked: object) -> Answer:  # the disk is full from here on
        folder.rename(folder.with_name("gone"))
        folder.write_text("a file in its place")
        return usual(asked)

    monkeypatch.setattr(did, "_make", make)
    assert bought(us, order(), tmp_path, watcher)[0].exists()


@pytest.mark.parametrize("call", ["POST /images", "GET /talks/{id}", "GET /results/{id}"])
def test_stopping_while_the_service_is_silent(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher, call: str
) -> None:
    """An answer drips, a byte in a minute; the stop does not wait for the next byte."""
    patient = replace(QUICK, silence=100, answer=100, file=100)
    did.on(call, Answer(200, body=b"{" * 99, drip=60, headers={"Content-Type": "video/mp4"}))
    thread = threading.Thread(target=lambda: (wait_until(lambda: did.count(call)), watcher.stop.set()))
    thread.start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        bought(account(did, tmp_path, pace=patient), order(), tmp_path, watcher)
    thread.join()
    assert time.monotonic() - began < 30
    assert list(tmp_path.glob("talk.mp4")) == []
    if call == "POST /images":
        return
    assert "may bill it" in watcher.said[-1]
    _, is_earlier = bought(us, order(), tmp_path, Watcher())
    assert (is_earlier, did.count("POST /talks")) == (True, 1)


@pytest.mark.parametrize("status", [403, 404])
def test_credits_that_are_not_told_stop_nothing(did: FakeDID, us: Account, watcher: Watcher, status: int) -> None:
    did.on("GET /credits", error(status, "NotFoundError", "not found"))
    job, _ = ordered(us, order(), watcher)
    assert job.credits is None


def test_an_unreachable_service_is_told_and_leaves_nothing(did: FakeDID, tmp_path: Path, watcher: Watcher) -> None:
    did.url, url = "http://127.0.0.1:9", did.url  # the discard port: nobody listens
    us = account(did, tmp_path)
    did.url = url
    with pytest.raises(CloudError, match="Check the network"):
        ordered(us, order(), watcher)
    assert us.journal.find(order().inputs) is None


def test_nothing_is_ordered_that_cannot_be_noted(did: FakeDID, us: Account, watcher: Watcher) -> None:
    us.journal.folder.write_text("a file where the folder should be")
    with pytest.raises(LipSyncError):
        ordered(us, order(), watcher)
    assert did.count("POST /talks") == 0
