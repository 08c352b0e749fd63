"""What was ordered comes here, through lost networks and old links, and is tidied up; or it is told why not."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from did_client import QUICK, Watcher, account, bought, order
from did_fake import HANG_UP, KEY, Answer, FakeDID, error, wait_until
from lipsync_studio.pipelines.cloud.order import Account, ordered, tidied
from lipsync_studio.pipelines.core.errors import CloudError, LipSyncError, NoFaceError


def test_polling_goes_on_after_the_network_was_away(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher
) -> None:
    down = Answer(502, {"message": "bad gateway"})
    busy = replace(error(429, "TooMany", "wait"), headers={"Retry-After": "0"})
    did.on("GET /talks/{id}", HANG_UP, down, busy, HANG_UP, Answer(200, body=b"not JSON"))
    bought(us, order(), tmp_path, watcher)
    assert did.count("POST /talks") == 1
    assert "No answer from D-ID; asking again" in watcher.said


def test_a_network_that_stays_away_ends_the_run_but_not_the_job(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher
) -> None:
    impatient = account(did, tmp_path, pace=replace(QUICK, offline=0.2))
    did.on("GET /talks/{id}", *[HANG_UP] * 1000)
    with pytest.raises(CloudError, match="Check the network"):
        bought(impatient, order(), tmp_path, watcher)
    did.script.clear()
    _, is_earlier = bought(us, order(), tmp_path, watcher)
    assert (is_earlier, did.count("POST /talks")) == (True, 1)


def test_a_job_that_never_ends(did: FakeDID, tmp_path: Path, watcher: Watcher) -> None:
    did.course = ("created", "started")
    with pytest.raises(CloudError, match="not bought again"):
        bought(account(did, tmp_path, pace=replace(QUICK, job=0.3)), order(), tmp_path, watcher)


@pytest.mark.parametrize(
    ("status", "more", "kind", "words"),
    [
        ("error", {}, CloudError, "status error. Try another"),
        ("rejected", {}, CloudError, "moderation"),
        ("error", {"error": {"kind": "FaceError", "description": "face not detected"}}, NoFaceError, "one face"),
        ("error", {"error": {"kind": "X", "description": f"key {KEY} bad"}}, CloudError, r"X: key \*\*\* bad"),
    ],
)
def test_a_talk_that_ends_badly(
    did: FakeDID,
    us: Account,
    tmp_path: Path,
    watcher: Watcher,
    status: str,
    more: dict,
    kind: type[LipSyncError],
    words: str,
) -> None:
    did.course, did.ending = ("created", status), more
    with pytest.raises(kind, match=words):
        bought(us, order(afterwards="delete the uploads"), tmp_path, watcher)
    assert did.uploads == {}
    assert list(tmp_path.glob("talk*")) == []
    did.course, did.ending = ("done",), {}
    _, is_earlier = bought(us, order(), tmp_path, watcher)
    assert not is_earlier, "a talk that failed has no result to fetch"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_expired_link_is_replaced(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher, status: int) -> None:
    did.on("GET /results/{id}", Answer(status, body=b"<Error>Request has expired</Error>"))
    bought(us, order(), tmp_path, watcher)
    first, second = [asked.target for asked in did.asked if asked.call == "GET /results/{id}"]
    assert first != second
    assert did.count("POST /talks") == 1


def test_a_broken_download_is_repeated(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    mp4 = {"Content-Type": "video/mp4"}
    cut = Answer(200, body=b"x" * 1000, headers=mp4, cut=10)
    did.on("GET /results/{id}", cut, Answer(200, body=b"", headers=mp4))
    path, _ = bought(us, order(), tmp_path, watcher)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert did.count("GET /results/{id}") == 3


def test_a_new_talk_may_be_unknown_for_a_moment(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    did.on("GET /talks/{id}", *[error(404, "NotFoundError", "not found")] * 2)
    path, _ = bought(us, order(), tmp_path, watcher)
    assert path.exists()


def test_a_talk_that_is_done_without_a_link(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    did.ending = {"result_url": ""}
    with pytest.raises(CloudError, match="got no link"):
        bought(us, order(), tmp_path, watcher)
    did.ending = {}
    assert bought(us, order(), tmp_path, watcher)[1]


def test_a_talk_of_another_account_or_deleted_is_not_bought_again_silently(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher
) -> None:
    ordered(us, order(), watcher)
    did.talks.clear()
    with pytest.raises(CloudError, match=r"another key.*Change `run_again`"):
        bought(us, order(), tmp_path, watcher)
    assert did.count("POST /talks") == 1


def test_afterwards(did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher) -> None:
    bought(us, order(), tmp_path, watcher)
    assert (len(did.uploads), len(did.talks)) == (2, 1)
    bought(us, order(afterwards="delete the uploads"), tmp_path, watcher)  # those of the earlier run
    assert (len(did.uploads), len(did.talks)) == (0, 1)
    bought(us, order(afterwards="delete all"), tmp_path, watcher)
    assert len(did.talks) == 0
    with pytest.raises(CloudError, match="made, paid and then deleted"):
        bought(us, order(afterwards="delete all"), tmp_path, watcher)
    assert did.count("POST /talks") == 1


def test_a_stop_while_the_talk_is_deleted_takes_nothing_away(
    did: FakeDID, us: Account, tmp_path: Path, watcher: Watcher
) -> None:
    """From then on the result is nowhere but here, so the stop must not throw it away."""
    wish, patient = order(afterwards="delete all"), replace(QUICK, silence=100, answer=100)
    did.on("DELETE /talks/{id}", Answer(200, body=b"{" * 99, drip=60))
    job, _ = ordered(us, wish, watcher)
    stopper = threading.Thread(target=lambda: (wait_until(lambda: did.count("DELETE /talks/{id}")), watcher.stop.set()))
    stopper.start()
    (note,) = tidied(account(did, tmp_path, pace=patient), wish, job, watcher)
    stopper.join()
    assert "the stop button" in note
    assert watcher.is_interrupted(), "the host stops next"


def test_what_cannot_be_deleted_is_told(did: FakeDID, us: Account, watcher: Watcher) -> None:
    wish = order(afterwards="delete all")
    job, _ = ordered(us, wish, watcher)
    did.on("DELETE /talks/{id}", error(409, "NotReadyError", "talk is in process, try again later"))
    (note,) = tidied(us, wish, job, watcher)
    assert note.startswith("Could not be deleted at D-ID: talks (HTTP 409")
    assert us.journal.find(wish.inputs) == job, "it can still be fetched"
