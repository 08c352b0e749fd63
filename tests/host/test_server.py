"""The pack inside a real ComfyUI, and the parts of ComfyUI that all node tests lean on."""

from __future__ import annotations

import threading
from pathlib import Path

from client import Event, Graph
from host import Server
from PIL import Image


def grey_picture(color: int, side: int = 64, prefix: str = "grey") -> Graph:
    return {
        "picture": {
            "class_type": "EmptyImage",
            "inputs": {"width": side, "height": side, "batch_size": 1, "color": color},
        },
        "save": {"class_type": "SaveImage", "inputs": {"images": ["picture", 0], "filename_prefix": prefix}},
    }


def test_every_module_is_loaded(comfyui: Server) -> None:
    log = comfyui.log.read_text(encoding="utf-8")
    failures = [line for line in log.splitlines() if "IMPORT FAILED" in line or "calling comfy_entrypoint" in line]
    assert failures == []
    assert "/custom_nodes/lipsync-studio" in log.replace("\\", "/")


def test_our_nodes_are_there(comfyui: Server) -> None:
    ours = {
        name for name, node in comfyui.object_info().items() if node["python_module"] == "custom_nodes.lipsync-studio"
    }
    assert "LipSyncVideo" in ours
    assert all(name.startswith("LipSync") for name in ours), "without the prefix, a core node of that name wins"


def test_a_core_graph_runs(comfyui: Server) -> None:
    result = comfyui.run(grey_picture(0x102030))
    assert result.failure is None
    assert result.executed == ("picture", "save")
    (file,) = result.files()
    assert (comfyui.output / file["filename"]).stat().st_size > 0


def test_an_unchanged_graph_is_cached(comfyui: Server) -> None:
    first = comfyui.run(grey_picture(0x203040))
    assert first.cached == ()
    again = comfyui.run(grey_picture(0x203040))
    assert again.executed == ()
    assert set(again.cached) == {"picture", "save"}
    assert again.outputs == first.outputs
    renamed = comfyui.run(grey_picture(0x203040, prefix="renamed"))
    assert (renamed.cached, renamed.executed) == (("picture",), ("save",))


def test_a_bad_value_is_rejected_by_name(comfyui: Server) -> None:
    result = comfyui.run(grey_picture(0, side=-1))
    assert result.failure is not None
    assert (result.failure.kind, result.failure.node) == ("rejected", "picture")
    assert "smaller than min of 1: width" in result.failure.message
    assert result.executed == ()


def test_an_unknown_node_is_rejected(comfyui: Server) -> None:
    result = comfyui.run({"1": {"class_type": "NoSuchNode", "inputs": {}}})
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    assert "NoSuchNode" in result.failure.message


def test_an_exception_in_a_node_arrives(comfyui: Server) -> None:
    (comfyui.input / "no_video.mp4").write_bytes(b"not a video")
    graph: Graph = {
        "load": {"class_type": "LoadVideo", "inputs": {"file": "no_video.mp4"}},
        "frames": {"class_type": "GetVideoComponents", "inputs": {"video": ["load", 0]}},
        "show": {"class_type": "PreviewImage", "inputs": {"images": ["frames", 0]}},
    }
    result = comfyui.run(graph)
    assert result.failure is not None
    assert (result.failure.kind, result.failure.node) == ("raised", "frames")
    assert "Invalid data" in result.failure.message


def test_the_stop_button(comfyui: Server) -> None:
    """Interrupts a chain of slow nodes in its first one; ComfyUI looks for the interrupt between nodes."""
    chain = grey_picture(3, side=2048)
    for step in range(20):
        chain[f"blur{step}"] = {
            "class_type": "ImageBlur",
            "inputs": {"image": [f"blur{step - 1}" if step else "picture", 0], "blur_radius": 31, "sigma": 10.0},
        }
    chain["save"]["inputs"]["images"] = ["blur19", 0]
    begun = threading.Event()

    def watch(event: Event) -> None:
        if event.kind == "executing" and event.data["node"] == "blur0":
            begun.set()

    def stop() -> None:
        begun.wait()
        comfyui.interrupt()

    stopper = threading.Thread(target=stop, daemon=True)
    stopper.start()
    result = comfyui.run(chain, on_event=watch)
    stopper.join()
    assert result.failure is not None
    assert result.failure.kind == "interrupted"
    assert "save" not in result.executed


def test_an_uploaded_picture_is_loaded(comfyui: Server, tmp_path: Path) -> None:
    Image.new("RGB", (48, 32), "red").save(tmp_path / "red.png")
    graph: Graph = {
        "load": {"class_type": "LoadImage", "inputs": {"image": comfyui.upload(tmp_path / "red.png")}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["load", 0], "filename_prefix": "red"}},
    }
    result = comfyui.run(graph)
    assert result.failure is None
    with Image.open(comfyui.output / result.files()[0]["filename"]) as saved:
        assert (saved.size, saved.getpixel((0, 0))) == ((48, 32), (255, 0, 0))
