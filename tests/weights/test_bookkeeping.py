"""Checkpoints with what MMEngine keeps beside the weights: read, without its classes and without running anything."""

from __future__ import annotations

import os
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.checkpoint import read_checkpoint
from lipsync_studio.pipelines.weights.bookkeeping import Nothing, inert_bookkeeping
from lipsync_studio.pipelines.weights.loaders import load_dwpose

MODULE = "mmengine.logging.history_buffer"


class HistoryBuffer:
    """Pickles as MMEngine's does: numbers of several kinds, and methods of its own."""

    def __init__(self) -> None:
        self._log_history = np.array([0.5, 0.25])
        self._count_history = np.array([1, 1])
        self._statistics_methods = {"mean": HistoryBuffer.mean}
        self.last = np.float64(0.25)

    def mean(self) -> float:
        """What the file names by `getattr`."""
        raise AssertionError("nothing in the file may be called")


@pytest.fixture
def as_mmengine() -> Iterator[None]:
    """While saving, the class is where MMEngine has it; afterwards there is no such module."""
    modules = {name: ModuleType(name) for name in ("mmengine", "mmengine.logging", MODULE)}
    modules[MODULE].HistoryBuffer = HistoryBuffer
    HistoryBuffer.__module__, own = MODULE, HistoryBuffer.__module__
    sys.modules.update(modules)
    yield
    HistoryBuffer.__module__ = own
    for name in modules:
        sys.modules.pop(name, None)


def trained(path: Path, state: dict[str, torch.Tensor]) -> Path:
    """A checkpoint of `state` as MMEngine saves it in training."""
    torch.save(
        {
            "meta": {"epoch": 60, "cfg": "model = dict()", "dataset_meta": {"sigmas": np.ones(3, np.float32)}},
            "state_dict": OrderedDict(state),
            "message_hub": {"log_scalars": OrderedDict(loss=HistoryBuffer())},
            "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 4e-3}]},
        },
        path,
    )
    for name in ("mmengine", "mmengine.logging", MODULE):
        del sys.modules[name]
    return path


def test_its_tensors_are_read(tmp_path: Path, as_mmengine: None) -> None:
    path = trained(tmp_path / "a.pth", {"a": torch.arange(3.0)})
    with inert_bookkeeping(path):
        checkpoint = read_checkpoint(path, "a network", "")
    assert list(checkpoint.state) == ["a"]
    assert checkpoint.state["a"].tolist() == [0, 1, 2]
    assert MODULE not in sys.modules


def test_dwpose_is_read_as_it_was_published(tmp_path: Path, as_mmengine: None) -> None:
    state = seeded_checkpoints.seeded(seeded_checkpoints.shapes("dwpose"))
    path = trained(tmp_path / "dw-ll_ucoco_384.pth", state)
    assert load_dwpose(path)(torch.zeros(1, 384, 288, 3)).shape == (1, 68, 2)


def test_afterwards_such_a_file_is_refused_again(tmp_path: Path, as_mmengine: None) -> None:
    path = trained(tmp_path / "a.pth", {"a": torch.zeros(1)})
    before = set(torch.serialization.get_safe_globals())
    with inert_bookkeeping(path):
        pass
    assert set(torch.serialization.get_safe_globals()) == before
    with pytest.raises(WeightsError, match="not a readable checkpoint"):
        read_checkpoint(path, "a network", "")


class Trap:
    """Pickles to a call of `print`."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the file ran code",)


class HostTrap:
    """Pickles to a call into the operating system."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo the file ran code",)


def test_what_a_file_wants_to_call_is_not_called(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.save({"state_dict": {"a": torch.zeros(1), "b": Trap()}}, tmp_path / "a.pth")
    with inert_bookkeeping(tmp_path / "a.pth"):
        checkpoint = read_checkpoint(tmp_path / "a.pth", "a network", "")
    assert list(checkpoint.state) == ["a"]
    assert "the file ran code" not in capfd.readouterr().out


def test_what_calls_the_operating_system_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pth"
    torch.save({"state_dict": {"a": HostTrap()}}, path)
    with inert_bookkeeping(path), pytest.raises(WeightsError, match="not a readable checkpoint"):
        read_checkpoint(path, "a network", "")
    assert "the file ran code" not in capfd.readouterr().out


def test_not_even_numpys_classes_are_made(tmp_path: Path) -> None:
    """A file can make NumPy's dtype take numbers for pointers."""
    path = tmp_path / "a.pth"
    torch.save({"layout": np.dtype([("field", object)]), "number": np.float64(1), "array": np.ones(1)}, path)
    with inert_bookkeeping(path):
        loaded = torch.load(path, weights_only=True)
    assert [type(value) for value in loaded.values()] == [Nothing] * 3


@pytest.mark.parametrize("pickled", [b"", b"\x80\x02X\x01", b"\x80\x02}U", b"\x80\x02\xff", b"\x80\x02ca\xff\nb\n."])
def test_damaged_pickles_in_a_whole_zip_are_refused(tmp_path: Path, pickled: bytes) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "whole.pth")
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(tmp_path / "whole.pth") as whole, zipfile.ZipFile(path, "w") as damaged:
        for name in whole.namelist():
            damaged.writestr(name, pickled if name.endswith("data.pkl") else whole.read(name))
    with pytest.raises(WeightsError, match=r"not a readable checkpoint \([^)]"), inert_bookkeeping(path):
        read_checkpoint(path, "a network", "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(100), b"no zip at all"])
def test_damaged_files_are_left_to_the_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with inert_bookkeeping(path), pytest.raises(WeightsError):
        read_checkpoint(path, "a network", "")


def test_a_truncated_checkpoint_is_left_to_the_reader(tmp_path: Path, as_mmengine: None) -> None:
    path = trained(tmp_path / "a.pth", {"a": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-200])
    with inert_bookkeeping(path), pytest.raises(WeightsError, match="truncated zip"):
        read_checkpoint(path, "a network", "")
