"""Tables in a file: what went in comes out, in any pieces, and takes no memory of its own."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.rows import Rows


@given(st.lists(st.integers(0, 9), max_size=9), st.sampled_from([(), (4,), (68, 2)]))
def test_what_went_in_comes_out(lengths: Sequence[int], shape: tuple[int, ...]) -> None:
    rows, parts = Rows(shape, np.float32), []
    for number, length in enumerate(lengths):
        parts.append(np.random.RandomState(number).rand(length, *shape).astype(np.float32))
        rows.add(parts[-1])
    table = rows.table()
    assert table.shape == (sum(lengths), *shape)
    assert table.dtype == np.float32
    assert (table == np.concatenate([np.empty((0, *shape), np.float32), *parts])).all()


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.bool_, np.float64])
def test_rows_take_the_tables_dtype_and_order(dtype: type) -> None:
    rows = Rows((3,), dtype)
    rows.add(np.asfortranarray(np.arange(12.0).reshape(4, 3)))
    rows.add(np.ones((8, 3), np.float32)[::2])
    assert (rows.table() == np.concatenate([np.arange(12).reshape(4, 3), np.ones((4, 3))]).astype(dtype)).all()


@pytest.mark.parametrize("shape", [(2, 5), (2,), (2, 4, 1)])
def test_rows_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"rows must be [k, 4], got {list(shape)}")):
        Rows((4,), np.float32).add(np.zeros(shape))


def test_the_shape_of_single_numbers_is_told_too() -> None:
    with pytest.raises(ValueError, match=re.escape("rows must be [k], got [2, 5]")):
        Rows((), np.float32).add(np.zeros((2, 5)))


def test_a_table_cannot_be_written_and_outlives_what_made_it() -> None:
    rows = Rows((2,), np.float32)
    rows.add(np.ones((3, 2)))
    table = rows.table()
    del rows
    gc.collect()
    assert table.sum() == 6
    assert not table.flags.writeable


@pytest.mark.parametrize("count", [0, 3])
def test_nothing_can_be_added_to_a_finished_table(count: int) -> None:
    rows = Rows((2,), np.float32)
    rows.add(np.ones((count, 2)))
    rows.table()
    with pytest.raises(ValueError, match="closed"):
        rows.add(np.ones((1, 2)))


def test_a_table_lies_in_a_file_not_in_memory() -> None:
    rows = Rows((1024,), np.float32)
    rows.add(np.ones((16, 1024)))
    base = rows.table()
    assert isinstance(base, np.memmap)
