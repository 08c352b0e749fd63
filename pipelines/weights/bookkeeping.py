"""Checkpoints that hold more than tensors: what training frameworks keep beside them is read as nothing.

MMEngine saves its logs and schedules with the weights (dw-ll_ucoco_384.pth is three times as large as its tensors), as
objects of its own classes. PyTorch's safe reader refuses such a file, and its usual advice is to let the file run code.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch.serialization


class Nothing:
    """Stands for any class or function that a file names: takes all arguments and any state, and does nothing."""

    def __init__(self, *_: object) -> None:
        pass

    def __setstate__(self, _: object) -> None:
        pass


@contextmanager
def inert_bookkeeping(path: Path) -> Iterator[None]:
    """While this lasts, PyTorch's safe reader takes what `path` names beside PyTorch's own tensors for `Nothing`.

    It is neither imported nor called: not even what ComfyUI and others have declared safe, such as NumPy's dtype, which
    a file can give a false layout. Files of other kinds are left to the reader.
    """
    trusted = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    try:
        with torch.serialization.safe_globals([(Nothing, name) for name in _named(path)]):
            yield
    finally:
        torch.serialization.add_safe_globals(trusted)


def _named(path: Path) -> list[str]:
    """Full names of the classes and functions that the file wants, but for those that make PyTorch's tensors."""
    if not zipfile.is_zipfile(path):
        return []
    try:
        return torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # damaged, with an exception for each way to be; the reader will say so
        return []
