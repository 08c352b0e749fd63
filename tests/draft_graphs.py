"""Graphs with the draft engine for host tests, and what to read from their results."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from client import Graph, Result
from host import Server

WIDGETS = {
    "fps": 25.0,
    "audio_longer": "ping-pong",
    "video_longer": "keep the rest",
    "restore_in_silence": False,
    "sound": "the audio",
    "codec": "h264",
    "crf": 17,
    "preset": "ultrafast",
    "pixel_format": "yuv420p",
}


def video_graph(clip: str, speech: str, prefix: str = "result", **widgets: object) -> Graph:
    return {
        "clip": {"class_type": "LoadVideo", "inputs": {"file": clip}},
        "speech": {"class_type": "LoadAudio", "inputs": {"audio": speech}},
        "engine": {"class_type": "LipSyncDraftEngine", "inputs": {}},
        "sync": {
            "class_type": "LipSyncVideo",
            "inputs": {"source": ["clip", 0], "audio": ["speech", 0], "engine": ["engine", 0], **WIDGETS, **widgets},
        },
        "save": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["sync", 0], "filename_prefix": prefix, "format": "auto", "codec": "auto"},
        },
        "report": {"class_type": "PreviewAny", "inputs": {"source": ["sync", 1]}},
    }


def faces_graph(clip: str, speech: str, shift: int) -> Graph:
    graph = video_graph(clip, speech)
    graph["faces"] = {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["clip", 0]}}
    graph["shift"] = {
        "class_type": "LipSyncBBoxShift",
        "inputs": {"faces": ["faces", 0], "bbox_shift": shift, "extra_margin": -1},
    }
    graph["sync"]["inputs"]["faces"] = ["shift", 0]
    return graph


def saved(comfyui: Server, result: Result) -> Path:
    assert result.failure is None, result.failure
    (file,) = [file for file in result.files() if file["filename"].endswith(".mp4")]
    return comfyui.output / file["subfolder"] / file["filename"]


def report_of(result: Result) -> dict[str, object]:
    return json.loads(result.outputs["report"]["text"][0])


def frame_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def pixels(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(np.float32)


def message_of(result: Result) -> str:
    assert result.failure is not None
    return result.failure.message
