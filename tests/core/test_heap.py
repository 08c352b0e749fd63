"""What was freed goes back to the system."""

from __future__ import annotations

import ctypes
import sys

import numpy as np
import psutil
from lipsync_studio.pipelines.core.heap import give_back

PIECE = 64 * 1024  # bytes: small enough to lie between others in the heap


def held() -> int:
    return psutil.Process().memory_info().rss


def test_freed_memory_between_pieces_in_use_is_given_back() -> None:
    pieces = [np.ones(PIECE, np.uint8) for _ in range(4000)]
    full = held()
    kept = pieces[::8]
    del pieces
    give_back()
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        assert held() < full - 0.5 * 4000 * PIECE
    assert all(piece.all() for piece in kept)
