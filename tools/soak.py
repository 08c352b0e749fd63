"""Runs many short clips through one ComfyUI and watches what it holds: memory, open files, files in its temp folder.

    python tools/soak.py                 1,000 prompts with the draft engine
    python tools/soak.py --prompts 100
    python tools/soak.py --save          and keeps the result in docs/measured/ and the README

Ends with 1 when a prompt fails.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import environment

if TYPE_CHECKING:
    from client import Graph
    from host import Server

WORKFLOW = Path(__file__).resolve().parent.parent / "workflows" / "api" / "draft_video.json"
CLIP, FRAMES, SIDE = "clip.mp4", 10, 256
CRFS = (17, 18)  # taken in turn: a graph that is the same as the last one is not run again


@dataclass(frozen=True)
class Held:
    """What a process holds between two prompts. mb: its memory. handles: open files, sockets. temp: files in temp."""

    mb: float
    handles: int
    temp: int


def main() -> int:
    """Run the prompts and print what was held in the second and in the last tenth of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--save", action="store_true", help="into docs and README")
    arguments = parser.parse_args()
    environment.enter()
    import host
    import torch
    import write_measured
    from bench import machine
    from importable import make_importable

    cpu = not torch.cuda.is_available()
    make_importable(cpu=cpu)
    with tempfile.TemporaryDirectory() as name:
        base, log = Path(name) / "comfyui", Path(name) / "comfyui.log"
        try:
            with host.running(base, log, cpu=cpu) as server:
                held = _run(server, arguments.prompts)
        except (host.ServerStartError, ConnectionError, RuntimeError) as failed:
            print(failed, file=sys.stderr)
            return 1
    result = {"machine": machine(), "prompts": arguments.prompts, **summary(held)}
    print(json.dumps(result))
    if arguments.save:
        write_measured.save("soak", result)
    return 0


def summary(held: Sequence[Held]) -> dict[str, dict[str, float]]:
    """The medians of the second tenth, when all is loaded, and of the last."""
    tenth = max(1, len(held) // 10)
    parts = {"early": held[tenth : 2 * tenth] or held, "late": held[-tenth:]}
    return {
        name: {field.name: statistics.median(getattr(one, field.name) for one in part) for field in fields(Held)}
        for name, part in parts.items()
    }


def _run(server: Server, prompts: int) -> list[Held]:
    """What the server holds after each prompt. Raises RuntimeError when one fails."""
    import bench_parts
    import psutil

    bench_parts.portrait_clip(server.input / CLIP, SIDE, SIDE, FRAMES)
    (server.input / "speech.flac").write_bytes((bench_parts.INPUTS / "speech.flac").read_bytes())
    process, held = psutil.Process(server.process.pid), []
    for number in range(prompts):
        result = server.run(_graph(CRFS[number % 2]))
        if result.failure is not None:
            raise RuntimeError(f"Prompt {number}: {result.failure.message}")
        server.post("/history", {"clear": True})  # ComfyUI remembers up to 10,000 prompts, which is its own growth
        handles = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
        files = sum(1 for path in server.temp.rglob("*") if path.is_file())
        held.append(Held(round(process.memory_info().rss / 1e6, 1), handles, files))
        if number % max(1, prompts // 20) == 0:
            print(f"{number:6} {held[-1].mb:8.0f} MB {handles:5} handles {files:4} files in temp", flush=True)
    saved = len(list(server.output.glob("soak*")))
    if saved != prompts:
        raise RuntimeError(f"{saved} files were saved for {prompts} prompts.")
    return held


def _graph(crf: int) -> Graph:
    """The shipped workflow, over the clip alone: the speech is longer."""
    graph: Graph = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    changes = {
        "LoadVideo": {"file": CLIP},
        "LipSyncVideo": {"audio_longer": "stop", "preset": "ultrafast", "crf": crf},
        "SaveVideo": {"filename_prefix": "soak"},
    }
    for node in graph.values():
        node["inputs"] |= changes.get(node["class_type"], {})
    return graph


if __name__ == "__main__":
    sys.exit(main())
