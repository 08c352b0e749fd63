"""Whether a weight file is on the disk, and whether it is whole. The caller says where ComfyUI keeps its models."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..core.errors import WeightsError
from .catalog import CATALOG
from .weight_file import WeightFile

State = Literal["installed", "alternative", "other", "missing"]

PART_SUFFIX = ".part"
UNFINISHED = (PART_SUFFIX, ".lock")  # endings of what a download leaves beside a file while it runs
_PIECE = 2**22  # bytes read at once

# Some files have the same size (tokenizers, renamed copies), so that the size tells nothing of them.
_SIZES = Counter((file.category, file.size) for file in CATALOG.values())


@dataclass(frozen=True)
class Found:
    """A file as it was found.

    state: "installed" with the size that the catalog says; "alternative" when another file that does is there; "other"
    when a file of another size lies in its place (a conversion, or half a file: its loader will tell); "missing".
    path: None when missing. part: bytes of it that an interrupted download left.
    """

    state: State
    path: Path | None
    part: int = 0


def target(file: WeightFile, roots: Sequence[Path]) -> Path:
    """Where the file goes. roots: the folders that ComfyUI searches for its category, at least one.

    ComfyUI keeps some categories in two folders, the older name first ("unet", "diffusion_models").
    """
    root = next((root for root in roots if root.name == file.category), roots[0])
    return root / file.place


def part_of(path: Path) -> Path:
    """Where what has come of `path` is kept until it is whole."""
    return path.with_name(path.name + PART_SUFFIX)


def find(file: WeightFile, roots: Sequence[Path], listed: Iterable[Path]) -> Found:
    """The file in its place or, under any name, by its size. listed: every file of its category."""
    part = _size(part_of(target(file, roots)))
    places = [root / file.place for root in roots]
    here = next((place for place in places if _size(place) == file.size), None)
    whole = (path for path in listed if not path.name.endswith(UNFINISHED))
    sizes = {path: _size(path) for path in whole} if here is None else {}
    telling = _SIZES[file.category, file.size] == 1
    here = here or next((path for path, size in sizes.items() if telling and size == file.size), None)
    if here is not None:
        return Found("installed", here, part)
    other = next((path for path, size in sizes.items() if _is_alternative(file, path, size)), None)
    if other is not None:
        return Found("alternative", other, part)
    other = next((place for place in places if place.is_file()), None)
    return Found("missing" if other is None else "other", other, part)


def verify(file: WeightFile, path: Path, progress: Callable[[int, int], None]) -> None:
    """Read the file at `path` and compare its hash; raises WeightsError when they differ.

    progress: called with the bytes read and all bytes; what it raises ends the reading.
    """
    digest, total = hashlib.sha256(), path.stat().st_size
    progress(0, total)
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
            progress(opened.tell(), total)
    if digest.hexdigest() != file.sha256:
        raise WeightsError(
            expected=f"{file.what} with the SHA-256 {file.sha256[:12]}…",
            got=f"{path.name} ({total / 1e6:,.1f} MB) with {digest.hexdigest()[:12]}…",
            next_step="It is another version, a conversion or damaged. For the original, delete it and download it.",
        )


def walk(roots: Sequence[Path]) -> list[Path]:
    """Every file below `roots`, for callers without ComfyUI's own lists."""
    walks = (step for root in roots for step in os.walk(root, followlinks=True))
    return [Path(folder, name) for folder, _, names in walks for name in sorted(names)]


def free_space(path: Path) -> int:
    """Bytes that are free where `path` will be: on the disk of its nearest folder that exists."""
    return shutil.disk_usage(next(folder for folder in (path, *path.parents) if folder.exists())).free


def _is_alternative(file: WeightFile, path: Path, size: int) -> bool:
    """By the size where it is known: "diffusion_pytorch_model.safetensors" is the name of very many files."""
    return any(size == other.size if other.size else path.name == other.name for other in file.alternatives)


def _size(path: Path) -> int:
    """0 for a file that is not there."""
    try:
        return path.stat().st_size if path.is_file() else 0
    except OSError:
        return 0
