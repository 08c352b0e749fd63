"""Measures the pack. Ratios are between two ways of doing the same work, in one run on one machine.

    python tools/bench.py pipeline     outside the networks: MuseTalk's own way against this pack's
    python tools/bench.py faces        finding faces, by stage; and with MuseTalk's own networks, its way against ours
    python tools/bench.py engines      an engine's networks, random weights; with --reference, its authors' code too
    python tools/bench.py deep_cache   LatentSync's denoising with DeepCache and without, random weights
    python tools/bench.py lyrics       errors of word times: speech that is recognised, songs whose words are known
    python tools/bench.py memory       peak memory for a short and a long clip
    python tools/bench.py overlay      lyrics over a clip: drawn anew with Pillow on every frame, against this pack

Each prints a table, and one line of JSON with facts about the machine. With --save the JSON goes to docs/measured/ and
into the README's table, which tools/write_measured.py makes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import environment
import write_measured

CLIP_SECONDS = 20  # of video that is encoded; longer clips repeat it


def pipeline(arguments: argparse.Namespace) -> dict[str, object]:
    """Time per frame outside the networks, the reference's way and ours, on the same clip."""
    import bench_parts
    import reference_way

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = bench_parts.portrait_clip(folder / "clip.mp4", arguments.width, arguments.height, arguments.frames)
        sound = bench_parts.INPUTS / "speech.flac"
        (folder / "reference").mkdir()
        theirs = reference_way.run(clip.video, sound, clip.box, clip.labels, folder / "reference").seconds
        ours = _sync(clip.video, clip.box, folder / "ours.mp4", arguments.frames / 25, folder)
    reference, pack = _per_frame(theirs, arguments.frames), _per_frame(ours, arguments.frames)
    _table("MuseTalk's way, outside its networks", reference)
    _table("LipSync Studio, outside the networks", pack)
    ratio = reference["total"] / pack["total"]
    print(f"\n{ratio:.1f} times less time per frame at {arguments.width}x{arguments.height}")
    clip_facts = {"width": arguments.width, "height": arguments.height, "frames": arguments.frames}
    return {**clip_facts, "reference_ms": reference, "ours_ms": pack, "ratio": round(ratio, 2)}


def faces(arguments: argparse.Namespace) -> dict[str, object]:
    """Time per frame to find the faces: our own detectors by stage, and the reference's detectors, its way and ours."""
    return {f"{height}p": _faces(height, arguments.frames, arguments.embedded_frames) for height in arguments.heights}


def _faces(height: int, few: int, many: int) -> dict[str, object]:
    import bench_faces
    import bench_parts

    with tempfile.TemporaryDirectory() as name:
        folder, width = Path(name), height * 16 // 9
        (folder / "reference").mkdir()
        stages, in_all = bench_faces.embedded(bench_parts.portrait_clip(folder / "many.mp4", width, height, many).video)
        clip = bench_parts.portrait_clip(folder / "few.mp4", width, height, few).video
        theirs, ours = bench_faces.against_reference(clip, folder / "reference")
    embedded, reference = _per_frame(stages, many), _per_frame(theirs, few)
    _table(f"{height}p: the detectors of the pack, each stage by itself", embedded)
    _table(f"{height}p: S3FD and DWPose, MuseTalk's way", reference)
    pass_1 = {"the pack's": round(1000 * in_all / many, 2)}
    pass_1 |= {name: round(1000 * seconds / few, 2) for name, seconds in ours.items()}
    _table(f"{height}p: pass 1 of LipSync Studio, stages side by side", pass_1)
    ratios = {name: round(reference["total"] / pass_1[name], 2) for name in ours}
    print("\n" + "\n".join(f"{ratio:.1f} times less time with {name}" for name, ratio in ratios.items()))
    return {"embedded_ms": embedded, "reference_ms": reference, "pass_1_ms": pass_1, "ratios": ratios}


