"""The widgets that choose a weight file, and the words when it is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import folder_paths
from comfy_api.latest import io

from ..pipelines.weights.catalog import WeightFile
from ..pipelines.weights.installed import UNFINISHED

# Of models/: for weights that fit into none of ComfyUI's own folders.
OWN_FOLDER: Final = "lipsync"
folder_paths.add_model_folder_path(OWN_FOLDER, str(Path(folder_paths.models_dir) / OWN_FOLDER))


def file_input(name: str, folder: str, wanted: WeightFile) -> io.Combo.Input:
    """A list of the files in one of ComfyUI's model folders; a hint when there is none."""
    files = [name for name in folder_paths.get_filename_list(folder) if not name.endswith(UNFINISHED)]
    tooltip = f"{wanted.what[0].upper()}{wanted.what[1:]}. {wanted.advice}"
    return io.Combo.Input(name, options=files or [f"(models/{folder} is empty)"], tooltip=tooltip)


def missing(folder: str, name: str | None, wanted: WeightFile) -> str:
    """Why file `name` cannot be used; empty when it can, or when it is not known yet (another node gives it)."""
    if name is None or folder_paths.get_full_path(folder, name) is not None:
        return ""
    return f"Expected {wanted.what} in models/{folder}; found no {name}. {wanted.advice}"


def full_path(folder: str, name: str) -> Path:
    """Where the file is; raises FileNotFoundError when it is gone."""
    return Path(folder_paths.get_full_path_or_raise(folder, name))
