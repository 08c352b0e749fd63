"""Lip-Sync Score and Quality Report in a real ComfyUI."""

from __future__ import annotations

import json
from collections.abc import Iterator

import av
import numpy as np
import portrait_clip
import pytest
import seeded_checkpoints
import torch
from client import Graph, Result
from draft_graphs import message_of, saved, video_graph
from host import Server
from PIL import Image

SYNCNET = "syncnet/syncnet_v2.model"
SFACE = "face_recognition_sface_2021dec.onnx"
FRAMES = 40


@pytest.fixture(scope="module")
def syncnet(comfyui: Server) -> Iterator[str]:
    """SyncNet with seeded weights, as PyTorch of its time saved it; gone afterwards."""
    path = comfyui.models / "lipsync" / SYNCNET
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(seeded_checkpoints.of_golden("syncnet_v2"), path, _use_new_zipfile_serialization=False)
    yield SYNCNET
    path.unlink()


@pytest.fixture(scope="module")
def talking(comfyui: Server) -> str:
    """A video for LoadVideo: 40 frames with sound, a cutaway in 5-10."""
    portrait_clip.write(comfyui.input / "talking.mp4", FRAMES, side=128, faceless=range(5, 11), sound_seconds=1.6)
    return "talking.mp4"


@pytest.fixture(scope="module")
def words(comfyui: Server) -> str:
    return portrait_clip.write_speech(comfyui.input / "words.wav", FRAMES / 25).name


def measured_graph(clip: str, speech: str, node: str, **inputs: object) -> Graph:
    """A draft result beside its source, and its report."""
    graph = video_graph(clip, speech)
    del graph["save"]
    graph["measure"] = {
        "class_type": node,
        "inputs": {"source": ["clip", 0], "result": ["sync", 0], "fps": 25.0, **inputs},
    }
    graph["report"] = {"class_type": "PreviewAny", "inputs": {"source": ["measure", 0]}}
    return graph


def report_of(result: Result) -> dict[str, object]:
    assert result.failure is None, result.failure
    return json.loads(result.outputs["report"]["text"][0])


def test_a_video_is_scored_beside_its_source(comfyui: Server, syncnet: str, talking: str, words: str) -> None:
    graph = measured_graph(talking, words, "LipSyncScore", syncnet=syncnet)
    graph["plot"] = {"class_type": "SaveImage", "inputs": {"images": ["measure", 1], "filename_prefix": "plot"}}
    result = comfyui.run(graph)
    report = report_of(result)
    for name in ("result", "source"):
        clip = report[name]
        assert [(segment["start"], segment["end"]) for segment in clip["segments"]] == [(0.44, 1.6)]
        assert clip["without_speaker"] == [[0.2, 0.44]]
        assert clip["segments_too_short"] == 1
        assert clip["lse_d"] > 0
        assert -15 <= clip["offset_frames"] <= 15
    (file,) = result.outputs["plot"]["images"]
    with Image.open(comfyui.output / file["filename"]) as plot:
        assert plot.size == (1024, 576)


def test_without_its_weights_the_score_says_where_they_come_from(comfyui: Server, talking: str, words: str) -> None:
    message = message_of(comfyui.run(measured_graph(talking, words, "LipSyncScore", syncnet="nothing.model")))
    assert "nothing.model" in message
    assert "ByteDance/LatentSync-1.5" in message


def test_a_result_without_sound_cannot_be_scored(comfyui: Server, syncnet: str, talking: str, words: str) -> None:
    graph = measured_graph(talking, words, "LipSyncScore", syncnet=syncnet)
    graph["sync"]["inputs"]["sound"] = "none"
    assert "a result with sound, or an AUDIO; got neither" in message_of(comfyui.run(graph))


def test_a_video_is_reported_beside_its_source(comfyui: Server, talking: str, words: str) -> None:
    graph = measured_graph(talking, words, "LipSyncQualityReport")
    graph["save"] = {
        "class_type": "SaveVideo",
        "inputs": {"video": ["measure", 1], "filename_prefix": "beside", "format": "auto", "codec": "auto"},
    }
    result = comfyui.run(graph)
    report = report_of(result)
    assert report["frames"] == FRAMES
    assert report["frames_with_speaker"] == FRAMES - 6
    assert report["outside"]["mean"] < 2  # what encoding changes
    assert 0.3 < report["sharpness"]["around"] < 1.5
    assert report["lips_and_sound"]["frames"] == FRAMES - 6
    assert SFACE in report["identity"]["not_measured"]
    with av.open(str(saved(comfyui, result))) as file:
        video = file.streams.video[0]
        assert (video.width, video.height) == (3 * 128 + 8, 128 + 28)
        assert sum(1 for _ in file.decode(video=0)) == FRAMES


def test_images_are_compared_exactly_outside_the_mask(comfyui: Server, words: str) -> None:
    """MuseTalk Sample on a still: nothing outside its mask may differ by a single bit."""
    Image.fromarray(portrait_clip.picture(0, 160)).save(comfyui.input / "still.png")
    graph: Graph = {
        "images": {"class_type": "LoadImage", "inputs": {"image": "still.png"}},
        "speech": {"class_type": "LoadAudio", "inputs": {"audio": words}},
        "engine": {"class_type": "LipSyncDraftEngine", "inputs": {}},
        "faces": {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["images", 0]}},
        "sync": {
            "class_type": "LipSyncSample",
            "inputs": {
                "images": ["images", 0],
                "faces": ["faces", 0],
                "engine": ["engine", 0],
                "audio": ["speech", 0],
                "fps": 25.0,
                "audio_longer": "ping-pong",
                "video_longer": "keep the rest",
                "restore_in_silence": False,
            },
        },
        "measure": {
            "class_type": "LipSyncQualityReport",
            "inputs": {
                "source": ["images", 0],
                "result": ["sync", 0],
                "mask": ["sync", 1],
                "faces": ["faces", 0],
                "audio": ["speech", 0],
                "fps": 25.0,
                "identity": "off",
            },
        },
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["measure", 0]}},
    }
    report = report_of(comfyui.run(graph))
    assert report["outside"] == {"mean": 0.0, "largest": 0.0, "changed": 0.0}
    assert report["compared"] == "all bits of the images"
    assert report["identity"] == {"not_measured": "turned off"}
    assert report["frames"] == FRAMES
    assert np.isfinite(report["seam"])
