"""Files in ComfyUI's temp folder that go when nobody can ask for them any more."""

from __future__ import annotations

import contextlib
import weakref
from pathlib import Path
from uuid import uuid4

import folder_paths
from comfy_api.latest import Input, InputImpl


def temp_video() -> Path:
    """A new name for an MP4 in ComfyUI's temp folder, which ComfyUI empties when it starts."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)  # ComfyUI itself makes it only when a node of its own needs it
    return folder / f"lipsync_{uuid4().hex}.mp4"


def passing_video(path: Path) -> Input.Video:
    """The VIDEO in the file `path`, which is deleted with the last VIDEO of it: this one, or one trimmed from it.

    So a host that runs for weeks keeps no more of them than it has in its cache.
    """
    name = _FileName(path)
    delete_with(name, path)
    return InputImpl.VideoFromFile(name)


def delete_with(owner: object, path: Path) -> None:
    """Delete the file `path` when `owner` is gone."""
    weakref.finalize(owner, _delete, path)


class _FileName(str):
    """A file name that can be watched. ComfyUI hands the same one on to every VIDEO that it trims from another."""


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows deletes no file that is being read: it goes with the temp folder
        path.unlink(missing_ok=True)
