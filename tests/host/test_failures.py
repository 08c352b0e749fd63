"""What a user reads when something cannot work, in a real ComfyUI; and that the next graph works."""

from __future__ import annotations

import json
import threading

import portrait_clip
import pytest
from client import Event, Graph
from draft_graphs import faces_graph, message_of, report_of, saved, video_graph
from host import PACK, Server

API = PACK / "workflows" / "api"


def musetalk_graph() -> Graph:
    """The shipped workflow without BBox Shift, which runs on its own for its preview, weights or not."""
    graph = json.loads((API / "musetalk.json").read_text(encoding="utf-8"))
    (shift,) = [id for id, node in graph.items() if node["class_type"] == "LipSyncBBoxShift"]
    (sync,) = [id for id, node in graph.items() if node["class_type"] == "LipSyncVideo"]
    graph[sync]["inputs"]["faces"] = graph.pop(shift)["inputs"]["faces"]
    return graph


def test_silent_audio_is_no_error(comfyui: Server, clip: str) -> None:
    portrait_clip.write_speech(comfyui.input / "silent.wav", 0.8, level=0.0)
    result = comfyui.run(video_graph(clip, "silent.wav"))
    assert report_of(result)["counts"] == {"synced": 13, "no face": 6, "synced, face bridged": 1}
    assert saved(comfyui, result).stat().st_size > 0


@pytest.mark.parametrize(
    ("node", "inputs", "words"),
    [
        ("LoadVideo", {"file": "nobody.mp4"}, ["face", "none in 6 frames"]),
        ("LoadVideo", {"file": "broken.mp4"}, ["broken.mp4"]),
        ("LoadVideo", {"file": "cut_off.mp4"}, ["cut_off.mp4"]),
        ("LoadVideo", {"file": "empty.mp4"}, ["empty.mp4"]),
    ],
    ids=["no face anywhere", "not a video", "truncated", "empty file"],
)
def test_a_clip_that_cannot_be_used_is_explained(
    comfyui: Server, clip: str, speech: str, node: str, inputs: dict[str, str], words: list[str]
) -> None:
    portrait_clip.write(comfyui.input / "nobody.mp4", 6, faceless=range(6))
    (comfyui.input / "broken.mp4").write_bytes(b"not a video" * 100)
    (comfyui.input / "cut_off.mp4").write_bytes((comfyui.input / clip).read_bytes()[:3000])
    (comfyui.input / "empty.mp4").write_bytes(b"")
    before = set(comfyui.temp.glob("lipsync*"))
    graph = video_graph(clip, speech)
    graph["clip"] = {"class_type": node, "inputs": inputs}
    message = message_of(comfyui.run(graph))
    assert "Expected" in message
    for word in words:
        assert word in message
    assert set(comfyui.temp.glob("lipsync*")) <= before
    assert comfyui.run(video_graph(clip, speech, prefix="after_an_error")).failure is None


def test_empty_audio_is_explained(comfyui: Server, clip: str) -> None:
    graph = video_graph(clip, "unused")
    graph["speech"] = {"class_type": "EmptyAudio", "inputs": {"duration": 0.0, "sample_rate": 44100, "channels": 2}}
    assert "at least one sample" in message_of(comfyui.run(graph))


def test_faces_of_another_clip_are_explained(comfyui: Server, clip: str, speech: str) -> None:
    other = portrait_clip.write(comfyui.input / "other.mp4", 9).name
    graph = faces_graph(clip, speech, 0)
    graph["other"] = {"class_type": "LoadVideo", "inputs": {"file": other}}
    graph["faces"]["inputs"]["source"] = ["other", 0]
    assert "found on this very clip (20 frames" in message_of(comfyui.run(graph))


def test_the_stop_button_leaves_no_file(comfyui: Server, speech: str) -> None:
    name = portrait_clip.write(comfyui.input / "longer.mp4", 150).name
    before = set(comfyui.temp.iterdir())
    painting = threading.Event()

    def watch(event: Event) -> None:
        if event.kind == "progress_text" and "Lip-sync" in event.data["text"]:
            painting.set()

    portrait_clip.write_speech(comfyui.input / "six_seconds.wav", 6.0)
    stopper = threading.Thread(target=lambda: (painting.wait(120), comfyui.interrupt()))
    stopper.start()
    result = comfyui.run(video_graph(name, "six_seconds.wav"), on_event=watch)
    stopper.join()
    assert result.failure is not None
    assert result.failure.kind == "interrupted"
    assert set(comfyui.temp.iterdir()) <= before
    assert comfyui.run(video_graph(name, speech, audio_longer="stop", video_longer="stop")).failure is None


def test_missing_weights_are_explained_before_anything_runs(comfyui: Server) -> None:
    graph = musetalk_graph()
    graph["4"]["inputs"]["unet"] = "no_such_file.pth"
    result = comfyui.run(graph)
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    details = json.dumps(result.failure.details)
    assert "no_such_file.pth" in details
    assert "TMElyralab/MuseTalk" in details
    assert result.executed == ()


def test_audio_of_a_silent_clip_is_explained(comfyui: Server) -> None:
    name = portrait_clip.write(comfyui.input / "soundless.mp4", 6).name
    graph = video_graph(name, "unused")
    graph["speech"] = {"class_type": "GetVideoComponents", "inputs": {"video": ["clip", 0]}}
    graph["sync"]["inputs"]["audio"] = ["speech", 1]
    assert "the video it comes from has no sound" in message_of(comfyui.run(graph))


def test_a_linked_file_name_is_validated_when_it_runs(comfyui: Server) -> None:
    graph = musetalk_graph()
    graph["name"] = {"class_type": "PrimitiveString", "inputs": {"value": "no_such_file.pth"}}
    graph["4"]["inputs"]["unet"] = ["name", 0]
    result = comfyui.run(graph)
    assert result.failure is not None
    assert "TypeError" not in json.dumps(result.failure.details)
