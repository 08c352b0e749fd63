"""Writes the README's table of measurements from docs/measured/, so that no figure in it is typed by hand.

python tools/write_measured.py             write the table
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

PACK = Path(__file__).resolve().parent.parent
FOLDER = PACK / "docs" / "measured"
README = PACK / "README.md"
BEGIN = "<!-- Written by tools/write_measured.py from docs/measured/. -->\n"
END = "<!-- End of what is written. -->\n"

Result = Mapping[str, Any]  # what a measurement of bench.py prints as JSON
Row = tuple[str, str]  # what was measured, what came out


def save(name: str, result: Result) -> None:
    """Keep the result of `bench.py name` and write the table again."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    write()


def write() -> None:
    """Put the table into the README. Raises ValueError when its marks are missing there."""
    page = README.read_text(encoding="utf-8")
    README.write_text(replaced(page), encoding="utf-8")


def replaced(page: str) -> str:
    """`page` with the table between its marks. Raises ValueError when they are missing."""
    before, after = page.index(BEGIN) + len(BEGIN), page.index(END)
    return page[:before] + render() + page[after:]


def render() -> str:
    """The table as Markdown."""
    lines = ["| what | result | measured |", "|---|---|---|"]
    for name, rows in ROWS.items():
        path = FOLDER / f"{name}.json"
        if path.is_file():
            result = json.loads(path.read_text(encoding="utf-8"))
            lines += [f"| {what} | {came} | {_where(result['machine'])} |" for what, came in rows(result)]
    return "\n".join(lines) + "\n"


def _where(machine: Result) -> str:
    what = machine["gpu"] or f"{machine['cores']} CPU cores"
    return f"{machine['date']}, {what}, {machine['system']}, PyTorch {machine['torch']}"


def _pipeline(result: Result) -> Iterator[Row]:
    ours, theirs = result["ours_ms"]["total"], result["reference_ms"]["total"]
    yield (
        f"Time outside the networks at {result['height']}p, against MuseTalk's own way on the same clip (PNG files, "
        "whole-frame blending, two encodes)",
        f"{ours:.0f} ms against {theirs:.0f} ms a frame: {result['ratio']:.0f} times less ({result['frames']} frames)",
    )


def _memory(result: Result) -> Iterator[Row]:
    peaks = ", ".join(f"{float(minutes):g} min {run['peak_mb']:.0f} MB" for minutes, run in result["runs"].items())
    yield (
        f"Peak private memory of the process at {result['height']}p, {result['fps']} fps, with stand-ins for the "
        "networks",
        f"{peaks}: {100 * result['growth']:+.1f} %",
    )


def _faces(result: Result) -> Iterator[Row]:
    for height, found in result.items():
        if height == "machine":
            continue
        stages = ", ".join(f"{name} {spent:.0f}" for name, spent in found["embedded_ms"].items() if name != "total")
        yield (
            f"Finding faces at {height} with the pack's own detectors",
            f"{found['embedded_ms']['total']:.0f} ms a frame: {stages}",
        )
        fast, exact = found["ratios"].values()
        yield (
            f"Finding faces at {height} with MuseTalk's detectors (S3FD, DWPose; same random weights), against its way",
            f"{fast:.1f} times less time, where ours shows S3FD pictures of 512 px; {exact:.1f} times with `exact` on "
            "(S3FD at full size)",
        )


def _engine(label: str) -> Callable[[Result], Iterator[Row]]:
    def rows(result: Result) -> Iterator[Row]:
        ours, theirs = result["ours"], result.get("theirs")
        stages = ", ".join(f"{name} {spent:.0f}" for name, spent in ours["ms"].items() if name != "total")
        came = f"{ours['ms']['total']:.0f} ms a frame ({stages}), {ours['peak_mb'] / 1000:.1f} GB at most"
        if theirs is not None:
            came += f"; its authors' code {theirs['ms']['total']:.0f} ms, {theirs['peak_mb'] / 1000:.1f} GB"
        steps = f", {result['steps']} steps" if "steps" in result else ""
        yield (
            f"{label}'s networks, random weights of full shape, {result['frames']} frames{steps}",
            came,
        )

    return rows


def _deep_cache(result: Result) -> Iterator[Row]:
    gains = ", ".join(
        f"{interval}: {found['times']} times less time, latents {100 * found['distance']:.1f} % away"
        for interval, found in result["intervals"].items()
    )
    yield (
        f"LatentSync's `deep_cache`, random weights of full shape, {result['frames']} frame, {result['steps']} steps",
        gains,
    )


def _lyrics(result: Result) -> Iterator[Row]:
    for model, found in result["errors"].items():
        for name, errors in found["speech"].items():
            yield (
                f"Word Timestamps with {model} on {name} (speech with known word times)",
                f"words begin {errors['onset']:.0f} ms off on average; {errors['heard']:.0f} % of them heard right",
            )
        for name, errors in found["songs"].items():
            yield (
                f"Align Lyrics with {model} on {name} (song, full mix)",
                f"{errors['within 0.3']:.0f} % of the words within 0.3 s, {errors['within 0.1']:.0f} % within 0.1 s",
            )


def _overlay(result: Result) -> Iterator[Row]:
    speeds = result["fps"]
    yield (
        f"Lyric Overlay at {result['height']}p, two lines with a karaoke wipe, read and written as H.264 (ultrafast), "
        "against drawing every frame anew with Pillow",
        f"{speeds['video']:.0f} against {speeds['naive']:.0f} frames a second",
    )


def _soak(result: Result) -> Iterator[Row]:
    early, late = result["early"], result["late"]
    yield (
        f"{result['prompts']:,} prompts through one ComfyUI (draft engine, short clips; its history is cleared after "
        "each): what it holds in the second and in the last tenth",
        f"{early['mb']:.0f} and {late['mb']:.0f} MB; {early['handles']:.0f} and {late['handles']:.0f} open files and "
        f"sockets; {early['temp']:.0f} and {late['temp']:.0f} files in the temp folder",
    )


ROWS: Mapping[str, Callable[[Result], Iterator[Row]]] = {
    "pipeline": _pipeline,
    "memory": _memory,
    "faces": _faces,
    "engines_musetalk": _engine("MuseTalk"),
    "engines_latentsync": _engine("LatentSync"),
    "deep_cache": _deep_cache,
    "engines_wav2lip": _engine("Wav2Lip"),
    "lyrics": _lyrics,
    "overlay": _overlay,
    "soak": _soak,
}

if __name__ == "__main__":
    write()
