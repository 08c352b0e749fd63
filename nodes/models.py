"""The weight files in this ComfyUI's folders, for the models panel."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import comfy.model_management
import folder_paths
import torch
from server import PromptServer

from ..pipelines.core.errors import InputError
from ..pipelines.weights.bundles import BUNDLES, Bundle, fit
from ..pipelines.weights.catalog import CATALOG
from ..pipelines.weights.installed import Found, find, free_space, target
from ..pipelines.weights.jobs import Job, Jobs, Kind
from ..pipelines.weights.weight_file import WeightFile

NEWS = "lipsync_studio.models.job"  # the message to the editor with each change of a job
HERE = ("installed", "alternative")


def _tell(job: Job) -> None:
    PromptServer.instance.send_sync(NEWS, asdict(job))


JOBS = Jobs(_tell)


def start(kind: Kind, key: str) -> Job:
    """Download or verify a file of the catalog. Raises InputError."""
    file = CATALOG.get(key)
    if file is None:
        raise InputError(expected="a file of the catalog", got=repr(key[:40]), next_step="Reload the page.")
    if not file.uses:
        raise InputError(
            expected="a file that a node of this pack takes",
            got=file.what,
            next_step="tools/download_models.py fetches it all the same.",
        )
    found = _found(file)
    if kind == "download" and found.state == "installed":
        raise InputError(expected=f"no {file.name} yet", got="one that is installed", next_step="Verify it.")
    if kind == "download":
        return JOBS.start(kind, key, file, target(file, _roots(file)))
    if found.path is None:
        raise InputError(expected=file.name, got="no such file", next_step="Download it first.")
    return JOBS.start(kind, key, file, found.path)


def snapshot() -> dict[str, Any]:
    """All that the panel shows, as JSON values. No path but those inside ComfyUI's model folders."""
    files = {key: file for key, file in CATALOG.items() if file.uses}
    found = {key: _found(file) for key, file in files.items()}
    name, vram = _card()
    return {
        "files": [_described(key, file, found[key]) for key, file in files.items()],
        "engines": [_engine(key, bundle, found, vram) for key, bundle in BUNDLES.items() if bundle.is_usable],
        "jobs": [asdict(job) for job in JOBS.all()],
        "card": {"name": name, "vram": vram},
        "free": free_space(Path(folder_paths.models_dir)),
    }


def states() -> dict[str, str]:
    """The state of every file that nodes take, by name."""
    return {key: _found(file).state for key, file in CATALOG.items() if file.uses}


def path_of(file: WeightFile) -> Path | None:
    """Where a file of the catalog, or one that does in its place, lies; None when there is none."""
    return _found(file).path


def _described(key: str, file: WeightFile, found: Found) -> dict[str, Any]:
    return {
        "key": key,
        "what": file.what,
        "name": file.name,
        "folder": file.folder,
        "size": file.size,
        "page": f"https://huggingface.co/{file.repo}",
        "repo": file.repo,
        "licence": file.licence,
        "commercial": file.commercial,
        "uses": [asdict(use) for use in file.uses],
        "alternatives": [f"{other.name}: {other.note}" for other in file.alternatives],
        "state": found.state,
        "found": _shown(file, found.path) if found.path else "",
        "part": found.part,
    }


def _engine(key: str, bundle: Bundle, found: dict[str, Found], vram: int) -> dict[str, Any]:
    keys = [name for name, file in CATALOG.items() if file in bundle.files]
    missing = [name for name in keys if found[name].state not in HERE]
    return {"key": key, "label": bundle.label, "files": keys, "missing": missing, "fit": fit(bundle, vram)}


def _found(file: WeightFile) -> Found:
    roots = _roots(file)
    if file.category not in folder_paths.folder_names_and_paths:
        return find(file, roots, [])
    names = folder_paths.get_filename_list(file.category)
    listed = (folder_paths.get_full_path(file.category, name) for name in names)
    return find(file, roots, [Path(path) for path in listed if path is not None])


def _roots(file: WeightFile) -> list[Path]:
    if file.category in folder_paths.folder_names_and_paths:
        return [Path(path) for path in folder_paths.get_folder_paths(file.category)]
    return [Path(folder_paths.models_dir) / file.category]


def _shown(file: WeightFile, path: Path) -> str:
    """The path inside the folder of its category."""
    root = next((root for root in _roots(file) if path.is_relative_to(root)), path.parent)
    return f"{file.category}/{path.relative_to(root).as_posix()}"


def _card() -> tuple[str, int]:
    """The name of what ComfyUI computes on, and its bytes of video memory; 0 for the CPU."""
    device = comfy.model_management.get_torch_device()
    if device.type == "cpu":
        return "CPU", 0
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return name, int(comfy.model_management.get_total_memory(device))
