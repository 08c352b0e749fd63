"""A chain of engines: one of them does the whole job, which is settled before a frame is written, and is reported."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.report import Report
from lipsync_studio.pipelines.core.types import EncodeSettings, FaceBatch
from lipsync_studio.pipelines.engines.base import Engine
from lipsync_studio.pipelines.engines.fallback import Choice, EngineChain
from lipsync_studio.pipelines.engines.select import PassedOver
from lipsync_studio.pipelines.lipsync import lip_sync_images, lip_sync_video
from lipsync_studio.pipelines.plan import LipSyncSettings, face_side
from stamp_engine import StampEngine, clip_of, faces_at, tone
from torch import Tensor

COUNT = 10
FIRST_BLOCK = "did the whole job in place of Large: the memory of the device did not suffice for its first block."


class LargeEngine(StampEngine):
    """Crops of another size and blocks of another length than `StampEngine`; fails at one of its blocks."""

    spec = replace(StampEngine.spec, id="large", label="Large", crop_sides=(48,), block=3)

    def __init__(self, error: Exception | None = None, at: int = 0) -> None:
        super().__init__()
        self._error = error
        self._at = at

    def paint(self, batch: FaceBatch) -> Tensor:
        painted = super().paint(batch)
        if self._error is not None and len(self.batches) == self._at + 1:
            raise self._error
        return painted


def chain(*engines: Engine | Exception, smallest_face: int = 0) -> EngineChain:
    """Of engines, or of what loading them raises. smallest_face: px, of the first."""

    def loader(engine: Engine | Exception) -> Callable[[], Engine]:
        def load() -> Engine:
            if isinstance(engine, Exception):
                raise engine
            return engine

        return load

    labels = [getattr(engine, "spec", LargeEngine.spec).label for engine in engines]
    smallest = [smallest_face] + [0] * len(engines)
    return EngineChain(tuple(map(Choice, labels, map(loader, engines), smallest)))


def synced(engine: Engine | EngineChain) -> tuple[Tensor, Tensor, Report]:
    faces = faces_at([True] * 5 + [False] + [True] * 4)
    return lip_sync_images(clip_of(COUNT), faces, tone(COUNT / 25), engine, LipSyncSettings(), PlainHost())


def notes_of(report: Report) -> tuple[str, ...]:
    """Those about engines; another one says that 32 px are few."""
    return tuple(note for note in report.notes if "in place of" in note)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("no memory"), torch.AcceleratorError("CUDA error: out of memory")],
    ids=["torch", "accelerator"],
)
def test_when_memory_runs_out_in_the_first_block_the_next_engine_does_the_whole_job(error: Exception) -> None:
    large, small = LargeEngine(error), StampEngine()
    images, masks, report = synced(chain(large, small))
    plain_images, plain_masks, _ = synced(StampEngine())
    assert torch.equal(images, plain_images)
    assert torch.equal(masks, plain_masks)
    assert len(large.batches) == 1
    assert {batch.crops.shape[1] for batch in small.batches} == {32}
    assert [len(batch.indices) for batch in small.batches] == [4, 1, 4]
    assert report.engine == "Stamp"
    assert notes_of(report) == (f"Stamp {FIRST_BLOCK}",)


def test_the_engine_that_can_do_it_does_it_and_nothing_is_said() -> None:
    large, small = LargeEngine(), StampEngine()
    images, _, report = synced(chain(large, small))
    assert torch.equal(images, synced(LargeEngine())[0])
    assert [len(batch.indices) for batch in large.batches] == [3, 3, 2, 3, 1]  # the first one is the rehearsal
    assert small.batches == []
    assert notes_of(report) == ()


def test_the_largest_block_is_rehearsed() -> None:
    large = LargeEngine()
    faces = faces_at([True, False, True, True, True, True, False, False, True, True])
    settings = LipSyncSettings()
    lip_sync_images(clip_of(COUNT), faces, tone(COUNT / 25), chain(large, StampEngine()), settings, PlainHost())
    assert large.batches[0].indices.tolist() == [2, 3, 4]


def test_never_in_the_middle_of_a_clip() -> None:
    small = StampEngine()
    with pytest.raises(torch.OutOfMemoryError):
        synced(chain(LargeEngine(torch.OutOfMemoryError("no memory"), at=2), small))
    assert small.batches == []


def test_weights_that_cannot_be_read_are_told_and_the_next_engine_follows() -> None:
    damaged = WeightsError(expected="a UNet", got="a truncated zip", next_step="Download it again.")
    _, _, report = synced(chain(damaged, StampEngine()))
    (note,) = notes_of(report)
    assert note == f"Stamp did the whole job in place of Large: {damaged}"


def test_a_face_that_is_too_small_is_told() -> None:
    side = face_side(faces_at([True] * COUNT))
    large = LargeEngine()
    _, _, report = synced(chain(large, StampEngine(), smallest_face=round(side) + 1))
    assert large.batches == []
    assert f"the face is {side:.0f} px high, and it needs {side + 1:.0f} px" in notes_of(report)[0]
    assert notes_of(synced(chain(large, StampEngine(), smallest_face=round(side)))[2]) == ()


def test_an_engine_that_made_way_does_not_stay_in_memory() -> None:
    class Full(StampEngine):
        def paint(self, batch: FaceBatch) -> Tensor:
            raise torch.OutOfMemoryError("no memory")

    made: list[weakref.ref[Full]] = []

    @cache
    def load() -> Engine:
        engine = Full()
        made.append(weakref.ref(engine))
        return engine

    class Looking(StampEngine):
        def paint(self, batch: FaceBatch) -> Tensor:
            assert made[0]() is None
            return super().paint(batch)

    looking = Looking()
    synced(EngineChain((Choice("Full", load, forget=load.cache_clear), Choice("Looking", lambda: looking))))
    assert len(made) == 1
    assert looking.batches


def test_the_last_engine_is_named_for_all_before_it() -> None:
    full = torch.OutOfMemoryError("no memory")
    links = chain(LargeEngine(full), LargeEngine(full), StampEngine())
    _, _, report = synced(replace(links, passed_over=(PassedOver("Huge", "it wants 18 GB"),)))
    assert notes_of(report) == (
        "Stamp did the whole job in place of Huge: it wants 18 GB.",
        f"Stamp {FIRST_BLOCK}",
        f"Stamp {FIRST_BLOCK}",
    )


@pytest.mark.parametrize("links", [1, 2], ids=["the only one", "the first of two"])
def test_other_errors_are_not_hidden(links: int) -> None:
    engines = (LargeEngine(ValueError("a bug")), StampEngine())
    with pytest.raises(ValueError, match="a bug"):
        synced(chain(*engines[:links]))


def test_where_nothing_may_follow_the_error_is_the_user_s_to_see() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        synced(chain(LargeEngine(torch.OutOfMemoryError("no memory"))))


def test_nothing_is_written_before_it_is_settled(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    there: list[bool] = []

    class Watching(LargeEngine):
        def paint(self, batch: FaceBatch) -> Tensor:
            there.append(path.exists())
            return super().paint(batch)

    large = Watching(torch.OutOfMemoryError("no memory"))
    clip, faces, sound = clip_of(COUNT), faces_at([True] * COUNT), tone(COUNT / 25)
    encode = EncodeSettings(preset="ultrafast")
    settings, links = LipSyncSettings(), chain(large, StampEngine())
    report = lip_sync_video(clip, faces, sound, links, settings, path, encode, sound, PlainHost())
    assert there == [False]
    assert path.exists()
    assert report.notes[0] == f"Stamp {FIRST_BLOCK}"
    assert '"Stamp did the whole job in place of Large' in report.to_json()


def test_a_chain_without_engines_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        EngineChain(())
