"""Freed memory, given back to the system."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache

# Frames after which it is worth its 5 ms.
EVERY = 64


def give_back() -> None:
    """Return to the system what this process has freed; changes nothing else.

    glibc keeps freed pictures for later, and where one thread frees what another one allocated, more and more of them:
    100 MB of 1080p in an hour. Other systems' allocators return blocks of this size at once.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], int] | None:
    """glibc's malloc_trim (man 3 malloc_trim), where there is one."""
    return getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
