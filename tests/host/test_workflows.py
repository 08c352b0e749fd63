"""Every shipped workflow: it runs as it is, its editor version is the same graph, and the editor lists it."""

from __future__ import annotations

import json
from pathlib import Path

import av
import portrait_clip
import pytest
import seeded_checkpoints
import torch
from client import Graph, Result
from host import PACK, PACK_NAME, Server

FOR_PEOPLE = sorted((PACK / "workflows").glob("*.json"))
FOR_PROGRAMS = sorted((PACK / "workflows" / "api").glob("*.json"))


def graph_of(path: Path) -> Graph:
    return json.loads(path.read_text(encoding="utf-8"))


def saved(comfyui: Server, result: Result) -> Path:
    assert result.failure is None, result.failure
    (file,) = [file for file in result.files() if file["filename"].endswith(".mp4")]
    return comfyui.output / file["subfolder"] / file["filename"]


def frames_and_sound(path: Path) -> tuple[int, float]:
    with av.open(str(path)) as container:
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))
        return frames, samples / container.streams.audio[0].rate


def test_every_workflow_is_there_for_people_and_for_programs() -> None:
    assert FOR_PEOPLE
    assert [path.name for path in FOR_PEOPLE] == [path.name for path in FOR_PROGRAMS]


@pytest.mark.parametrize("name", ["quick_start", "draft_video", "lyric_video"])
def test_a_draft_workflow_runs_as_shipped(comfyui: Server, name: str) -> None:
    """The speech lasts 7.08 s, so 177 frames at 25 fps: the clip of 20 frames plays back and forth."""
    result = comfyui.run(graph_of(PACK / "workflows" / "api" / f"{name}.json"))
    frames, seconds = frames_and_sound(saved(comfyui, result))
    assert frames == 177
    assert seconds == pytest.approx(7.08, abs=0.1)


@pytest.mark.parametrize("name", ["musetalk", "musetalk_images"])
def test_a_musetalk_workflow_runs_at_full_shape(comfyui: Server, musetalk_weights: None, name: str) -> None:
    """With random weights, so only that it runs is shown; with a tenth of a second of speech, for the CPU's sake."""
    graph = graph_of(PACK / "workflows" / "api" / f"{name}.json")
    speech = portrait_clip.write_speech(comfyui.input / "short.wav", 0.1)
    (loader,) = [node for node in graph.values() if node["class_type"] == "LoadAudio"]
    loader["inputs"]["audio"] = speech.name
    (sampler,) = [id for id, node in graph.items() if node["class_type"] in ("LipSyncVideo", "LipSyncSample")]
    outlet = 1 if graph[sampler]["class_type"] == "LipSyncVideo" else 2
    graph["report"] = {"class_type": "PreviewAny", "inputs": {"source": [sampler, outlet]}}
    result = comfyui.run(graph, timeout=900)
    frames, _ = frames_and_sound(saved(comfyui, result))
    assert frames == 20
    report = json.loads(result.outputs["report"]["text"][0])
    assert report["engine"] == "MuseTalk 1.5"
    assert report["runs"] == [
        {"first": 0, "last": 2, "fate": "synced"},
        {"first": 3, "last": 19, "fate": "after the audio"},
    ]


def test_a_wrong_file_is_named_for_what_it_is(comfyui: Server, musetalk_weights: None) -> None:
    wrong = comfyui.models / "diffusion_models" / "wrong.safetensors"
    seeded_checkpoints.save({"lora_unet_mid.lora_down.weight": torch.zeros(4, 4)}, wrong)
    graph = graph_of(PACK / "workflows" / "api" / "musetalk.json")
    (loader,) = [node for node in graph.values() if node["class_type"] == "LipSyncLoadMuseTalk"]
    loader["inputs"]["unet"] = wrong.name
    result = comfyui.run(graph)
    assert result.failure is not None
    assert "the MuseTalk 1.5 UNet in wrong.safetensors; got a LoRA" in result.failure.message
    assert str(comfyui.models) not in result.failure.message


def test_the_editor_lists_every_workflow(comfyui: Server) -> None:
    assert sorted(comfyui.get("/workflow_templates")[PACK_NAME]) == [path.stem for path in FOR_PEOPLE]
