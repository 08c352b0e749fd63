"""Choosing the speaker, moving the crop and looking at it, and several speakers, in a real ComfyUI."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from io import BytesIO
from pathlib import Path

import numpy as np
import portrait_clip
import pytest
from client import Graph, Result
from draft_graphs import WIDGETS, message_of
from host import Server
from numpy.typing import NDArray
from PIL import Image

SIDE = 256
SPEAKER, HALF_LINE = (255, 190, 0), (255, 70, 190)  # the colours of the preview
FREED_WITHIN_SECONDS = 30

# The server is on this machine: a proxy from the environment must not be asked for it.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@pytest.fixture(scope="module")
def two(comfyui: Server) -> str:
    """A picture for LoadImage: the portrait, and beside it on the right itself, smaller."""
    left, right = portrait_clip.picture(0, SIDE, False), portrait_clip.picture(0, SIDE * 3 // 4, False)
    both = np.full((SIDE, 2 * SIDE, 3), 128, np.uint8)
    both[:, :SIDE], both[: len(right), SIDE : SIDE + len(right)] = left, right
    Image.fromarray(both).save(comfyui.input / "two.png")
    return "two.png"


def preview_graph(picture: str, frames: int = 2, who: dict[str, object] | None = None, **shift: object) -> Graph:
    """`frames` times the picture, the speaker, the crop, and its preview as a PNG."""
    return {
        "picture": {"class_type": "LoadImage", "inputs": {"image": picture}},
        "images": {"class_type": "RepeatImageBatch", "inputs": {"image": ["picture", 0], "amount": frames}},
        "faces": {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["images", 0]}},
        "people": {"class_type": "PreviewAny", "inputs": {"source": ["faces", 1]}},
        "who": {
            "class_type": "LipSyncChooseSpeaker",
            "inputs": {"faces": ["faces", 0], "bridge_gaps": 5, **(who or {"rule": "largest"})},
        },
        "shift": {
            "class_type": "LipSyncBBoxShift",
            "inputs": {
                "faces": ["who", 0],
                "bbox_shift": 0,
                "extra_margin": -1,
                "source": ["images", 0],
                **shift,
            },
        },
        "save": {"class_type": "SaveImage", "inputs": {"images": ["shift", 2], "filename_prefix": "preview"}},
    }


def images_of(comfyui: Server, result: Result, node: str = "save") -> NDArray[np.uint8]:
    assert result.failure is None, result.failure
    files = [comfyui.output / file["filename"] for file in result.outputs[node]["images"]]
    return np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])


def shown(result: Result) -> dict[str, object]:
    """What BBox Shift tells its widget."""
    assert result.failure is None, result.failure
    (told,) = result.outputs["shift"]["lipsync_preview"]
    return told


def ask(comfyui: Server, path: str) -> tuple[int, str, bytes]:
    """(status, content type, body) of the pack's preview route."""
    try:
        with DIRECT.open(f"{comfyui.url}/lipsync_studio/preview/{path}") as answer:
            return answer.status, answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers.get_content_type(), refusal.read()


def frame_of(comfyui: Server, path: str) -> NDArray[np.uint8]:
    status, kind, body = ask(comfyui, path)
    assert (status, kind) == (200, "image/jpeg"), body
    return np.asarray(Image.open(BytesIO(body)))


@pytest.mark.parametrize(
    ("who", "half"),
    [
        ({"rule": "largest"}, 0),
        ({"rule": "leftmost"}, 0),
        ({"rule": "rightmost"}, 1),
        ({"rule": "person", "rule.person": 1}, 1),
        ({"rule": "point", "rule.frame": 1, "rule.x": SIDE + 90, "rule.y": 90}, 1),
    ],
    ids=lambda value: value["rule"] if isinstance(value, dict) else "left right".split()[value],
)
def test_the_chosen_speaker_is_the_one_in_the_preview(
    comfyui: Server, two: str, who: dict[str, object], half: int
) -> None:
    result = comfyui.run(preview_graph(two, who=who))
    (picture,) = images_of(comfyui, result)
    columns = np.flatnonzero((picture == SPEAKER).all(axis=-1).any(axis=0)) / picture.shape[1]
    assert (columns // 0.5 == half).all()
    assert np.ptp(columns) > 0.1
    assert result.outputs["people"]["text"][0].startswith("2 frames in 1 shot, 2 people\nperson 0: 2 frames")


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ({"rule": "person", "rule.person": 7}, "person from 0 to 1"),
        ({"rule": "point", "rule.frame": 0, "rule.x": 500, "rule.y": 250}, "a face at (500, 250) on frame 0"),
        ({"rule": "loudest"}, "a rule of Choose Speaker"),
    ],
    ids=["no such person", "nobody there", "no such rule"],
)
def test_a_choice_that_fits_nobody_is_explained(comfyui: Server, two: str, who: dict[str, object], words: str) -> None:
    result = comfyui.run(preview_graph(two, who=who))
    assert words in message_of(result)
    assert result.failure is not None
    assert result.failure.node == "who"


