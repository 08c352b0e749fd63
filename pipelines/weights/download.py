"""Fetching a weight file when somebody asks for it: whole and with the right hash, or not at all.

huggingface_hub does the transfer. Its own `hf_hub_download` begins anew each time it is called and keeps a second copy
under the user's cache, so this uses the step below it, which goes on from what is there and writes where it is told.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from huggingface_hub import get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from ..core.errors import WeightsError
from .installed import free_space, part_of, verify
from .weight_file import Source, WeightFile

Stage = Literal["downloading", "checking"]
Progress = Callable[[Stage, int, int], None]
"""Called often with the stage, the bytes done and all bytes. What it raises ends the download; what came is kept."""

# What goes wrong on the way: OSError from requests, or the root of httpx's errors, as the version of the hub has it.
_NETWORK_ERRORS: tuple[type[Exception], ...] = (OSError, HfHubHTTPError.__mro__[1])

_NO_ROOM = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))  # Windows has no quota error
_AGAIN = (408, 429)  # HTTP: too slow, too often
_SPARE = 50_000_000  # bytes that stay free


class DownloadError(WeightsError):
    """A weight file could not be fetched."""


class SourceError(DownloadError):
    """It cannot be had from this source; another may have it."""


@dataclass(frozen=True)
class Hub:
    """Which hub is asked, and how patiently.

    endpoint: its address; None = HF_ENDPOINT, else Hugging Face. pauses: seconds before each further attempt after the
    connection fails; huggingface_hub itself goes on five times before that counts.
    """

    endpoint: str | None = None
    pauses: tuple[float, ...] = (1.0, 5.0, 15.0)


def download(file: WeightFile, path: Path, progress: Progress, hub: Hub | None = None) -> None:
    """Put `file` at `path`. Until it is whole it is called `<name>.part`, which a later call goes on with.

    Raises DownloadError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            _check_free_name(path)
            _make_whole(file, part_of(path), progress, hub or Hub())
            _check_free_name(path)  # it took long
            os.replace(part_of(path), path)
    except OSError as error:  # those of the network are SourceErrors by now
        raise _disk_error(error) from error


def _check_free_name(path: Path) -> None:
    if path.exists():
        raise DownloadError(
            expected=f"no {path.name} in its folder yet",
            got=f"one of {path.stat().st_size / 1e6:,.1f} MB",
            next_step="Move it away or delete it first: nothing is overwritten.",
        )


def _make_whole(file: WeightFile, part: Path, progress: Progress, hub: Hub) -> None:
    """Fill the part from the first source that can, and check it."""
    if _came(part) >= file.size:
        if _is_right(file, part, progress):
            return
        part.unlink()
    refused: list[SourceError] = []
    for source in file.sources:
        try:
            _check_room(file, part)
            _fetch(source, file, part, progress, hub)
            return
        except SourceError as error:
            refused.append(error)
            if _came(part) > file.size:
                part.unlink()
    raise refused[0]


def _fetch(source: Source, file: WeightFile, part: Path, progress: Progress, hub: Hub) -> None:
    """What is still missing of the part, from one source, with pauses where the connection fails."""
    url = hf_hub_url(source.repo, source.path, revision=source.revision, endpoint=hub.endpoint)
    _check_address(url)
    leftover = _came(part)
    for pause in (*hub.pauses, None):
        try:
            _transfer(url, file, part, progress)
            break
        except _NETWORK_ERRORS as error:
            refusal = _refusal(error, source, url)
            if refusal is not None or pause is None:
                raise refusal or _unreachable(error, file, url) from error
            _wait(pause, file, part, progress)
    if not _is_right(file, part, progress):
        part.unlink()
        if leftover:  # of another version, or damaged: once more without it
            return _fetch(source, file, part, progress, hub)
        raise _wrong_file(file, source, "other bytes, which were thrown away")


def _transfer(url: str, file: WeightFile, part: Path, progress: Progress) -> None:
    announced = get_hf_file_metadata(url)
    etag = announced.etag or ""
    # Large files have their SHA-256 for a tag, small ones git's own hash.
    if (len(etag) == 64 and etag != file.sha256) or announced.size not in (None, file.size):
        raise _wrong_file(file, None, f"{announced.size or 0:,} bytes tagged {etag[:12]}…")

    def told(done: int) -> None:
        if done > file.size:  # an answer without an end would fill the disk
            raise _wrong_file(file, None, "more bytes")
        progress("downloading", done, file.size)

    with _Part(part, told) as out:
        # The address itself and not where it leads to: such links expire, and only the hub may see a token.
        http_get(url, out, resume_size=out.tell(), headers=build_hf_headers(), expected_size=file.size)


