"""D-ID Talk in a real ComfyUI, against a fake that keeps to D-ID's published contract."""

from __future__ import annotations

import json
import os
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import av
import pytest
from client import Graph, Result
from did_fake import KEY, SECRETS, Answer, FakeDID, error, wait_until
from host import PACK, Server

ROUTE = "/lipsync_studio/did/key"


@pytest.fixture
def did(comfyui: Server, did_server: FakeDID) -> Iterator[FakeDID]:
    """A new fake and a ComfyUI that knows its key and never bought anything."""
    did_server.forget()
    for job in jobs(comfyui):
        job.unlink()
    comfyui.post(ROUTE, {"key": KEY})
    yield did_server
    assert did_server.breaches == []


def jobs(comfyui: Server) -> list[Path]:
    return list((comfyui.base / "user" / "__lipsync_studio" / "did_jobs").glob("*.json"))


def did_graph(prefix: str = "did", **inputs: object) -> Graph:
    """The shipped workflow, with consent. `inputs` of the node; None leaves one out."""
    graph = json.loads((PACK / "workflows" / "api" / "did_talk.json").read_text(encoding="utf-8"))
    changed = graph["3"]["inputs"] | {"consent": True} | inputs
    graph["3"]["inputs"] = {name: value for name, value in changed.items() if value is not None}
    graph["4"]["inputs"]["filename_prefix"] = prefix
    return graph


def saved(comfyui: Server, result: Result) -> Path:
    assert result.failure is None, result.failure
    (file,) = [file for file in result.files() if file["filename"].endswith((".mp4", ".mov"))]
    return comfyui.output / file["subfolder"] / file["filename"]


def report_of(result: Result) -> dict[str, object]:
    return json.loads(result.outputs["5"]["text"][0])


def forget_results(comfyui: Server) -> None:
    """ComfyUI's cache, as after a restart."""
    comfyui.post("/free", {"free_memory": True, "unload_models": True})


def test_the_shipped_workflow_asks_for_consent_first(comfyui: Server, did: FakeDID) -> None:
    result = comfyui.run(json.loads((PACK / "workflows" / "api" / "did_talk.json").read_text(encoding="utf-8")))
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    assert "leave this machine" in result.failure.message
    assert did.asked == []


def test_consent_that_another_node_refuses(comfyui: Server, did: FakeDID) -> None:
    graph = did_graph(consent=["6", 0])
    graph["6"] = {"class_type": "PrimitiveBoolean", "inputs": {"value": False}}
    result = comfyui.run(graph)
    assert result.failure is not None
    assert "Nothing was sent" in result.failure.message
    assert did.asked == []


def test_without_a_key(comfyui: Server, did: FakeDID) -> None:
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    no_proxy.open(urllib.request.Request(comfyui.url + ROUTE, method="DELETE")).close()
    assert comfyui.get(ROUTE) == {"whence": "nowhere"}
    result = comfyui.run(did_graph())
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    assert "DID_API_KEY" in result.failure.message
    assert did.asked == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [(ROUTE, {"key": "two words, no key"}, 400), (ROUTE, {"key": 7}, 400), (f"{ROUTE}/test", {}, 502)],
)
def test_routes_say_no(comfyui: Server, did: FakeDID, path: str, body: dict[str, object], status: int) -> None:
    did.on("GET /credits", error(401, "AuthorizationError", "user unauthenticated"))
    with pytest.raises(aiohttp.ClientResponseError) as refused:
        comfyui.post(path, body)
    assert refused.value.status == status
    assert comfyui.get(ROUTE) == {"whence": "file"}, "the key that was there stays"


def test_pages_of_other_sites_are_refused(comfyui: Server, did: FakeDID) -> None:
    """Also a page that ComfyUI's own guard lets through could put another account's key in the place of this one."""
    no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for method, path in (("GET", ROUTE), ("POST", ROUTE), ("DELETE", ROUTE), ("POST", f"{ROUTE}/test")):
        foreign = {"Sec-Fetch-Site": "cross-site", "Content-Type": "application/json"}
        request = urllib.request.Request(comfyui.url + path, b'{"key": "some:body1234"}', foreign, method=method)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            no_proxy.open(request)
    assert comfyui.get(ROUTE) == {"whence": "file"}
    assert did.asked == []


