"""The weights in an ONNX file, without the onnx package: of its protocol buffers, only what holds them is read.

Field numbers: onnx/onnx.proto (ONNX, Apache-2.0). Encoding: protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.errors import WeightsError

_GRAPH, _INITIALIZER = 7, 5  # of ModelProto, of GraphProto
_DIMENSIONS, _TYPE, _FLOATS, _NAME, _RAW = 1, 2, 4, 8, 9  # of TensorProto
_FLOAT32 = 1
_VARINT, _EIGHT_BYTES, _COUNTED, _FOUR_BYTES = 0, 1, 2, 5  # kinds of values on the wire
_LARGEST = 2**31  # bytes; a message is smaller
_VARINT_BITS = 64

_Value = int | memoryview


def read_onnx(path: Path, kind: str, advice: str) -> dict[str, Tensor]:
    """Every float32 tensor of the graph by its name; nothing in the file is run.

    kind, advice: what the file should hold and where to get it, for the WeightsError that a missing or damaged file
    raises.
    """
    if not path.is_file():
        raise WeightsError(expected=f"{kind} in {path.name}", got="no file there", next_step=advice)
    if path.stat().st_size >= _LARGEST:
        raise _unreadable(path, kind, advice, f"{path.stat().st_size:,} bytes, more than an ONNX file can have")
    try:
        tensors = dict(_tensors(memoryview(path.read_bytes())))
    except (ValueError, IndexError, OverflowError) as error:
        raise _unreadable(path, kind, advice, f"no ONNX file that can be read ({error})") from error
    if not tensors:
        raise _unreadable(path, kind, advice, "a file without ONNX weights")
    return tensors


def _tensors(model: memoryview) -> Iterator[tuple[str, Tensor]]:
    for graph in _parts(model, _GRAPH):
        for initializer in _parts(graph, _INITIALIZER):
            if any(field == (_TYPE, _FLOAT32) for field in _fields(initializer)):
                yield _tensor(initializer)


def _tensor(initializer: memoryview) -> tuple[str, Tensor]:
    shape: list[int] = []
    name, numbers = "", bytearray()
    for number, value in _fields(initializer):
        if number == _DIMENSIONS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif number == _NAME and isinstance(value, memoryview):
            name = bytes(value).decode()
        elif number in (_RAW, _FLOATS) and isinstance(value, memoryview):
            numbers += value
    return name, torch.from_numpy(np.frombuffer(numbers, "<f4").reshape(shape))


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, _Value]]:
    """(number, value) of each field of a message, in order."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind, size = key & 7, 0
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _COUNTED:
            size, at = _varint(message, at)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            size = 8 if kind == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"a value of kind {kind}")
        if at + size > len(message):
            raise ValueError("it ends too early")
        yield key >> 3, message[at : at + size]
        at += size


def _varints(values: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(values):
        value, at = _varint(values, at)
        found.append(value)
    return found


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """(value, where the next one begins): seven bits a byte, the lowest first."""
    value = 0
    for shift in range(0, _VARINT_BITS, 7):
        byte = message[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise ValueError("a number of more than 64 bits")


def _unreadable(path: Path, kind: str, advice: str, got: str) -> WeightsError:
    return WeightsError(expected=f"{kind} in {path.name}", got=got, next_step=advice)