class _Part(FileIO):
    """Appends to a file and tells how long it is. Raises DownloadError when the disk does not take it."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        try:
            super().__init__(path, "ab")
        except OSError as error:
            raise _disk_error(error) from error
        self._told = told
        told(self.tell())

    def write(self, piece: Any) -> int:  # noqa: ANN401 - FileIO's own type differs between versions of Python
        """All of it: a nearly full disk takes a part first and says no to the rest."""
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[super().write(rest) :]
        except OSError as error:
            raise _disk_error(error) from error
        self._told(self.tell())
        return len(piece)


def _is_right(file: WeightFile, part: Path, progress: Progress) -> bool:
    try:
        verify(file, part, lambda done, total: progress("checking", done, total))
    except WeightsError:
        return False
    return True


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Nobody else fetches the same file meanwhile: two would write into one part."""
    lock = path.with_name(path.name + ".lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                if os.name != "nt":  # Windows keeps what is open, and FileLock deletes it there
                    lock.unlink(missing_ok=True)
    except Timeout:
        raise DownloadError(
            expected=f"to be the only one that downloads {path.name}",
            got="another download of it that is running",
            next_step="Wait for that one, in another ComfyUI or in tools/download_models.py.",
        ) from None


def _wait(seconds: float, file: WeightFile, part: Path, progress: Progress) -> None:
    """Goes on telling how far it is, so that it can be ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        progress("downloading", _came(part), file.size)
        time.sleep(min(0.2, seconds))


def _came(part: Path) -> int:
    """Bytes that are there."""
    return part.stat().st_size if part.exists() else 0


def _check_address(url: str) -> None:
    if not url.startswith(("https://", "http://")):
        raise DownloadError(
            expected="the address of a hub, such as https://hf-mirror.com",
            got="one that does not begin with https://",
            next_step="Correct HF_ENDPOINT or --endpoint.",
        )


def _check_room(file: WeightFile, part: Path) -> None:
    missing = file.size - _came(part)
    free = free_space(part)
    if missing + _SPARE > free:
        raise DownloadError(
            expected=f"{missing / 1e9:.2f} GB of free disk space for {file.name}, and a little more",
            got=f"{free / 1e9:.2f} GB",
            next_step="Free some space, or keep models on another disk (extra_model_paths.yaml).",
        )


def _disk_error(error: OSError) -> DownloadError:
    if error.errno in _NO_ROOM:
        return DownloadError(
            expected="room on the disk for the whole file",
            got="a full disk",
            next_step="Free some space and download again: it goes on where it stopped. The .part file is what came.",
        )
    return DownloadError(
        expected="a models folder that can be written",
        got=error.strerror or type(error).__name__,
        next_step="Give ComfyUI's user the right to write there, or keep models elsewhere (extra_model_paths.yaml).",
    )


def _refusal(error: Exception, source: Source, url: str) -> SourceError | None:
    """Why asking again is of no use; None when it may be."""
    wanted = f"{source.path} of {source.repo}"
    host = urlsplit(url).hostname
    if isinstance(error, GatedRepoError):
        return SourceError(
            expected=wanted,
            got=f"that {host} gives it only to those who have accepted its terms (gated)",
            next_step=f"Accept them at https://huggingface.co/{source.repo}, then set HF_TOKEN to a token of your "
            "account, or run `hf auth login`, where ComfyUI runs.",
        )
    if isinstance(error, (RepositoryNotFoundError, RevisionNotFoundError, EntryNotFoundError)):
        missing = "repository" if isinstance(error, RepositoryNotFoundError) else "file"
        return SourceError(
            expected=wanted,
            got=f"no such {missing} at {host}",
            next_step="It was moved or made private. Update LipSync Studio, or get the file elsewhere: docs/weights.md "
            "names its hash and other places.",
        )
    if isinstance(error, OfflineModeIsEnabled):
        return SourceError(
            expected="to be allowed to use the internet",
            got="HF_HUB_OFFLINE set to 1",
            next_step="Start ComfyUI without it, or put the file into its folder yourself (docs/weights.md).",
        )
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int) and 400 <= status < 500 and status not in _AGAIN:
        return SourceError(
            expected=wanted,
            got=f"HTTP {status} from {host}",
            next_step="If HF_TOKEN is set, check that it is still valid; else try again later.",
        )
    return None


def _unreachable(error: Exception, file: WeightFile, url: str) -> SourceError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return SourceError(
        expected=f"all of {file.name} from {urlsplit(url).hostname}",
        got=f"HTTP {status}" if status else "a connection that fails or breaks off",
        next_step="Download again: it goes on where it stopped. Where Hugging Face cannot be reached, set HF_ENDPOINT "
        "to a mirror (https://hf-mirror.com, for example) and start ComfyUI again.",
    )


def _wrong_file(file: WeightFile, source: Source | None, got: str) -> SourceError:
    return SourceError(
        expected=f"{file.what}, {file.size:,} bytes with the SHA-256 {file.sha256[:12]}…",
        got=got if source is None else f"{got}, from {source.repo}",
        next_step="The file there has changed, or something on the way alters it. Update LipSync Studio, or try "
        "another network or mirror (HF_ENDPOINT).",
    )
