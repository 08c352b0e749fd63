"""Every shipped workflow: it fits ComfyUI's nodes, runs if it can run here, and people see the same graph.

A workflow without weights runs as it is. One that needs only MuseTalk's runs with random weights. One with other
weights of this pack, or with a service, has its own test file. One that needs the weights of somebody else's generator
is checked against the nodes of a real ComfyUI and never runs here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import portrait_clip
import pytest
import seeded_checkpoints
import torch
from client import Graph, Result
from graph_check import faults
from host import PACK, PACK_NAME, Server
from lipsync_studio.pipelines.weights.catalog import CATALOG, MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY
from PIL import Image

FOR_PEOPLE = sorted((PACK / "workflows").glob("*.json"))
FOR_PROGRAMS = sorted((PACK / "workflows" / "api").glob("*.json"))
NAMES = [path.stem for path in FOR_PROGRAMS]

MODEL_FILES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
MUSETALK = {file.place for file in (MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY)}
OURS = {file.place for file in CATALOG.values()}
SERVICE = "LipSyncDIDTalk"

MOST_BYTES = 150_000  # of a picture

# At 25 fps. The speech lasts 7.08 s: the clip of 20 frames plays back and forth. The two speakers end with the clip.
FRAMES = {
    "quick_start": 177,
    "draft_video": 177,
    "lyric_video": 177,
    "two_speakers": 20,
    "two_speakers_video": 20,
}


def graph_of(name: str) -> Graph:
    return json.loads((PACK / "workflows" / "api" / f"{name}.json").read_text(encoding="utf-8"))


def nodes_for_people(name: str) -> list[dict[str, Any]]:
    return json.loads((PACK / "workflows" / f"{name}.json").read_text(encoding="utf-8"))["nodes"]


def weights_of(graph: Graph) -> set[str]:
    """The model files that it names."""
    values = (value for node in graph.values() for value in node["inputs"].values())
    return {value for value in values if isinstance(value, str) and value.endswith(MODEL_FILES)}


def asks_service(graph: Graph) -> bool:
    return any(node["class_type"] == SERVICE for node in graph.values())


AS_SHIPPED = [name for name in NAMES if not weights_of(graph_of(name)) and not asks_service(graph_of(name))]
WITH_MUSETALK = [name for name in NAMES if weights_of(graph_of(name)) and weights_of(graph_of(name)) <= MUSETALK]
WITH_GENERATORS = [name for name in NAMES if weights_of(graph_of(name)) - OURS]
ELSEWHERE = sorted({*NAMES} - {*AS_SHIPPED, *WITH_MUSETALK, *WITH_GENERATORS})


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


def pixels(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(np.float32)


def test_every_workflow_is_there_for_people_and_for_programs() -> None:
    assert FOR_PEOPLE
    assert [path.name for path in FOR_PEOPLE] == [path.name for path in FOR_PROGRAMS]


@pytest.mark.parametrize("name", NAMES)
def test_every_workflow_fits_the_nodes_of_a_real_comfyui(comfyui: Server, two_people: str, name: str) -> None:
    """Model files need not be here. This is all that is tested of `WITH_GENERATORS`: they need a big graphics card."""
    graph = graph_of(name)
    assert faults(graph, comfyui.object_info(), elsewhere=weights_of(graph)) == []


@pytest.mark.parametrize(
    ("number", "change", "complaint"),
    [
        ("5", {"class_type": "LipSyncNothing"}, "5 (LipSyncNothing): there is no such node"),
        ("4", {"speed": 1}, "4 (LipSyncVideo): there is no input speed"),
        ("4", {"engine": None}, "4 (LipSyncVideo): engine is missing"),
        ("4", {"codec": "vhs"}, "4 (LipSyncVideo): codec cannot be 'vhs'"),
        ("4", {"crf": 100}, "4 (LipSyncVideo): crf must be from 0 to 51, not 100"),
        ("4", {"fps": "25"}, "4 (LipSyncVideo): fps takes FLOAT, not '25'"),
        ("4", {"audio": "speech.flac"}, "4 (LipSyncVideo): audio takes a link, not 'speech.flac'"),
        ("4", {"audio": ["1", 0]}, "4 (LipSyncVideo): audio takes AUDIO, not the IMAGE of 1"),
        ("4", {"audio": ["2", 7]}, "4 (LipSyncVideo): audio comes from output 7 of 2, which is not there"),
        ("1", {"image": "nobody.jpg"}, "1 (LoadImage): image cannot be 'nobody.jpg'"),
    ],
    ids=lambda value: value.split(": ")[-1] if isinstance(value, str) else "",
)
def test_a_fault_is_found(comfyui: Server, number: str, change: dict[str, Any], complaint: str) -> None:
    graph = graph_of("quick_start")
    node = graph[number]
    node["class_type"] = change.pop("class_type", node["class_type"])
    node["inputs"] = {name: value for name, value in (node["inputs"] | change).items() if value is not None}
    assert faults(graph, comfyui.object_info()) == [complaint]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_file_is_offered_for_download(comfyui: Server, name: str) -> None:
    offers = {
        offer["name"]: offer
        for node in nodes_for_people(name)
        for offer in node["properties"].get("models", [])
        if offer["name"] in node["widgets_values"]
    }
    assert offers.keys() == weights_of(graph_of(name))
    catalog = {file.place: file for file in CATALOG.values()}
    for file, offer in offers.items():
        assert offer["directory"] in comfyui.get("/models")
        assert offer["url"].startswith("https://huggingface.co/")
        assert offer["url"].rsplit("/", 1)[-1] == file.rsplit("/", 1)[-1]
        if file in catalog:
            assert offer["url"] == catalog[file].sources[0].url
            assert offer["hash"] == catalog[file].sha256


@pytest.mark.parametrize("name", NAMES)
def test_every_workflow_has_a_note_and_a_picture(name: str) -> None:
    (about,) = [node for node in nodes_for_people(name) if node["type"] == "MarkdownNote"]
    assert about["widgets_values"][0].startswith("# ")
    picture = PACK / "workflows" / f"{name}.jpg"
    assert picture.stat().st_size < MOST_BYTES
    with Image.open(picture) as opened:
        assert opened.format == "JPEG"
        assert opened.width >= 600


@pytest.mark.parametrize("name", AS_SHIPPED)
def test_a_workflow_without_weights_runs_as_shipped(comfyui: Server, two_people: str, name: str) -> None:
    result = comfyui.run(graph_of(name))
    frames, seconds = frames_and_sound(saved(comfyui, result))
    assert frames == FRAMES.get(name, frames)
    if frames == 177:
        assert seconds == pytest.approx(7.08, abs=0.1)


@pytest.mark.parametrize("name", ["two_speakers", "two_speakers_video"])
def test_each_of_two_speakers_says_their_own_audio(comfyui: Server, two_people: str, name: str) -> None:
    """The left one speaks for 10 frames, then the right one; but for the fades between, only who speaks moves."""
    graph = graph_of(name)
    for node in graph.values():
        if node["class_type"] == "LoadAudio":
            node["inputs"]["audio"] = portrait_clip.write_speech(comfyui.input / "turn.wav", 0.4).name
        if node["class_type"] == "EmptyAudio":
            node["inputs"]["duration"] = 0.4
    path = saved(comfyui, comfyui.run(graph))
    moved = np.abs(pixels(path) - pixels(comfyui.input / two_people)).max(axis=-1) > 30  # encoding does that rarely
    left, right = moved[:, :, :512].sum(axis=(1, 2)), moved[:, :, 512:].sum(axis=(1, 2))  # pixels of each frame
    assert left[:6].max() > 100 > 20 > left[14:].max()
    assert right[14:].max() > 100 > 20 > right[:6].max()
    assert frames_and_sound(path)[1] == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("name", WITH_MUSETALK)
def test_a_musetalk_workflow_runs_at_full_shape(comfyui: Server, musetalk_weights: None, name: str) -> None:
    """With random weights, so only that it runs is shown; with a tenth of a second of speech, for the CPU's sake."""
    graph = graph_of(name)
    speech = portrait_clip.write_speech(comfyui.input / "short.wav", 0.1)
    (loader,) = [node for node in graph.values() if node["class_type"] == "LoadAudio"]
    loader["inputs"]["audio"] = speech.name
    (sampler,) = [id for id, node in graph.items() if node["class_type"] in ("LipSyncVideo", "LipSyncSample")]
    outlet = 1 if graph[sampler]["class_type"] == "LipSyncVideo" else 2
    graph["report"] = {"class_type": "PreviewAny", "inputs": {"source": [sampler, outlet]}}
    result = comfyui.run(graph, timeout=900)
    frames, _ = frames_and_sound(saved(comfyui, result))
    after = [] if name == "musetalk_image" else [{"first": 3, "last": 19, "fate": "after the audio"}]
    assert frames == (20 if after else 3)
    report = json.loads(result.outputs["report"]["text"][0])
    assert report["engine"] == "MuseTalk 1.5"
    assert report["runs"] == [{"first": 0, "last": 2, "fate": "synced"}, *after]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_does_not_run_in_this_file_runs_in_another(name: str) -> None:
    others = [path for path in Path(__file__).parent.glob("test_*.py") if path.name != Path(__file__).name]
    assert any(f'"{name}.json"' in path.read_text(encoding="utf-8") for path in others)


def test_a_wrong_file_is_named_for_what_it_is(comfyui: Server, musetalk_weights: None) -> None:
    wrong = comfyui.models / "diffusion_models" / "wrong.safetensors"
    seeded_checkpoints.save({"lora_unet_mid.lora_down.weight": torch.zeros(4, 4)}, wrong)
    graph = graph_of("musetalk")
    (loader,) = [node for node in graph.values() if node["class_type"] == "LipSyncLoadMuseTalk"]
    loader["inputs"]["unet"] = wrong.name
    result = comfyui.run(graph)
    assert result.failure is not None
    assert "the MuseTalk 1.5 UNet in wrong.safetensors; got a LoRA" in result.failure.message
    assert str(comfyui.models) not in result.failure.message


def test_the_editor_lists_every_workflow(comfyui: Server) -> None:
    assert sorted(comfyui.get("/workflow_templates")[PACK_NAME]) == [path.stem for path in FOR_PEOPLE]
