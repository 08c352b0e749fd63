"""Downloads the weights that you name, with their hashes checked. Run it with ComfyUI's own Python.

python tools/download_models.py                        what there is, and what is here
python tools/download_models.py musetalk --dry-run     what would be downloaded, and how much room there is
python tools/download_models.py musetalk s3fd          an engine with all its files, and one file by its name

A download that ends early goes on where it stopped. HF_ENDPOINT or --endpoint choose a mirror of Hugging Face; HF_TOKEN
is your account there; no file needs one, and a mirror is sent it, too.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent

sys.path.append(str(PACK))  # the weights need nothing of ComfyUI; at the end, for ComfyUI has a `nodes` of its own
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # there is one below
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # else the hub hears which libraries and tools are here

from pipelines.core.errors import LipSyncError  # noqa: E402
from pipelines.weights.bundles import BUNDLES  # noqa: E402
from pipelines.weights.catalog import CATALOG  # noqa: E402
from pipelines.weights.installed import Found, find, free_space, target, verify, walk  # noqa: E402
from pipelines.weights.weight_file import WeightFile  # noqa: E402

# ComfyUI looks for some models in an older folder too.
OLDER_FOLDERS = {"diffusion_models": ("unet",)}

DRAWN_EVERY = 0.2  # seconds between two states of the line on a terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all that was asked for is here, 1 when something failed."""
    given = _parser().parse_args(arguments)
    models = given.models or _models_folder()
    if models is None or not models.is_dir():
        sys.exit("Where is ComfyUI? Give its models folder with --models, or set COMFYUI_PATH to ComfyUI's own folder.")
    if not given.names:
        _print_all(models)
        return 0
    files = _chosen(given.names)
    if given.dry_run:
        _print_plan(files, models)
        return 0
    try:
        return max([_verify(file, models) if given.verify else _get(file, models, given.endpoint) for file in files])
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130


def _parser() -> argparse.ArgumentParser:
    names = f"engines and parts: {', '.join(BUNDLES)}. Files: {', '.join(CATALOG)}. docs/weights.md tells more of each."
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=names, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="an engine, a part or a file; see below")
    parser.add_argument("--models", type=Path, help="ComfyUI's models folder; extra_model_paths.yaml is not read")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--verify", action="store_true", help="check the hashes of what is here; download nothing")
    parser.add_argument("--endpoint", help="a mirror of Hugging Face, for example https://hf-mirror.com")
    return parser


def _models_folder() -> Path | None:
    """Of the ComfyUI that COMFYUI_PATH names, or that this pack is in; None when there is none."""
    if comfyui := os.environ.get("COMFYUI_PATH"):
        return Path(comfyui) / "models"
    return PACK.parent.parent / "models" if PACK.parent.name == "custom_nodes" else None


def _chosen(names: Sequence[str]) -> list[WeightFile]:
    """The files behind the names, each once, in their order."""
    unknown = [name for name in names if name not in BUNDLES and name not in CATALOG]
    if unknown:
        sys.exit(
            f"No engine, part or file is called {', '.join(unknown)}. There are: {', '.join([*BUNDLES, *CATALOG])}."
        )
    groups = [BUNDLES[name].files if name in BUNDLES else (CATALOG[name],) for name in names]
    return list(dict.fromkeys(file for group in groups for file in group))


def _roots(file: WeightFile, models: Path) -> list[Path]:
    return [models / name for name in (file.category, *OLDER_FOLDERS.get(file.category, ()))]


def _find(file: WeightFile, models: Path) -> Found:
    roots = _roots(file, models)
    return find(file, roots, walk(roots))


def _print_all(models: Path) -> None:
    print("Engines and parts")
    for key, bundle in BUNDLES.items():
        there = sum(_find(file, models).state in ("installed", "alternative") for file in bundle.files)
        state = f"{there} of {len(bundle.files)} files here" if bundle.files else "needs no files"
        later = "" if bundle.is_usable else "; no node uses it yet"
        print(f"  {key:<20} {bundle.label:<24} {_size(bundle.size):>9}  {state}{later}")
    print("\nFiles")
    for key, file in CATALOG.items():
        print(f"  {key:<24} {_size(file.size):>9}  {_find(file, models).state:<12} commercial use: {file.commercial}")


def _print_plan(files: Sequence[WeightFile], models: Path) -> None:
    needed = 0
    for file in files:
        found = _find(file, models)
        here = found.state in ("installed", "alternative")
        missing = 0 if here else file.size - found.part
        needed += missing
        what = "is here" if here else f"{_size(missing)} to download" + (" (the rest is here)" if found.part else "")
        print(f"  {file.folder}/{file.name}: {what}. {file.licence}. Commercial use: {file.commercial}.")
    free = free_space(models)
    print(f"{_size(needed)} to download, {_size(free)} free{'' if needed < free else ': NOT ENOUGH ROOM'}.")


def _get(file: WeightFile, models: Path, endpoint: str | None) -> int:
    from pipelines.weights.download import Hub, download  # huggingface_hub takes its time

    found = _find(file, models)
    if found.state in ("installed", "alternative"):
        print(f"{file.name}: is here ({found.path}).")
        return 0
    path = target(file, _roots(file, models))
    print(f"{file.name}: {_size(file.size)} from {file.repo} to {path.parent}")
    return _told(lambda line: download(file, path, line, Hub(endpoint)))


def _verify(file: WeightFile, models: Path) -> int:
    found = _find(file, models)
    if found.path is None:
        print(f"{file.name}: is not here.")
        return 1
    path = found.path
    print(f"{file.name}: {path}")
    return _told(lambda line: verify(file, path, lambda done, total: line("checking", done, total)))


class _Line:
    """How far one file is. Without a terminal (a log file), each stage once."""

    def __init__(self) -> None:
        self._stage = ""
        self._drawn = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if not sys.stdout.isatty():
            if stage != self._stage:
                print(f"  {stage} {_size(done)} of {_size(total)}", flush=True)
        elif now - self._drawn > DRAWN_EVERY or done == total:
            self._drawn = now
            print(f"\r  {stage:<12} {done / (total or 1):4.0%}  {_size(done)} of {_size(total)}   ", end="", flush=True)
        self._stage = stage

    def end(self, words: str) -> None:
        """The last words on it."""
        print(f"{chr(10) if sys.stdout.isatty() else ''}  {words}", flush=True)


def _told(work: Callable[[_Line], None]) -> int:
    line = _Line()
    try:
        work(line)
    except (LipSyncError, OSError) as error:
        line.end(str(error))
        return 1
    line.end("whole, with the right hash")
    return 0


def _size(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


if __name__ == "__main__":
    sys.exit(main())