def test_a_reference_picture_names_the_speaker(comfyui: Server, shared: Path) -> None:
    with Image.open(shared / "media" / "multi_face.jpg") as group:
        group.convert("RGB").save(comfyui.input / "group.png")
        group.convert("RGB").crop((640, 200, 850, 480)).save(comfyui.input / "reference.png")
    graph = preview_graph("group.png", 1, {"rule": "reference picture", "rule.reference": ["reference", 0]})
    graph["reference"] = {"class_type": "LoadImage", "inputs": {"image": "reference.png"}}
    (picture,) = images_of(comfyui, comfyui.run(graph))
    scale = picture.shape[1] / Image.open(comfyui.input / "group.png").width
    columns = np.flatnonzero((picture == SPEAKER).all(axis=-1).any(axis=0)) / scale
    assert 640 < columns.min() < columns.max() < 850


def test_faces_of_another_node_take_the_place_of_the_detector(comfyui: Server, two: str) -> None:
    graph = preview_graph(two)
    box = {"x": SIDE + 30, "y": 60, "width": 100, "height": 130}
    graph["box"] = {"class_type": "PrimitiveBoundingBox", "inputs": box}
    graph["faces"]["inputs"]["found"] = ["box", 0]
    result = comfyui.run(graph)
    assert result.failure is None, result.failure
    assert ", 1 person\n" in result.outputs["people"]["text"][0]


def test_choosing_and_shifting_detect_nothing_again(comfyui: Server, two: str) -> None:
    assert comfyui.run(preview_graph(two, 3)).failure is None
    chosen = comfyui.run(preview_graph(two, 3, {"rule": "rightmost"}))
    assert set(chosen.executed) == {"who", "shift", "save"}
    shifted = comfyui.run(preview_graph(two, 3, {"rule": "rightmost"}, bbox_shift=5, smoothing=0.0))
    assert set(shifted.executed) == {"shift", "save"}


def test_the_preview_shows_what_the_settings_do(comfyui: Server, two: str) -> None:
    def half_line(**shift: object) -> float:
        (picture,) = images_of(comfyui, comfyui.run(preview_graph(two, **shift)))
        rows = np.flatnonzero((picture == HALF_LINE).all(axis=-1).any(axis=1))
        return float(rows.mean()) * SIDE / len(picture)

    assert half_line(bbox_shift=8) - half_line() == pytest.approx(8, abs=0.5)


def test_without_a_source_the_faces_are_on_a_dark_canvas(comfyui: Server, two: str) -> None:
    graph = preview_graph(two)
    del graph["shift"]["inputs"]["source"]
    (picture,) = images_of(comfyui, comfyui.run(graph))
    assert picture.shape == (384, 768, 3)
    assert np.median(picture) < 60
    assert (picture == SPEAKER).all(axis=-1).any()


def test_a_source_of_another_size_is_explained(comfyui: Server, two: str) -> None:
    graph = preview_graph(two)
    graph["shift"]["inputs"]["source"] = ["picture", 0]
    assert "faces of a clip with 2 frames, 512x256" in message_of(comfyui.run(graph))


def test_any_frame_of_a_video_is_drawn_without_running(comfyui: Server, clip: str) -> None:
    graph = preview_graph("unused")
    del graph["picture"], graph["images"]
    graph["clip"] = {"class_type": "LoadVideo", "inputs": {"file": clip}}
    for node in ("faces", "shift"):
        graph[node]["inputs"]["source"] = ["clip", 0]
    graph["shift"]["inputs"]["preview_frame"] = 99  # past the end: the last one
    told = shown(comfyui.run(graph))
    assert (told["frame"], told["frames"]) == (19, 20)
    low, high = told["range"]
    assert -40 < low < 0 < high < 40
    pictures = [frame_of(comfyui, f"{told['token']}/{frame}") for frame in (0, 14, 19)]
    assert all(picture.shape == (2 * SIDE, 2 * SIDE, 3) for picture in pictures)
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() > 5
    shifted = frame_of(comfyui, f"{told['token']}/0?bbox_shift=9&extra_margin=20&convention=MuseTalk+1.5&smoothing=1")
    assert np.abs(pictures[0].astype(int) - shifted).mean() > 0.2


