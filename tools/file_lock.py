"""A lock between processes that cannot be left behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def file_lock(path: Path, waiting_for: str) -> Iterator[None]:
    """Hold the lock file `path`, first waiting (and saying so) while another process holds it.

    The system releases it when this process ends, however it ends.
    """
    with path.open("a") as file:
        if not _try_lock(file):
            print(f"Waiting for another run to finish {waiting_for} ...", flush=True)
            while not _try_lock(file):
                time.sleep(0.5)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
