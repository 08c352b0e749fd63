"""Which ComfyUI a job is queued in: several may share one user folder, and each knows its own queue only."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from filelock import FileLock, Timeout

log = logging.getLogger(__name__)

THIS: Final = str(uuid4())
"""This ComfyUI, from its start to its end."""


@cache  # the lock is held as long as something refers to it
def announce(folder: Path) -> FileLock | None:
    """Says in `folder` that this ComfyUI runs; the system takes that back, however it ends. None: it cannot be said."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(_mark(folder, THIS))
        lock.acquire(timeout=0)
        return lock
    except (OSError, NotImplementedError) as error:  # a disk without locks; Timeout is an OSError
        log.warning("LipSync Studio: another ComfyUI in the same user folder may end these jobs (%s)", error)
        return None


def is_elsewhere(folder: Path, server: str) -> bool:
    """Whether `server` is another ComfyUI that runs now."""
    mark = _mark(folder, server)
    if server == THIS or not mark.exists():
        return False
    try:
        with FileLock(mark, timeout=0):
            pass
        mark.unlink(missing_ok=True)
    except Timeout:
        return True
    except (OSError, NotImplementedError):  # as in `announce`
        return False
    return False


def forget_ended(folder: Path) -> None:
    """Delete the marks of those that run no more."""
    for mark in folder.glob("*.lock"):
        is_elsewhere(folder, mark.stem)


def _mark(folder: Path, server: str) -> Path:
    return folder / f"{server}.lock"
