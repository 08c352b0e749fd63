"""Tables that grow with the length of a clip, kept in a file, so that an hour takes no more memory than a minute."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Rows:
    """Collects rows of one shape in an unnamed file of the system's temp folder, which goes with its last reader."""

    def __init__(self, shape: Sequence[int], dtype: DTypeLike) -> None:
        self._shape, self._dtype = tuple(shape), np.dtype(dtype)
        self._file = tempfile.TemporaryFile()
        self._count = 0

    def add(self, rows: NDArray[Any]) -> None:
        """Append [k, *shape]."""
        if rows.shape[1:] != self._shape:
            wanted = ", ".join(["k", *map(str, self._shape)])
            raise ValueError(f"rows must be [{wanted}], got {list(rows.shape)}")
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self._count += len(rows)

    def table(self) -> NDArray[Any]:
        """All rows, read-only: [n, *shape]. Nothing can be added afterwards."""
        shape = (self._count, *self._shape)
        with self._file:
            if not self._count:  # an empty file cannot be mapped
                return np.empty(shape, self._dtype)
            self._file.flush()
            return np.memmap(self._file, self._dtype, mode="r", shape=shape)