@pytest.mark.parametrize(
    "path", ["2", "x", "-1", "9" * 50, "0?bbox_shift=much", "0?bbox_shift=9999", "0?smoothing=nan", "0?convention=mine"]
)
def test_bad_parameters_are_refused_in_words(comfyui: Server, two: str, path: str) -> None:
    token = shown(comfyui.run(preview_graph(two)))["token"]
    status, kind, body = ask(comfyui, f"{token}/{path}")
    assert (status, kind) == (400, "application/json")
    assert json.loads(body)["error"].startswith("Expected ")


def test_an_unknown_preview_is_not_found(comfyui: Server) -> None:
    status, kind, body = ask(comfyui, "no-such-token/0")
    assert (status, kind) == (404, "application/json")
    assert "Run the graph" in json.loads(body)["error"]


def test_a_preview_lasts_as_long_as_comfyui_keeps_the_result(comfyui: Server, two: str) -> None:
    first = shown(comfyui.run(preview_graph(two, 4)))
    again = comfyui.run(preview_graph(two, 4))
    assert again.executed == ()
    assert shown(again) == first
    assert ask(comfyui, f"{first['token']}/0")[0] == 200
    deadline = time.monotonic() + FREED_WITHIN_SECONDS
    while ask(comfyui, f"{first['token']}/0")[0] != 404:
        assert time.monotonic() < deadline, "the preview outlives the result"
        comfyui.post("/free", {"free_memory": True})  # again, since ComfyUI misses it while it tidies up after a run
        time.sleep(0.5)
    renewed = shown(comfyui.run(preview_graph(two, 4)))
    assert ask(comfyui, f"{renewed['token']}/0")[0] == 200


def test_two_speakers_are_merged(comfyui: Server, two: str) -> None:
    """Each half of the merged images is that of the half's own speaker."""
    graph = preview_graph(two, 10)
    del graph["who"], graph["shift"], graph["save"]
    graph["engine"] = {"class_type": "LipSyncDraftEngine", "inputs": {}}
    merge: dict[str, object] = {}
    for number, (rule, seconds) in enumerate([("leftmost", 0.4), ("rightmost", 0.6)], start=1):
        portrait_clip.write_speech(comfyui.input / f"voice_{number}.wav", seconds)
        graph[f"voice_{number}"] = {"class_type": "LoadAudio", "inputs": {"audio": f"voice_{number}.wav"}}
        graph[f"who_{number}"] = {
            "class_type": "LipSyncChooseSpeaker",
            "inputs": {"faces": ["faces", 0], "rule": rule, "bridge_gaps": 5},
        }
        graph[f"sync_{number}"] = {
            "class_type": "LipSyncSample",
            "inputs": {
                "images": ["images", 0],
                "faces": [f"who_{number}", 0],
                "engine": ["engine", 0],
                "audio": [f"voice_{number}", 0],
                **{key: WIDGETS[key] for key in ("fps", "audio_longer", "video_longer", "restore_in_silence")},
            },
        }
        merge |= {f"images_{number}": [f"sync_{number}", 0], f"mask_{number}": [f"sync_{number}", 1]}
    graph["merge"] = {"class_type": "LipSyncMergeSpeakers", "inputs": merge}
    saved = {"one": "sync_1", "other": "sync_2", "both": "merge"}
    for name, node in saved.items():
        graph[name] = {"class_type": "SaveImage", "inputs": {"images": [node, 0], "filename_prefix": name}}
    result = comfyui.run(graph)
    one, other, both = (images_of(comfyui, result, name) for name in saved)
    assert len(one) == 10
    assert len(other) == len(both) == 15
    assert np.array_equal(both[:10, :, :SIDE], one[:, :, :SIDE])
    assert np.array_equal(both[:, :, SIDE:], other[:, :, SIDE:])
    assert not np.array_equal(one[:, :, :SIDE], other[:10, :, :SIDE])


def test_half_a_speaker_is_explained(comfyui: Server, two: str) -> None:
    graph = preview_graph(two)
    graph["mask"] = {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": 2 * SIDE, "height": SIDE}}
    both = {"images_1": ["picture", 0], "mask_1": ["mask", 0], "images_2": ["picture", 0], "mask_2": ["mask", 0]}
    graph["merge"] = {"class_type": "LipSyncMergeSpeakers", "inputs": both | {"images_3": ["picture", 0]}}
    graph["save"]["inputs"]["images"] = ["merge", 0]
    assert "both images_3 and mask_3" in message_of(comfyui.run(graph))