def test_a_talk_is_bought_once(comfyui: Server, did: FakeDID) -> None:
    first = comfyui.run(did_graph("did/first"))
    with av.open(str(saved(comfyui, first))) as container:
        assert (container.streams.video[0].width, len(container.streams.audio)) == (64, 1)
    report = report_of(first)
    assert (report["credits_before"], report["credits_after"]) == (20, 19)
    assert (report["id"], report["billed_seconds"], report["bought"]) == ("tlk_0-x", 15, True)
    assert report["seconds"] == pytest.approx(0.4, abs=0.05)
    said = [text for node, text in first.texts if node == "3"]
    begun = [text.split()[0] for text in said]
    for stage in ("Uploading", "Uploaded;", "Queued", "Started;", "Downloading,"):
        assert stage in begun
    assert did.uploads == {}, "deleted afterwards"

    again = comfyui.run(did_graph("did/again"))
    assert "3" in again.cached
    forget_results(comfyui)
    fetched = comfyui.run(did_graph("did/restarted"))
    assert "3" in fetched.executed
    assert report_of(fetched)["bought"] is False
    assert did.count("POST /talks") == 1
    assert report_of(comfyui.run(did_graph("did/another", run_again=1)))["bought"] is True
    assert did.count("POST /talks") == 2


def test_text_and_the_first_frame_of_a_video(comfyui: Server, did: FakeDID, clip: str) -> None:
    graph = did_graph("did/text", audio=None, text="Good evening.", result_format="mov", expressions="0 happy 0.5")
    graph["1"] = {"class_type": "LoadVideo", "inputs": {"file": clip}}
    result = comfyui.run(graph)
    assert saved(comfyui, result).stat().st_size > 0
    assert "does not edit videos" in str(report_of(result)["notes"])
    (talk,) = [asked.said for asked in did.asked if asked.call == "POST /talks"]
    assert talk["script"]["input"] == "Good evening."
    assert talk["config"]["driver_expressions"]["expressions"][0]["expression"] == "happy"


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"audio": None, "text": "a"}, "3 to 10000 characters"),
        ({"audio": None, "text": "Hello.", "voice": " "}, "voice of microsoft"),
        ({"expressions": "0 angry 1"}, "neutral, happy, serious, surprise"),
    ],
    ids=["text", "voice", "expression"],
)
def test_bad_input_is_refused_before_anything_is_sent(
    comfyui: Server, did: FakeDID, inputs: dict[str, object], words: str
) -> None:
    result = comfyui.run(did_graph(**inputs))
    assert result.failure is not None
    assert words in result.failure.message
    assert did.asked == []


def test_the_stop_button(comfyui: Server, did: FakeDID) -> None:
    did.course = ("created", "started")
    stopper = threading.Thread(
        target=lambda: (wait_until(lambda: did.count("GET /talks/{id}") > 1, 120), comfyui.interrupt())
    )
    stopper.start()
    result = comfyui.run(did_graph("did/stopped", run_again=10))
    stopper.join()
    assert result.failure is not None
    assert result.failure.kind == "interrupted"
    assert "may bill it" in result.texts[-1][1]
    did.course = ("done",)
    assert report_of(comfyui.run(did_graph("did/stopped", run_again=10)))["bought"] is False
    assert did.count("POST /talks") == 1


def test_no_secret_is_anywhere(comfyui: Server, did: FakeDID) -> None:
    """Not after a success, and not after failures in which D-ID says the key back."""
    assert saved(comfyui, comfyui.run(did_graph("did/canary", run_again=2))).exists()
    did.on("POST /talks", error(403, "PermissionError", f"user {KEY} has no permission; Authorization: Basic {KEY}"))
    did.course = ("done",)
    refused = comfyui.run(did_graph("did/canary", run_again=3))
    assert refused.failure is not None
    assert "has no permission" in refused.failure.message
    did.on("GET /results/{id}", Answer(200, body=b"<html>", headers={"Content-Type": "text/html"}))
    html = comfyui.run(did_graph("did/canary", run_again=4))
    assert html.failure is not None

    heard = {path: json.dumps(comfyui.get(path)) for path in ("/history", "/object_info", "/settings", "/queue", ROUTE)}
    heard["failures"] = json.dumps([refused.failure.details, html.failure.details])
    key_file = comfyui.base / "user" / "__lipsync_studio" / "did_key"
    files = [file for file in [*comfyui.base.rglob("*"), comfyui.log] if file.is_file() and not file.is_symlink()]
    secrets = [*SECRETS, did.url]  # where the service is, too
    heard |= {str(f): f.read_bytes().decode("latin-1") for f in files if f != key_file and PACK not in f.parents}
    assert len(jobs(comfyui)) > 1
    assert [(place, secret) for place, text in heard.items() for secret in secrets if secret in text] == []
    assert KEY in key_file.read_text(), "so this test would have found it"
    if os.name == "posix":
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert {stat.S_IMODE(job.stat().st_mode) for job in jobs(comfyui)} == {0o600}