def memory(arguments: argparse.Namespace) -> dict[str, object]:
    """Peak private memory of a process that syncs each number of minutes, with stand-ins for the networks."""
    peaks: dict[float, dict[str, float]] = {}
    for minutes in arguments.minutes:
        sizes = ["--width", arguments.width, "--height", arguments.height, "--fps", arguments.fps]
        command = [sys.executable, __file__, "once", str(minutes), *map(str, sizes)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        peaks[minutes] = json.loads(answer.splitlines()[-1])
        print(f"{minutes:6g} min: peak {peaks[minutes]['peak_mb']:.0f} MB, {peaks[minutes]['fps']:.1f} fps", flush=True)
    first, last = (peaks[arguments.minutes[index]]["peak_mb"] for index in (0, -1))
    print(f"\nthe longest takes {100 * (last / first - 1):+.1f} % of the shortest's memory")
    return {"height": arguments.height, "fps": arguments.fps, "runs": peaks, "growth": round(last / first - 1, 4)}


def overlay(arguments: argparse.Namespace) -> dict[str, object]:
    """Frames per second of two lines with a karaoke wipe over a clip, by stage, and of drawing them every frame."""
    import bench_overlay

    with tempfile.TemporaryDirectory() as name:
        speeds = bench_overlay.overlay(Path(name), arguments.width, arguments.height, arguments.frames)
    for stage, speed in speeds.items():
        print(f"  {stage:12}{speed:9.1f}" + (" times" if stage == "ratio" else " fps"))
    return {"height": arguments.height, "fps": speeds}


def lyrics(arguments: argparse.Namespace) -> dict[str, object]:
    """Errors of word times on the full mix: speech that is recognised, and songs whose words are known."""
    import bench_lyrics

    errors: dict[str, object] = {}
    for model in arguments.models:
        print(model.name)
        where = (model, arguments.folder, arguments.language)
        errors[model.name] = {"speech": bench_lyrics.speech(*where), "songs": bench_lyrics.songs(*where)}
    return {"errors": errors}


def engines(arguments: argparse.Namespace) -> dict[str, object]:
    """Time and memory of an engine's networks, random weights of the released shape; its authors' way beside it."""
    import torch

    _find_random_weights()
    import bench_engines

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    setup = bench_engines.Setup(arguments.frames, arguments.steps, arguments.reference, device)
    found: dict[str, Any] = bench_engines.ENGINES[arguments.engine](setup)
    for way in ("ours", "theirs"):
        if way in found:
            _table(f"{arguments.engine}, {way}: peak {found[way]['peak_mb']} MB", found[way]["ms"])
    return found


def deep_cache(arguments: argparse.Namespace) -> dict[str, object]:
    """How much time DeepCache saves of LatentSync's denoising, and how far its latents are from the full result's."""
    _find_random_weights()
    import bench_deep_cache

    found = bench_deep_cache.deep_cache(arguments.frames, arguments.steps)
    for interval, result in found.items():
        print(f"  deep_cache {interval}: {result['times']} times less time, {100 * result['distance']:.1f} % away")
    return {"frames": arguments.frames, "steps": arguments.steps, "intervals": found}


def _find_random_weights() -> None:
    """They are made where the tests are."""
    tests = Path(__file__).resolve().parent.parent / "tests"
    sys.path += [str(tests), str(tests / "goldens")]


def once(arguments: argparse.Namespace) -> dict[str, object]:
    """One run of `memory`, in a process of its own."""
    import bench_parts
    from peak_memory import PeakMemory

    count = CLIP_SECONDS * arguments.fps
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = (arguments.width, arguments.height, count, arguments.fps)
        clip = bench_parts.portrait_clip(folder / "part.mp4", *sizes, noise=0)  # noise costs time, not memory
        seconds = max(1, round(arguments.minutes * 60 / CLIP_SECONDS)) * CLIP_SECONDS
        video = bench_parts.looped(clip.video, CLIP_SECONDS, seconds // CLIP_SECONDS, folder / "long.mp4")
        with PeakMemory() as peak:
            spent = sum(_sync(video, clip.box, folder / "out.mp4", seconds, folder, "ultrafast").values())
    return {"peak_mb": round(peak.megabytes, 1), "fps": round(seconds * arguments.fps / spent, 1)}


def _sync(
    video: Path, box: tuple[int, int, int, int], path: Path, seconds: float, folder: Path, preset: str = "veryfast"
) -> dict[str, float]:
    """Seconds that each pass of the pipeline takes over `video` with stand-ins for all networks."""
    import bench_parts
    from lipsync_studio.pipelines.core.faces import SpeakerFaces
    from lipsync_studio.pipelines.core.host import PlainHost
    from lipsync_studio.pipelines.core.types import EncodeSettings
    from lipsync_studio.pipelines.faces.tracks import find_faces
    from lipsync_studio.pipelines.lipsync import lip_sync_video
    from lipsync_studio.pipelines.media.decode import open_video
    from lipsync_studio.pipelines.plan import LipSyncSettings

    audio = bench_parts.sound_on_disk(folder / "sound.f32", seconds)
    host, engine = PlainHost(), bench_parts.UnchangedEngine()
    started = time.perf_counter()
    clip = open_video(video)
    faces = SpeakerFaces(find_faces(clip, bench_parts.StillFinder(box), host))
    found = time.perf_counter()
    settings, encode = LipSyncSettings(), EncodeSettings(preset=preset)
    lip_sync_video(clip, faces, audio, engine, settings, path, encode, audio, host)
    ended = time.perf_counter()
    return {"pass 1: read, look": found - started, "pass 2: read, crop, blend, encode": ended - found}


def _per_frame(seconds: dict[str, float], frames: int) -> dict[str, float]:
    stages = {name: 1000 * spent / frames for name, spent in seconds.items()}
    return {name: round(spent, 2) for name, spent in {**stages, "total": sum(stages.values())}.items()}


def _table(title: str, stages: dict[str, float]) -> None:
    print(f"\n{title}")
    for name, spent in stages.items():
        print(f"  {name:34}{spent:9.2f} ms a frame")


def machine() -> dict[str, object]:
    """What a figure was measured on, and when."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    facts = {"system": platform.system(), "cores": os.cpu_count(), "gpu": gpu, "torch": torch.__version__}
    return {**facts, "date": time.strftime("%Y-%m-%d")}


def main() -> None:
    """Run one measurement."""
    environment.enter()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for measure in (pipeline, faces, engines, deep_cache, lyrics, memory, overlay, once):
        command = commands.add_parser(measure.__name__, help=measure.__doc__)
        command.set_defaults(measure=measure)
    for name, height in {"pipeline": 1080, "memory": 1080, "once": 1080, "overlay": 720}.items():
        commands.choices[name].add_argument("--width", type=int, default=height * 16 // 9)
        commands.choices[name].add_argument("--height", type=int, default=height)
    commands.choices["overlay"].add_argument("--frames", type=int, default=500)
    for name in ("memory", "once"):
        commands.choices[name].add_argument("--fps", type=int, default=25)
    commands.choices["faces"].add_argument("--heights", type=int, nargs="+", default=[720, 1080])
    commands.choices["faces"].add_argument("--frames", type=int, default=8, help="for the slow networks")
    commands.choices["faces"].add_argument("--embedded-frames", type=int, default=64, help="for the pack's own")
    commands.choices["lyrics"].add_argument("models", type=Path, nargs="+", help="folders of Whispers")
    commands.choices["lyrics"].add_argument("--folder", type=Path, required=True, help="sounds with known words")
    commands.choices["lyrics"].add_argument("--language", default="auto", help="ISO 639-1 code of all of them")
    commands.choices["engines"].add_argument("engine", choices=("musetalk", "latentsync", "wav2lip"))
    commands.choices["engines"].add_argument("--frames", type=int, default=8)
    commands.choices["engines"].add_argument("--steps", type=int, default=20, help="of LatentSync's denoising")
    commands.choices["engines"].add_argument("--reference", type=Path, help="a checkout of its authors' code")
    commands.choices["deep_cache"].add_argument("--frames", type=int, default=1)
    commands.choices["deep_cache"].add_argument("--steps", type=int, default=20)
    commands.choices["pipeline"].add_argument("--frames", type=int, default=100)
    commands.choices["memory"].add_argument("--minutes", type=float, nargs="+", default=[1, 60])
    commands.choices["once"].add_argument("minutes", type=float)
    for measure in (pipeline, faces, engines, deep_cache, lyrics, memory, overlay):
        commands.choices[measure.__name__].add_argument("--save", action="store_true", help="into docs and README")
    arguments = parser.parse_args()
    import torch
    from importable import make_importable

    make_importable(cpu=not torch.cuda.is_available())
    result = arguments.measure(arguments)
    if arguments.measure is once:
        print(json.dumps(result))
        return
    measured = {"machine": machine(), **result}
    print(json.dumps(measured))
    if arguments.save:
        name = f"engines_{arguments.engine}" if arguments.measure is engines else arguments.command
        write_measured.save(name, measured)


if __name__ == "__main__":
    main()
