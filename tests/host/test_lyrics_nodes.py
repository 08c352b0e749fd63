"""Lyrics read, laid over a clip and saved, in a real ComfyUI."""

from __future__ import annotations

import av
import numpy as np
from client import Graph
from draft_graphs import message_of
from host import Server
from numpy.typing import NDArray

LYRICS = "[ti:Test]\n[00:00.20]<00:00.20>first <00:00.40>words <00:00.60>\n"


def widgets(comfyui: Server, node: str) -> dict[str, object]:
    """What the widgets of `node` say when it is new."""
    needed = comfyui.object_info()[node]["input"]["required"]
    return {name: options["default"] for name, (_, options) in needed.items() if "default" in options}


def lyrics_graph(comfyui: Server, clip: str, prefix: str = "lyrics/song", text: str = LYRICS) -> Graph:
    return {
        "clip": {"class_type": "LoadVideo", "inputs": {"file": clip}},
        "lyrics": {"class_type": "LipSyncReadLyrics", "inputs": {"text": text}},
        "over": {
            "class_type": "LipSyncLyricOverlay",
            "inputs": {
                **widgets(comfyui, "LipSyncLyricOverlay"),
                "source": ["clip", 0],
                "timings": ["lyrics", 0],
                "lead_in": 0.0,
                "linger": 0.0,
                "fade": 0.0,
                "crf": 10,
                "preset": "ultrafast",
            },
        },
        "save": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["over", 0], "filename_prefix": "over", "format": "auto", "codec": "auto"},
        },
        "file": {
            "class_type": "LipSyncSaveLyrics",
            "inputs": {"timings": ["lyrics", 0], "filename_prefix": prefix, "format": "srt"},
        },
    }


def grey(path: object) -> NDArray[np.int16]:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)]).astype(np.int16)


def test_lyrics_are_shown_while_they_are_sung_and_saved(comfyui: Server, clip: str) -> None:
    result = comfyui.run(lyrics_graph(comfyui, clip))
    assert result.failure is None, result.failure
    saved = {file["filename"].rsplit(".", 1)[1]: file for file in result.files() if file["type"] == "output"}
    over = grey(comfyui.output / saved["mp4"]["subfolder"] / saved["mp4"]["filename"])
    before = grey(comfyui.input / clip)
    assert over.shape == before.shape
    changed = np.abs(over - before).max(axis=(1, 2)) > 100
    assert np.flatnonzero(changed).tolist() == list(range(5, 15)), "0.2 to 0.6 s at 25 frames per second"
    text = (comfyui.output / saved["srt"]["subfolder"] / saved["srt"]["filename"]).read_text(encoding="utf-8")
    assert text == "1\n00:00:00,200 --> 00:00:00,600\nfirst words\n"


def test_lyrics_stay_inside_the_output_folder(comfyui: Server, clip: str) -> None:
    graph = lyrics_graph(comfyui, clip, prefix="../../stolen")
    result = comfyui.run({name: graph[name] for name in ("lyrics", "file")})
    assert result.failure is not None
    assert "outside the output folder" in result.failure.message
    assert not list(comfyui.output.parent.parent.glob("stolen*"))


def test_a_text_without_times_is_explained(comfyui: Server, clip: str) -> None:
    graph = lyrics_graph(comfyui, clip, text="just words")
    message = message_of(comfyui.run({name: graph[name] for name in ("lyrics", "file")}))
    assert "Expected a file of one of these formats" in message
