"""The demo's graph with the user's own files in it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import demo
import pytest
from client import Graph


def graph() -> Graph:
    return {
        "face": {"class_type": "LoadImage", "inputs": {"image": "face.jpg"}},
        "voice": {"class_type": "LoadAudio", "inputs": {"audio": "voice.flac"}},
        "sync": {"class_type": "LipSyncVideo", "inputs": {"source": ["face", 0], "audio": ["voice", 0], "fps": 25.0}},
    }


@pytest.mark.parametrize(
    ("loader", "node", "inputs"),
    [
        ("LoadVideo", "face", {"file": "mine"}),
        ("LoadImage", "face", {"image": "mine"}),
        ("LoadAudio", "voice", {"audio": "mine"}),
    ],
)
def test_a_file_takes_its_place(loader: str, node: str, inputs: dict[str, str]) -> None:
    changed = graph()
    demo.use_file(changed, loader, "mine")
    assert changed == {**graph(), node: {"class_type": loader, "inputs": inputs}}


def test_all_files_are_copied_in(tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_bytes(b"clip")
    inputs = tmp_path / "input"
    inputs.mkdir()
    arguments = Namespace(engine="draft", video=tmp_path / "mine.mp4", image=None, audio=None)
    prepared = demo.prepare(arguments, inputs)
    names = {node["class_type"]: next(iter(node["inputs"].values()), None) for node in prepared.values()}
    assert names["LoadVideo"] == "mine.mp4"
    assert (inputs / "mine.mp4").read_bytes() == b"clip"
    assert (inputs / str(names["LoadAudio"])).is_file()
