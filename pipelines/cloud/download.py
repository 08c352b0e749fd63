"""Fetching a result: from known hosts only, bounded in bytes and time, a whole file or none."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from urllib.parse import urljoin

import requests

from ..core.errors import CloudError, MediaError
from .failures import RefusedError, UnansweredError
from .pace import Pace
from .service import Service
from .transport import WithoutKey, opened, pieces
from .waiting import Watcher, in_background

_MOST_REDIRECTS = 3
_EXPIRED = (401, 403, 404, 410)  # what stores answer to a link that is too old


class LinkExpiredError(CloudError):
    """The link to the result is too old; a fresh one is needed."""


def download(url: str, path: Path, service: Service, pace: Pace, watcher: Watcher) -> None:
    """Write what is at `url` to `path`, without credentials; until it is whole it is called `<name>.part`.

    Raises LinkExpiredError, UnansweredError when trying again may help, CloudError when not. Leaves no file then.
    """
    part = path.with_name(f"{path.name}.part")
    got = _Counter()

    def work(stop: threading.Event) -> None:
        try:
            _fetch(url, part, service, pace, got, stop)
            if not stop.is_set():
                os.replace(part, path)
        except OSError as error:  # those of the network are UnansweredError by now
            raise MediaError(
                expected="a folder that can be written",
                got=error.strerror or type(error).__name__,
                next_step="Free some space on the disk of ComfyUI's temp folder; run again to fetch the paid result.",
            ) from None
        finally:
            part.unlink(missing_ok=True)

    in_background(work, watcher, lambda: watcher.say(f"Downloading, {got.bytes / 1e6:.1f} MB"))


class _Counter:
    bytes = 0


def _fetch(url: str, part: Path, service: Service, pace: Pace, got: _Counter, stop: threading.Event) -> None:
    for _ in range(_MOST_REDIRECTS + 1):
        _check_host(url, service)
        with opened(service, pace, WithoutKey(), "GET", url) as response:
            if response.is_redirect:
                url = _moved(url, response.headers["Location"])
                continue
            _check(response, pace)
            with part.open("wb") as file:
                for piece in pieces(response, pace.file_bytes, pace.file, stop):
                    file.write(piece)
                    got.bytes += len(piece)
            _check_whole(response, part.stat().st_size)
            return
    raise CloudError(
        expected="the result",
        got="one redirect after another",
        next_step="Run again: the paid result is fetched again.",
    )


def _moved(url: str, place: str) -> str:
    try:
        return urljoin(url, place)
    except ValueError:  # no address; that is said by who looks at it
        return place


def _check_host(url: str, service: Service) -> None:
    if not service.may_download(url):
        raise CloudError(
            expected="a result at one of D-ID's own addresses",
            got="a link to somewhere else" if url else "no link",
            next_step="Fetch it from your account at D-ID.",
        )


def _check(response: requests.Response, pace: Pace) -> None:
    status, kind = response.status_code, response.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if status in _EXPIRED:
        raise LinkExpiredError(expected="the result", got=f"HTTP {status}", next_step="Run again for a fresh link.")
    if status != 200:
        raise RefusedError(status, expected="the result", got=f"HTTP {status}", next_step="Run again in a minute.")
    if not kind.startswith("video/") and kind not in ("application/octet-stream", "binary/octet-stream"):
        raise CloudError(
            expected="a video",
            got=f"content of the type {kind[:40] or 'unknown'}",
            next_step="Look at the talk in your account at D-ID.",
        )
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) > pace.file_bytes:
        raise CloudError(
            expected=f"a result of at most {pace.file_bytes / 1e6:.0f} MB",
            got=f"{int(length) / 1e6:.0f} MB",
            next_step="Fetch it from your account at D-ID.",
        )


def _check_whole(response: requests.Response, size: int) -> None:
    length = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    if size == 0 or (length.isdecimal() and not encoded and int(length) != size):
        raise UnansweredError(
            may_have_arrived=True,
            expected="the whole result",
            got=f"{size} bytes of it",
            next_step="Run again: the paid result is fetched again.",
        )
