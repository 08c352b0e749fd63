"""The jobs API in a real ComfyUI: jobs from upload to result, what is refused, what outlasts a restart."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import host
import portrait_clip
import pytest
import seeded_checkpoints
import torch
from host import PACK, Server
from jobs_client import Jobs
from PIL import Image

EXAMPLES = (PACK / "docs" / "http_api.md").read_text(encoding="utf-8")
LONG_SECONDS = 240  # of speech: a job that is still running when the test gets to it


def frames_of(data: bytes) -> int:
    with av.open(BytesIO(data)) as container:
        assert container.streams.audio
        return sum(1 for _ in container.decode(video=0))


def uploads(comfyui: Server) -> list[Path]:
    return list((comfyui.input / "lipsync_jobs").glob("*"))


@pytest.fixture
def jobs(comfyui: Server, clip: str, speech: str) -> Iterator[Jobs]:
    """All jobs of the test are gone after it."""
    client = Jobs(comfyui.url)
    yield client
    client.clear()
    assert client.get("jobs") == {"jobs": []}
    assert uploads(comfyui) == []


@pytest.fixture
def long_speech(comfyui: Server) -> str:
    return portrait_clip.write_speech(comfyui.input / "long.wav", LONG_SECONDS).name


def test_a_job_from_upload_to_result(comfyui: Server, jobs: Jobs, clip: str, speech: str) -> None:
    sent = {
        "video": ("../../evil name.exe", (comfyui.input / clip).read_bytes(), "text/html"),
        "audio": ("audio", (comfyui.input / speech).read_bytes()),
    }
    answer = jobs.ask("POST", "generate", files=sent, data={"engine": "draft", "bbox_shift": "5", "codec": "hevc"})
    assert answer.status_code == 202, answer.text
    job = answer.json()["id"]
    assert answer.headers["Location"] == f"/lipsync/status/{job}"
    assert [file.name for file in sorted(uploads(comfyui)[0].iterdir())] == ["audio", "video"]
    started = {key: value for key, value in answer.json().items() if key != "position"}
    assert jobs.wait(job) == started | {"status": "completed", "percent": 100.0}
    assert uploads(comfyui) == []  # they have served
    (graph,) = [prompt["prompt"][2] for id, prompt in comfyui.get("/history").items() if id == job]
    assert [node["inputs"]["bbox_shift"] for node in graph.values() if "bbox_shift" in node["inputs"]] == [5]
    whole = jobs.ask("GET", f"download/{job}")
    assert (whole.status_code, whole.headers["Content-Type"]) == (200, "video/mp4")
    assert frames_of(whole.content) == 20
    part = jobs.ask("GET", f"download/{job}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(whole.content)}"
    assert jobs.ask("GET", f"download/{job}", headers={"Range": "bytes=999999999-"}).status_code == 416
    assert jobs.delete(job) == "deleted"
    assert list((comfyui.output / "lipsync" / "jobs").glob(f"{job}*")) == []
    assert job not in comfyui.get("/history")
    for method, path in (("GET", "status"), ("GET", "download"), ("DELETE", "jobs")):
        gone = jobs.ask(method, f"{path}/{job}")
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "job_not_found")


def test_a_still_picture_becomes_a_video(comfyui: Server, jobs: Jobs, speech: str) -> None:
    picture = BytesIO()
    with Image.open(portrait_clip.PORTRAIT) as portrait:
        portrait.save(picture, "WEBP")
    with (comfyui.input / speech).open("rb") as audio:
        files = {"image": picture.getvalue(), "audio": audio}
        answer = jobs.ask("POST", "generate", files=files, data={"engine": "draft", "fps": "12.5"})
    job = answer.json()["id"]
    assert jobs.wait(job)["status"] == "completed"
    assert frames_of(jobs.ask("GET", f"download/{job}").content) == 10


def test_a_job_that_fails_says_why(comfyui: Server, jobs: Jobs, speech: str) -> None:
    portrait_clip.write(comfyui.input / "nobody.mp4", 5, faceless=range(5))
    job = jobs.start(video="nobody.mp4", audio=speech)
    told = jobs.wait(job)
    assert (told["status"], told["error"]["code"]) == ("failed", "no_face")
    assert "Expected" in told["error"]["message"]
    comfyui.post("/history", {"delete": [job]})
    assert jobs.get(f"status/{job}") == told
    refused = jobs.ask("GET", f"download/{job}")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_completed")


def test_a_running_and_a_queued_job_are_cancelled(comfyui: Server, jobs: Jobs, clip: str, long_speech: str) -> None:
    first = jobs.start(video=clip, audio=long_speech)
    jobs.wait(first, until=("running",))
    data = (comfyui.input / clip).read_bytes()
    answer = jobs.ask("POST", "generate", files={"video": data, "audio": data}, data={"engine": "draft"})
    second = answer.json()["id"]
    third = jobs.start(video=clip, audio=long_speech)
    assert (jobs.get(f"status/{second}")["position"], jobs.get(f"status/{third}")["position"]) == (0, 1)
    assert jobs.get("health")["queue"] == {"running": 1, "queued": 2}
    seen = 0.0
    while seen < 15:  # the engine is at work
        told = jobs.get(f"status/{first}")
        assert told["status"] == "running"
        assert seen <= told["percent"] < 100, "it goes back"
        seen = told["percent"]
    assert jobs.ask("GET", f"download/{first}").status_code == 409
    assert len(uploads(comfyui)) == 1
    assert jobs.delete(second) == "cancelled"
    assert uploads(comfyui) == []
    assert jobs.get(f"status/{second}")["status"] == "cancelled"
    assert jobs.delete(third) == "cancelled"
    assert jobs.delete(first) == "cancelling"
    assert jobs.wait(first)["status"] == "cancelled"
    listed = [(job["id"], job["status"]) for job in jobs.get("jobs")["jobs"]]
    assert listed == [(third, "cancelled"), (second, "cancelled"), (first, "cancelled")]


GOOD = {"video": "clip.mp4", "audio": "speech.wav", "engine": "draft"}


@pytest.mark.parametrize(
    ("fields", "status", "code", "words"),
    [
        ({**GOOD, "bbox_shift": 201}, 400, "bad_value", "bigger than max of 200"),
        ({**GOOD, "audio_longer": "explode"}, 400, "bad_value", "explode"),
        ({**GOOD, "bbox_shift": "5"}, 400, "bad_value", "a whole number"),
        ({**GOOD, "filename_prefix": "../x"}, 400, "bad_request", "filename_prefix"),
        ({**GOOD, "steps": 5}, 400, "bad_value", "values that draft knows"),
        ({**GOOD, "accept_non_commercial_licence": True}, 400, "bad_value", "values that draft knows"),
        ({**GOOD, "image": "astronaut.jpg"}, 400, "bad_request", "either video or image"),
        ({"audio": "speech.wav"}, 400, "bad_request", "either video or image"),
        ({"video": "clip.mp4"}, 400, "bad_request", "audio, and"),
        ({**GOOD, "audio": ["speech.wav"]}, 400, "bad_request", "the name of a file"),
        ({**GOOD, "audio": "../user/default/comfy.settings.json"}, 400, "bad_value", "input folder"),
        ({**GOOD, "audio": "nothing.wav"}, 404, "file_not_found", "nothing.wav"),
        ({**GOOD, "video": "speech.wav"}, 415, "unsupported_media", "video: a video"),
        ({**GOOD, "video": "astronaut.jpg"}, 415, "unsupported_media", "video: a video"),
        ({**GOOD, "audio": "astronaut.jpg"}, 415, "unsupported_media", "a file with sound"),
        ({"image": "clip.mp4", "audio": "speech.wav", "engine": "draft"}, 415, "unsupported_media", "a still picture"),
        ({**GOOD, "engine": "latentsync"}, 503, "weights_missing", "/latentsync_unet.pt"),
    ],
)
def test_a_bad_order_is_refused(jobs: Jobs, fields: dict[str, object], status: int, code: str, words: str) -> None:
    answer = jobs.ask("POST", "generate", json=fields)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert words in answer.json()["error"]["message"]
    assert jobs.get("jobs") == {"jobs": []}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
        (b"[" * 60000, "application/json", 400),
        (b"1" * 70000, "application/json", 400),
        (json.dumps(GOOD).encode(), "text/plain", 415),
        (b"", "multipart/form-data", 400),
        (b"junk", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n\r\nno name\r\n--x--\r\n", "multipart/form-data; boundary=x", 400),
        (b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\ncut off', "multipart/form-data; boundary=x", 400),
        (
            b"--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y--\r\n--x--",
            "multipart/form-data; boundary=x",
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="crf"\r\n\r\n1\r\n' * 2 + b"--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
        ),
        (
            b'--x\r\nContent-Disposition: form-data; name="crf"\r\n\r\n' + b"1" * 2000 + b"\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
        ),
    ],
)
def test_a_broken_request_is_refused(comfyui: Server, jobs: Jobs, body: bytes, kind: str, status: int) -> None:
    answer = jobs.ask("POST", "generate", data=body, headers={"Content-Type": kind})
    assert (answer.status_code, set(answer.json()["error"])) == (status, {"code", "message"})
    assert uploads(comfyui) == []


def test_a_file_that_names_others_is_refused(comfyui: Server, jobs: Jobs, speech: str) -> None:
    playlist = f"ffconcat version 1.0\nfile '{(comfyui.input / 'clip.mp4').name}'\n".encode()
    files = {"video": ("clip.mp4", playlist, "video/mp4"), "audio": (comfyui.input / speech).read_bytes()}
    answer = jobs.ask("POST", "generate", files=files, data={"engine": "draft"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media")
    assert uploads(comfyui) == []


def test_foreign_pages_are_comfyui_s_to_keep_out(jobs: Jobs) -> None:
    for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert jobs.ask("POST", "generate", json=GOOD, headers=header).status_code == 403
        assert jobs.ask("GET", "jobs", headers=header).status_code == 403


def test_every_engine_s_graph_is_one_that_comfyui_takes(tmp_path: Path) -> None:
    """With files that are no weights, so that the jobs fail only where the loaders look into them."""
    (tmp_path / "input").mkdir()
    portrait_clip.write(tmp_path / "input" / "clip.mp4", 5)
    portrait_clip.write_speech(tmp_path / "input" / "speech.wav", 0.2)
    with host.running(tmp_path, tmp_path / "log", cpu=True) as comfyui:
        jobs = Jobs(comfyui.url)
        engines = jobs.get("health")["engines"]
        assert {name: engine["ready"] for name, engine in engines.items()} == {
            "draft": True,
            "musetalk": False,
            "latentsync": False,
            "wav2lip": False,
        }
        files = {"video": "clip.mp4", "audio": "speech.wav"}
        refused = jobs.ask("POST", "generate", json=files)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "weights_missing")
        assert "models/diffusion_models/musetalkV15/unet.pth" in refused.json()["error"]["message"]
        for name in (name for engine in engines.values() for name in engine["missing"]):
            seeded_checkpoints.save({"wrong": torch.zeros(4, 4)}, comfyui.base / name)
        unaccepted = jobs.ask("POST", "generate", json={**files, "engine": "wav2lip"})
        assert (unaccepted.status_code, unaccepted.json()["error"]["code"]) == (400, "bad_value")
        assert "I accept the non-commercial licence" in unaccepted.json()["error"]["message"]
        accepted = {"accept_non_commercial_licence": True}
        for engine, values in (("musetalk", {}), ("latentsync", {}), ("wav2lip", accepted)):
            assert jobs.get("health")["engines"][engine] == {"ready": True, "missing": []}
            told = jobs.wait(jobs.start(**files, engine=engine, **values))
            assert told["status"] == "failed"
            assert told["error"]["message"]
            assert str(comfyui.base) not in told["error"]["message"]


def test_a_restart_forgets_no_job_and_limits_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSYNC_STUDIO_MAX_VIDEO_MB", "0.5")
    monkeypatch.setenv("LIPSYNC_STUDIO_MAX_AUDIO_MB", "10")
    (tmp_path / "input").mkdir()
    portrait_clip.write(tmp_path / "input" / "clip.mp4", 5)
    portrait_clip.write_speech(tmp_path / "input" / "speech.wav", 0.2)
    portrait_clip.write_speech(tmp_path / "input" / "long.wav", LONG_SECONDS)
    with host.running(tmp_path, tmp_path / "first.log", cpu=True) as comfyui:
        jobs = Jobs(comfyui.url)
        assert jobs.get("health")["limits"] == {"video_bytes": 500_000, "audio_bytes": 10_000_000}
        large = {"audio": (tmp_path / "input" / "speech.wav").read_bytes(), "video": bytes(500_001)}
        refused = jobs.ask("POST", "generate", files=large, data={"engine": "draft"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")
        assert uploads(comfyui) == []
        unseen = jobs.start(video="clip.mp4", audio="speech.wav")
        seen = jobs.start(video="clip.mp4", audio="speech.wav")
        told = jobs.wait(seen)
        running = jobs.start(video="clip.mp4", audio="long.wav")
        jobs.wait(running, until=("running",))
    with host.running(tmp_path, tmp_path / "second.log", cpu=True) as comfyui:
        jobs = Jobs(comfyui.url)
        assert jobs.get(f"status/{seen}") == told
        assert jobs.get(f"status/{unseen}")["status"] == "completed"
        assert frames_of(jobs.ask("GET", f"download/{unseen}").content) == 5
        assert jobs.get(f"status/{running}")["error"]["code"] == "forgotten"
        assert [jobs.delete(job["id"]) for job in jobs.get("jobs")["jobs"]] == ["deleted"] * 3
        assert list((tmp_path / "output" / "lipsync" / "jobs").iterdir()) == []


@pytest.mark.parametrize("number", range(len(re.findall("```bash", EXAMPLES))))
def test_the_curl_examples_run(
    comfyui: Server, jobs: Jobs, clip: str, speech: str, tmp_path: Path, number: int
) -> None:
    if os.name == "nt":
        pytest.skip("Windows has no bash")
    script = re.findall("```bash\n(.*?)```", EXAMPLES, re.DOTALL)[number]
    run_example(["bash", "-euo", "pipefail", "-c"], script, comfyui, clip, speech, tmp_path)


def test_the_python_example_runs(comfyui: Server, jobs: Jobs, clip: str, speech: str, tmp_path: Path) -> None:
    (script,) = re.findall("```python\n(.*?)```", EXAMPLES, re.DOTALL)
    run_example([sys.executable, "-c"], script, comfyui, clip, speech, tmp_path)
    assert frames_of((tmp_path / "result.mp4").read_bytes()) == 20


def run_example(program: list[str], script: str, comfyui: Server, clip: str, speech: str, folder: Path) -> None:
    """In `folder`, which has the files that it sends."""
    for name in (clip, speech):
        (folder / name).write_bytes((comfyui.input / name).read_bytes())
    script = script.replace("http://127.0.0.1:8188", comfyui.url)
    direct = os.environ | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    ran = subprocess.run([*program, script], cwd=folder, env=direct, capture_output=True, text=True, timeout=600)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    if "result.mp4" in script:
        assert frames_of((folder / "result.mp4").read_bytes()) == 20
