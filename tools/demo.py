"""Makes a talking-face video from nothing: prepares ComfyUI with this pack, runs a workflow, says where the MP4 is.

    python tools/demo.py                                    the picture and the voice that come with the pack
    python tools/demo.py --video you.mp4 --audio voice.wav
    python tools/demo.py --serve                            and leaves ComfyUI's editor running

The first run prepares an environment (see tools/environment.py), which takes a few minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import environment

if TYPE_CHECKING:
    from client import Graph, Result
    from host import Server

WORKFLOWS = Path(__file__).resolve().parent.parent / "workflows"

# The workflow that shows each engine, in workflows/ for people and in workflows/api/ for programs.
ENGINES = {"draft": "quick_start", "musetalk": "musetalk", "latentsync": "latentsync"}

PORTRAIT = "astronaut.jpg"

# Core's loader nodes, and the input that names their file. LoadImage and LoadVideo can stand for each other: what
# takes their output takes both.
FACE_LOADERS = {"LoadImage": "image", "LoadVideo": "file"}
SOUND_LOADERS = {"LoadAudio": "audio"}


def main() -> int:
    arguments = _arguments()
    environment.enter()
    import host

    signal.signal(signal.SIGTERM, _stop)  # a polite kill stops the server too, as Ctrl-C does
    base = environment.cache_folder() / "demo"
    base.mkdir(parents=True, exist_ok=True)
    log = base / "comfyui.log"
    print("Starting ComfyUI ...", flush=True)
    try:
        with host.running(base, log, cpu=not _has_cuda(), models=arguments.models, port=arguments.port) as server:
            succeeded = _run(server, arguments)
            if arguments.serve:
                print(f"The editor: {server.url}/?template={ENGINES[arguments.engine]}&source={host.PACK_NAME}")
                print("Ctrl-C stops it.", flush=True)
                server.process.wait()
    except host.ServerStartError as failed:
        print(failed, file=sys.stderr)
        return 1
    except ConnectionError as failed:
        print(failed, f"ComfyUI's log: {log}", sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130
    return 0 if succeeded else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    face = parser.add_mutually_exclusive_group()
    face.add_argument("--video", type=_file, help="a clip with a face")
    face.add_argument("--image", type=_file, help="a picture with a face")
    parser.add_argument("--audio", type=_file, help="the voice that the face should follow")
    parser.add_argument("--engine", choices=ENGINES, default="draft", help="draft (the default) needs no download")
    parser.add_argument("--models", type=_folder, help="your ComfyUI's models folder (draft needs none)")
    parser.add_argument("--port", type=int, help="port for ComfyUI; else any free one")
    parser.add_argument("--serve", action="store_true", help="leave ComfyUI's editor running afterwards")
    return parser.parse_args()


def _file(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return path


def _folder(text: str) -> Path:
    path = Path(text).expanduser().resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return path


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _run(server: Server, arguments: argparse.Namespace) -> bool:
    """Run the workflow and say what came of it."""
    from progress_line import ProgressLine

    graph = prepare(arguments, server.input)
    started = time.monotonic()
    with ProgressLine(graph) as line:
        result = server.run(graph, on_event=line, timeout=None)
    if result.failure:
        print(result.failure.message, f"ComfyUI's log: {server.log}", sep="\n", file=sys.stderr)
        return False
    print(f"Made in {time.monotonic() - started:.0f} s:", *saved_files(result, server.output), sep="\n")
    return True


def prepare(arguments: argparse.Namespace, inputs: Path) -> Graph:
    """The engine's workflow with the user's files in it, or the pack's own picture; all are copied into `inputs`."""
    graph: Graph = json.loads((WORKFLOWS / "api" / f"{ENGINES[arguments.engine]}.json").read_text(encoding="utf-8"))
    for file in (WORKFLOWS / "inputs").iterdir():
        shutil.copyfile(file, inputs / file.name)
    image = arguments.image or (None if arguments.video else inputs / PORTRAIT)
    chosen = {"LoadVideo": arguments.video, "LoadImage": image, "LoadAudio": arguments.audio}
    for loader, file in chosen.items():
        if file:
            if file.resolve().parent != inputs.resolve():
                shutil.copyfile(file, inputs / file.name)
            use_file(graph, loader, file.name)
    return graph


def use_file(graph: Graph, loader: str, name: str) -> None:
    """Have `graph` read its face, or its sound, from the input file `name` with the node class `loader`."""
    kin = FACE_LOADERS if loader in FACE_LOADERS else SOUND_LOADERS
    for node in graph.values():
        if node["class_type"] in kin:
            node["class_type"], node["inputs"] = loader, {kin[loader]: name}


def saved_files(result: Result, output: Path) -> list[Path]:
    """The files that the run left in ComfyUI's folder `output`."""
    return [output / file["subfolder"] / file["filename"] for file in result.files() if file["type"] == "output"]


if __name__ == "__main__":
    sys.exit(main())
