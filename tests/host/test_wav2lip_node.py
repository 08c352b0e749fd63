"""Wav2Lip in a real ComfyUI: nothing is loaded before its licence is accepted; then its workflow runs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import portrait_clip
import pytest
import seeded_checkpoints
import torch
from client import Graph, Result
from draft_graphs import message_of
from host import PACK, Server

MODEL = "wav2lip/wav2lip_gan.pth"
LABEL = "I accept the non-commercial licence"


@pytest.fixture(scope="module")
def wav2lip_weights(comfyui: Server) -> Iterator[None]:
    """Random weights of full shape, wrapped as the released ones: with a prefix, and what training left."""
    path = comfyui.models / "lipsync" / MODEL
    path.parent.mkdir(parents=True, exist_ok=True)
    named = seeded_checkpoints.of_golden("wav2lip")
    prefixed = {f"module.{key}": tensor for key, tensor in named.items()}
    moments = {0: {"step": 1, "exp_avg": torch.zeros(4)}}
    torch.save({"state_dict": prefixed, "optimizer": {"state": moments, "param_groups": []}, "global_step": 1}, path)
    yield
    path.unlink()


def workflow(comfyui: Server, seconds: float = 0.1, **settings: object) -> Graph:
    """As shipped, but with a shorter speech and other settings of the engine."""
    graph: Graph = json.loads((PACK / "workflows" / "api" / "wav2lip.json").read_text(encoding="utf-8"))
    speech = portrait_clip.write_speech(comfyui.input / f"speech_{seconds}.wav", seconds)
    for node in graph.values():
        if node["class_type"] == "LoadAudio":
            node["inputs"]["audio"] = speech.name
        if node["class_type"] == "LipSyncLoadWav2Lip":
            node["inputs"].update(settings)
    (sampler,) = [number for number, node in graph.items() if node["class_type"] == "LipSyncVideo"]
    graph["report"] = {"class_type": "PreviewAny", "inputs": {"source": [sampler, 1]}}
    return graph


def rejection(result: Result) -> str:
    """Why ComfyUI did not begin."""
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    assert result.executed == ()
    return json.dumps(result.failure.details, ensure_ascii=False)


def test_as_shipped_it_asks_for_the_licence_and_runs_nothing(comfyui: Server, wav2lip_weights: None) -> None:
    told = rejection(comfyui.run(workflow(comfyui)))
    assert LABEL in told
    assert "commercial use is prohibited" in told


def test_a_switch_of_another_node_counts_as_much(comfyui: Server, wav2lip_weights: None) -> None:
    graph = workflow(comfyui, accept_non_commercial_licence=["switch", 0])
    graph["switch"] = {"class_type": "PrimitiveBoolean", "inputs": {"value": False}}
    assert LABEL in message_of(comfyui.run(graph))


def test_with_the_licence_accepted_the_workflow_runs_at_full_shape(comfyui: Server, wav2lip_weights: None) -> None:
    """With random weights, so only that it runs is shown."""
    result = comfyui.run(workflow(comfyui, accept_non_commercial_licence=True), timeout=600)
    assert result.failure is None, result.failure
    report = json.loads(result.outputs["report"]["text"][0])
    assert report["engine"] == "Wav2Lip (non-commercial)"
    assert report["runs"] == [
        {"first": 0, "last": 2, "fate": "synced"},
        {"first": 3, "last": 19, "fate": "after the audio"},
    ]


def test_another_file_is_named_for_what_it_is(comfyui: Server, wav2lip_weights: None) -> None:
    wrong = comfyui.models / "lipsync" / "wrong.pth"
    torch.save({"netcnnaud.0.weight": torch.zeros(4)}, wrong)
    message = message_of(comfyui.run(workflow(comfyui, accept_non_commercial_licence=True, model=wrong.name)))
    assert "Wav2Lip (GAN) in wrong.pth; got the SyncNet that scores lip sync" in message
    assert str(comfyui.models) not in message


def test_a_file_that_is_not_there_is_named_before_the_run(comfyui: Server) -> None:
    told = rejection(comfyui.run(workflow(comfyui, accept_non_commercial_licence=True, model="wav2lip/other.pth")))
    assert "wav2lip/other.pth" in told
    assert "camenduru/Wav2Lip" in told


def test_the_node_says_non_commercial_before_it_is_added(comfyui: Server) -> None:
    node = comfyui.object_info()["LipSyncLoadWav2Lip"]
    assert "non-commercial" in node["display_name"]
    assert "non-commercial" in node["description"]
    kind, options = node["input"]["required"]["accept_non_commercial_licence"]
    assert (kind, options["default"], options["display_name"]) == ("BOOLEAN", False, LABEL)
