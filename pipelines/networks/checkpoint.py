"""Weight files as they come: read without running anything in them, or refused with the reason."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import comfy.utils
from torch import Tensor

from ..core.errors import WeightsError

# Under these names training scripts wrap what they save.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "module")

_ZIP = b"PK\x03\x04"
_LARGEST_TABLE = 100_000_000  # bytes; the safetensors library's own limit
_FOREIGN_HEADS = {
    b"version https://git-lfs": "a Git LFS pointer, not the file it points to",
    b"<!doctype html": "a web page saved under this name",
    b"<html": "a web page saved under this name",
    b"gguf": "a GGUF file",
}


@dataclass(frozen=True)
class Checkpoint:
    """What a weight file holds. state: its tensors by name, unwrapped. metadata: of safetensors, else empty."""

    state: dict[str, Tensor]
    metadata: dict[str, str]


def read_checkpoint(path: Path, kind: str, advice: str) -> Checkpoint:
    """Read .safetensors, .pth, .pt, .bin or .ckpt onto the CPU; pickled code is never run.

    kind, advice: what the file should hold and where to get it, for the message of the WeightsError that a missing,
    damaged or foreign file raises.
    """
    flaw = _flaw(path)
    if flaw is not None:
        raise _unreadable(path, kind, advice, flaw)
    try:
        loaded, metadata = comfy.utils.load_torch_file(str(path), safe_load=True, return_metadata=True)
    except MemoryError:
        raise
    except Exception as error:  # each reader has its own exceptions for a damaged file
        raise _unreadable(path, kind, advice, f"not a readable checkpoint ({_reason(error)})") from error
    if not isinstance(loaded, Mapping):
        raise _unreadable(path, kind, advice, f"a saved {type(loaded).__name__}, not named tensors")
    return Checkpoint(_tensors(loaded), dict(metadata or {}))


def _reason(error: Exception) -> str:
    """What a reader says is wrong, in one line; without PyTorch's advice to let a refused pickle run code."""
    named = re.search(r"GLOBAL ([\w.]+)", str(error))
    if named:
        return f"it names {named[1]}, which is no tensor and might run code"
    if isinstance(error, UnpicklingError):
        return "no tensors that PyTorch can read safely"
    return str(error).strip().split("\n")[0] or type(error).__name__


def _tensors(loaded: Mapping[str, Any]) -> dict[str, Tensor]:
    inner = next((loaded[name] for name in _WRAPPERS if isinstance(loaded.get(name), Mapping)), None)
    if inner is not None:
        return _tensors(inner)
    return {key: value for key, value in loaded.items() if isinstance(key, str) and isinstance(value, Tensor)}


def _flaw(path: Path) -> str | None:
    """What is wrong with the file as a file, or None. Reads its first bytes and its tables only."""
    if not path.is_file():
        return "no file there"
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "an empty file"
    foreign = next((what for start, what in _FOREIGN_HEADS.items() if head.lower().startswith(start)), None)
    if foreign is not None:
        return foreign
    if path.suffix.lower() in (".safetensors", ".sft"):
        return _safetensors_flaw(path, head)
    if head.startswith(_ZIP) and not zipfile.is_zipfile(path):
        return f"not a readable checkpoint: a truncated zip of {path.stat().st_size:,} bytes"
    if head[8:9] == b"{":
        return "a safetensors file under another ending: rename it to .safetensors"
    return None


def _safetensors_flaw(path: Path, head: bytes) -> str | None:
    """A safetensors file is 8 bytes of length, a JSON table of that length, then the tensors the table speaks of."""
    if head.startswith((_ZIP, b"\x80\x02")):
        return "a PyTorch file under the ending .safetensors: rename it to .pth"
    size = path.stat().st_size
    table_end = 8 + int.from_bytes(head[:8], "little")
    if table_end > min(size, _LARGEST_TABLE):
        return "not a readable checkpoint: a damaged or truncated safetensors file"
    with path.open("rb") as file:
        try:
            table = json.loads(file.read(table_end)[8:])
            ends = [int(entry["data_offsets"][1]) for key, entry in table.items() if key != "__metadata__"]
        except (ValueError, TypeError, LookupError, AttributeError):  # no JSON, or JSON of another shape
            return "not a readable checkpoint: a damaged safetensors file"
    complete = table_end + max(ends, default=0)
    if size < complete:
        return f"not a readable checkpoint: truncated safetensors, {size:,} of {complete:,} bytes"
    return None


def _unreadable(path: Path, kind: str, advice: str, got: str) -> WeightsError:
    return WeightsError(expected=f"{kind} in {path.name}", got=got, next_step=advice)
