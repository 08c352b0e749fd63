"""LatentSync in a real ComfyUI: its workflow at full shape, and what is said when a file is not the right one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import portrait_clip
import pytest
import seeded_checkpoints
import torch
from client import Graph
from draft_graphs import message_of
from host import PACK, Server

UNET = "latentsync-1.5/latentsync_unet.pt"
MISSING = "latentsync-1.6/latentsync_unet.pt"


@pytest.fixture(scope="module")
def latentsync_weights(comfyui: Server, musetalk_weights: None) -> Iterator[None]:
    """A UNet of full shape with random weights, in fp16 (2.5 GB), wrapped as the released one; gone afterwards."""
    path = comfyui.models / "diffusion_models" / UNET
    path.parent.mkdir(parents=True, exist_ok=True)
    weights = seeded_checkpoints.seeded(seeded_checkpoints.shapes("latentsync_unet"), torch.float16)
    torch.save({"state_dict": weights, "global_step": 1}, path)
    del weights
    yield
    path.unlink()


def workflow(comfyui: Server, seconds: float, **settings: object) -> Graph:
    """As shipped, but with a shorter speech and other settings of the engine."""
    graph: Graph = json.loads((PACK / "workflows" / "api" / "latentsync.json").read_text(encoding="utf-8"))
    speech = portrait_clip.write_speech(comfyui.input / f"speech_{seconds}.wav", seconds)
    for node in graph.values():
        if node["class_type"] == "LoadAudio":
            node["inputs"]["audio"] = speech.name
        if node["class_type"] == "LipSyncLoadLatentSync":
            node["inputs"].update(settings)
    (sampler,) = [number for number, node in graph.items() if node["class_type"] == "LipSyncVideo"]
    graph["report"] = {"class_type": "PreviewAny", "inputs": {"source": [sampler, 1]}}
    return graph


def test_the_workflow_runs_at_full_shape(comfyui: Server, latentsync_weights: None) -> None:
    """With random weights, so only that it runs is shown; one frame, two steps, no guidance, for the CPU's sake. The
    second step is DeepCache's.
    """
    result = comfyui.run(workflow(comfyui, 0.04, steps=2, guidance=1.0, deep_cache=2), timeout=900)
    assert result.failure is None, result.failure
    report = json.loads(result.outputs["report"]["text"][0])
    assert report["engine"] == "LatentSync 1.5"
    assert report["runs"] == [
        {"first": 0, "last": 0, "fate": "synced"},
        {"first": 1, "last": 19, "fate": "after the audio"},
    ]


def test_a_musetalk_unet_is_not_latentsync(comfyui: Server, musetalk_weights: None) -> None:
    message = message_of(comfyui.run(workflow(comfyui, 0.04, unet="musetalkV15/unet.pth")))
    assert "the LatentSync 1.5 UNet in unet.pth; got a MuseTalk UNet" in message
    assert str(comfyui.models) not in message


def test_a_file_that_is_not_there_is_named_before_the_run(comfyui: Server, musetalk_weights: None) -> None:
    result = comfyui.run(workflow(comfyui, 0.04, unet=MISSING))
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    details = json.dumps(result.failure.details)
    assert MISSING in details
    assert "ByteDance/LatentSync-1.6" in details
    assert result.executed == ()
