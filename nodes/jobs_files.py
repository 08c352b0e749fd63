"""The files of a job: streamed into a folder of its own under our names, or already in ComfyUI's input folder."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import folder_paths

from ..pipelines.core.errors import MediaError
from ..pipelines.media.sniff import sniff
from .jobs_errors import RequestError
from .jobs_journal import is_id
from .jobs_order import Role, shown

log = logging.getLogger(__name__)

FOLDER: Final = "lipsync_jobs"  # in ComfyUI's input folder
VIDEO_VARIABLE, AUDIO_VARIABLE = "LIPSYNC_STUDIO_MAX_VIDEO_MB", "LIPSYNC_STUDIO_MAX_AUDIO_MB"
MB: Final = 10**6
_ABANDONED_SECONDS = 24 * 3600  # a folder without a job that old is what a crash left

_WANTED: Final[dict[Role, str]] = {
    "video": "a video (MP4, MOV, WebM, MKV, AVI)",
    "image": "a still picture (PNG, JPEG, WebP, BMP, TIFF)",
    "audio": "a file with sound (WAV, MP3, FLAC, OGG, M4A, or a video)",
}


@dataclass(frozen=True)
class Limits:
    """Bytes of one file. A still picture may have as many as a video."""

    video: int = 500 * MB
    audio: int = 100 * MB

    @classmethod
    def of_environment(cls) -> Limits:
        """From the two variables, in MB. What is no number counts as not set."""
        return cls(_megabytes(VIDEO_VARIABLE, cls.video), _megabytes(AUDIO_VARIABLE, cls.audio))

    def of(self, role: Role) -> int:
        return self.audio if role == "audio" else self.video

    def check(self, role: Role, size: int) -> None:
        """Raises RequestError (413)."""
        if size > self.of(role):
            raise RequestError(
                413,
                "too_large",
                expected=f"{role}: at most {self.of(role) / MB:g} MB",
                got="more",
                next_step="Send a shorter or smaller file, or start ComfyUI with a higher "
                f"{AUDIO_VARIABLE if role == 'audio' else VIDEO_VARIABLE}.",
            )


@dataclass(frozen=True)
class Uploads:
    """What was uploaded for one job. Its folder comes with the first file."""

    job: str

    @property
    def folder(self) -> Path:
        return _root() / self.job

    async def receive(self, role: Role, pieces: AsyncIterator[bytes], limits: Limits) -> str:
        """Write a file as it comes; its name for a loader node. Raises RequestError (413)."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        size = 0
        with await asyncio.to_thread(open, self.folder / role, "xb") as file:
            async for piece in pieces:
                size += len(piece)
                limits.check(role, size)
                await asyncio.to_thread(file.write, piece)
        return f"{FOLDER}/{self.job}/{role}"

    def remove(self) -> None:
        """Nothing when there is nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)


def named_file(role: Role, name: str, limits: Limits) -> str:
    """A file of ComfyUI's input folder by its name there. Raises RequestError (400, 404, 413)."""
    path = _path(name)
    if path is None:
        raise RequestError(
            400,
            "bad_value",
            expected=f"{role}: the name of a file in ComfyUI's input folder",
            got=shown(name),
            next_step="Use the name that POST /upload/image answered.",
        )
    if not os.path.isfile(path):  # unlike Path.is_file, it raises nothing over a name that is too long
        raise RequestError(
            404,
            "file_not_found",
            expected=f"{role}: a file in ComfyUI's input folder",
            got=f"none called {shown(name)}",
            next_step="Upload it first (POST /upload/image), or send it with the job.",
        )
    limits.check(role, path.stat().st_size)
    return name


def check_contents(role: Role, name: str) -> None:
    """Look into a file of the input folder. Raises RequestError (415) when it is not what it is sent for."""
    path = _path(name)
    try:
        contents = None if path is None else sniff(path)
        fits = (
            contents is not None
            and {
                "video": contents.picture == "moving",
                "image": contents.picture == "still",
                "audio": contents.sound,
            }[role]
        )
        got = "a file that holds something else"
    except MediaError as error:
        fits, got = False, error.got
    if not fits:
        raise RequestError(
            415,
            "unsupported_media",
            expected=f"{role}: {_WANTED[role]}",
            got=got,
            next_step="Play it in a media player; if it plays there, convert it to one of these.",
        )


def remove_abandoned(known: set[str]) -> None:
    """Delete upload folders that a crash left: a day old, and of no job in `known`."""
    if not _root().is_dir():
        return
    for folder in _root().iterdir():
        with suppress(OSError):  # gone meanwhile
            if is_id(folder.name) and folder.name not in known and _age(folder) > _ABANDONED_SECONDS:
                Uploads(folder.name).remove()


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _root() -> Path:
    return Path(folder_paths.get_input_directory()) / FOLDER


def _path(name: str) -> Path | None:
    """Where a name of the input folder leads; None when it leads anywhere else."""
    if not name or folder_paths.annotated_filepath(name)[1] is not None:  # "x.mp4 [output]" is in another folder
        return None
    try:
        return Path(folder_paths.get_annotated_filepath(name))
    except ValueError:
        return None


def _megabytes(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    try:
        return max(1, round(float(text) * MB))
    except (ValueError, OverflowError):  # no number, NaN or infinite
        log.warning("LipSync Studio: %s is not a number of MB; taken as %g", variable, default / MB)
        return default
