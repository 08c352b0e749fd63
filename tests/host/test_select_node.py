"""Select Engine in a real ComfyUI: its engine goes into the sampler, with reasons, and makes way where it may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import portrait_clip
import pytest
from client import Graph, Result
from draft_graphs import message_of, report_of, video_graph
from host import Server
from lipsync_studio.pipelines.weights.catalog import (
    LATENTSYNC_V15_UNET,
    LATENTSYNC_V16_UNET,
    MUSETALK_V1_UNET,
    MUSETALK_V15_UNET,
    SD_VAE,
    WAV2LIP_GAN,
    WHISPER_TINY,
    WeightFile,
)

FILES = (
    LATENTSYNC_V15_UNET,
    LATENTSYNC_V16_UNET,
    MUSETALK_V1_UNET,
    MUSETALK_V15_UNET,
    SD_VAE,
    WAV2LIP_GAN,
    WHISPER_TINY,
)
DAMAGED = (LATENTSYNC_V15_UNET, SD_VAE, WHISPER_TINY)

NEW = {
    "priority": "balanced",
    "fallback": "stop",
    "wish": "new speech in a video",
    "commercial_use": True,
    "accept_non_commercial_licence": False,
    "real_time": False,
    "budget": 0.0,
    "free_vram": -1.0,
}


def place(comfyui: Server, file: WeightFile) -> Path:
    return comfyui.models / file.category / file.place


@pytest.fixture
def no_weights(comfyui: Server) -> Iterator[None]:
    """What tests before these put into the models folder is set aside, and back again afterwards."""
    paths = [place(comfyui, file) for file in FILES]
    aside = {path: comfyui.base / f"unselected_{number}" for number, path in enumerate(paths) if path.exists()}
    for path, kept in aside.items():
        path.rename(kept)
    yield
    for path, kept in aside.items():
        kept.rename(path)


@pytest.fixture
def damaged_weights(comfyui: Server, no_weights: None) -> Iterator[None]:
    """LatentSync 1.5, its VAE and Whisper: half a download each."""
    for file in DAMAGED:
        path = place(comfyui, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PK\x03\x04" + bytes(1000))
    yield
    for file in DAMAGED:
        place(comfyui, file).unlink()


def select_graph(clip: str, speech: str, with_faces: bool = False, **settings: object) -> Graph:
    graph = video_graph(clip, speech, prefix="selected")
    graph["engine"] = {"class_type": "LipSyncSelectEngine", "inputs": {**NEW, **settings}}
    graph["reason"] = {"class_type": "PreviewAny", "inputs": {"source": ["engine", 1]}}
    if with_faces:
        graph["faces"] = {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["clip", 0]}}
        graph["engine"]["inputs"]["faces"] = graph["sync"]["inputs"]["faces"] = ["faces", 0]
    return graph


def reason_of(result: Result) -> str:
    assert result.failure is None, result.failure
    return result.outputs["reason"]["text"][0]


def test_the_chosen_engine_is_loaded_from_the_installed_files(
    comfyui: Server, clip: str, musetalk_weights: None
) -> None:
    """With random weights at full shape; one frame, for the CPU's sake."""
    speech = portrait_clip.write_speech(comfyui.input / "speech_0.04.wav", 0.04)
    result = comfyui.run(select_graph(clip, speech.name), timeout=900)
    assert reason_of(result).startswith("MuseTalk 1.5 (balanced): looks natural")
    report = report_of(result)
    assert report["engine"] == "MuseTalk 1.5"
    assert report["counts"] == {"synced": 1, "after the audio": 19}
    assert not any("in place of" in note for note in report["notes"])  # type: ignore[attr-defined]


def test_the_draft_engine_is_chosen_where_it_may_be_and_does_the_job(
    comfyui: Server, clip: str, speech: str, no_weights: None
) -> None:
    result = comfyui.run(select_graph(clip, speech, with_faces=True, fallback="MuseTalk or draft"))
    reason = reason_of(result)
    assert reason.startswith("Draft (balanced)")
    assert "- LatentSync 1.6: it wants 18 GB of free video memory; there is no graphics card" in reason
    assert "- MuseTalk 1.5: its weights are not installed (unet.pth" in reason
    assert ("engine", reason.splitlines()[0]) in result.texts
    report = report_of(result)
    assert report["engine"] == "Draft: checks timing, not looks"
    (note,) = report["notes"]  # type: ignore[misc]
    assert note.startswith("Draft did the whole job in place of MuseTalk 1.5: its weights are not installed")
    assert report["counts"] == {"synced": 13, "no face": 6, "synced, face bridged": 1}


def test_weights_that_cannot_be_read_are_reported_and_another_engine_does_the_job(
    comfyui: Server, clip: str, speech: str, damaged_weights: None
) -> None:
    settings = {"priority": "quality", "fallback": "MuseTalk or draft", "free_vram": 24.0}
    result = comfyui.run(select_graph(clip, speech, **settings))
    assert reason_of(result).startswith("LatentSync 1.5 (quality)")
    report = report_of(result)
    assert report["engine"] == "Draft: checks timing, not looks"
    first, second = report["notes"]  # type: ignore[misc]
    assert first.startswith("Draft did the whole job in place of LatentSync 1.6: its weights are not installed")
    assert second.startswith("Draft did the whole job in place of LatentSync 1.5: Expected")
    assert str(comfyui.models) not in json.dumps(report)
    (shown,) = result.outputs["sync"]["lipsync_run"]
    assert first in shown["lines"]
    assert second in shown["lines"]


def test_what_may_not_follow_is_an_error_that_says_what_is_missing(
    comfyui: Server, clip: str, speech: str, damaged_weights: None
) -> None:
    settings = {"priority": "quality", "fallback": "stop", "free_vram": 24.0}
    message = message_of(comfyui.run(select_graph(clip, speech, **settings)))
    assert "Expected" in message
    assert SD_VAE.name in message
    settings["free_vram"] = 0.0
    message = message_of(comfyui.run(select_graph(clip, speech, **settings)))
    assert (
        "LatentSync 1.6 would be taken, but it wants 18 GB of free video memory; there is no graphics card" in message
    )


def test_new_weights_are_seen_without_a_restart(comfyui: Server, clip: str, speech: str, no_weights: None) -> None:
    graph = select_graph(clip, speech, commercial_use=False, accept_non_commercial_licence=True, priority="speed")
    del graph["sync"], graph["save"], graph["report"]
    assert "no engine: Wav2Lip" in message_of(comfyui.run(graph))
    path = place(comfyui, WAV2LIP_GAN)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"not read before a sampler needs it")
    try:
        assert reason_of(comfyui.run(graph)).startswith("Wav2Lip (non-commercial) (speed)")
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("wish", "told"), [("a 3D head", "Gaussian heads"), ("another emotion", "WanHuMoImageToVideo")]
)
def test_other_wishes_are_sent_on(comfyui: Server, clip: str, speech: str, wish: str, told: str) -> None:
    graph = select_graph(clip, speech, wish=wish, fallback="MuseTalk or draft")
    del graph["sync"], graph["save"], graph["report"]
    result = comfyui.run(graph)
    assert told in (message_of(result) if wish == "a 3D head" else reason_of(result))
