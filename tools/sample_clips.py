"""Clips of the portrait that comes with the pack, made by ComfyUI itself, under the names that the workflows load."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from client import Graph
    from host import Server

ONE_PERSON, TWO_PEOPLE = "clip.mp4", "two_people.mp4"


def write_one_person(server: Server) -> None:
    """The portrait, talking: what the quick start makes."""
    from host import PACK

    quick_start = PACK / "workflows" / "api" / "quick_start.json"
    _keep(server, json.loads(quick_start.read_text(encoding="utf-8")), ONE_PERSON)


def write_two_people(server: Server, frames: int = 20) -> None:
    """The portrait and its mirror image side by side, 1024x512 px at 25 fps, without sound; nothing moves."""
    graph: Graph = {
        "left": {"class_type": "LoadImage", "inputs": {"image": "astronaut.jpg"}},
        "right": {"class_type": "ImageFlip", "inputs": {"image": ["left", 0], "flip_method": "y-axis: horizontally"}},
        "both": {
            "class_type": "ImageStitch",
            "inputs": {
                "image1": ["left", 0],
                "image2": ["right", 0],
                "direction": "right",
                "match_image_size": True,
                "spacing_width": 0,
                "spacing_color": "white",
            },
        },
        "frames": {"class_type": "RepeatImageBatch", "inputs": {"image": ["both", 0], "amount": frames}},
        "clip": {"class_type": "CreateVideo", "inputs": {"images": ["frames", 0], "fps": 25.0}},
        "save": {
            "class_type": "SaveVideo",
            "inputs": {"video": ["clip", 0], "filename_prefix": "two_people", "format": "auto", "codec": "auto"},
        },
    }
    _keep(server, graph, TWO_PEOPLE)


def _keep(server: Server, graph: Graph, name: str) -> None:
    """Run `graph` and put the video that it saves into the input folder as `name`."""
    result = server.run(graph)
    if result.failure is not None:
        raise RuntimeError(f"ComfyUI could not make {name}: {result.failure.message}")
    (file,) = [file for file in result.files() if file["filename"].endswith(".mp4")]
    shutil.copyfile(server.output / file["subfolder"] / file["filename"], server.input / name)
