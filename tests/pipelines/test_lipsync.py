"""The pipeline on one page, on IMAGE batches: every frame at its own place, whatever faces come and go."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.core.types import AudioClip, CropSettings, FaceBatch, FaceTrack, SpeakerFaces
from lipsync_studio.pipelines.engines.base import EngineSpec
from lipsync_studio.pipelines.lipsync import LipSyncSettings, lip_sync_images, plan_blocks
from lipsync_studio.pipelines.media.image_picture import ImageClip
from torch import Tensor

HEIGHT, WIDTH = 72, 64


class StampEngine:
    """Paints every crop in a colour that tells its source frame, and remembers what it was asked."""

    spec = EngineSpec(
        id="stamp",
        label="Stamp",
        hears="mouth shapes",
        crop_sides=(32,),
        block=4,
        commercial_use="yes",
    )

    def __init__(self) -> None:
        self.batches: list[FaceBatch] = []

    def start(self) -> StampEngine:
        """Itself: it keeps nothing."""
        return self

    def paint(self, batch: FaceBatch) -> Tensor:
        self.batches.append(batch)
        colour = torch.tensor([stamp(int(index)) for index in batch.indices])
        return colour[:, None, None, None].expand(batch.crops.shape).contiguous()


def stamp(index: int) -> float:
    return 0.5 + index / 200


def clip_of(count: int) -> ImageClip:
    generator = torch.Generator().manual_seed(7)
    return ImageClip(torch.rand((count, HEIGHT, WIDTH, 3), generator=generator), Fraction(25))


def face_landmarks() -> np.ndarray:
    """A plain frontal face in the middle of the picture: 68 points at their usual places."""
    points = np.zeros((68, 2), np.float32)
    angle = np.linspace(0, np.pi, 17)
    points[:17] = np.stack([32 - 20 * np.cos(angle), 30 + 26 * np.sin(angle)], axis=1)
    points[17:27] = np.stack([np.linspace(16, 48, 10), np.full(10, 22)], axis=1)
    points[27:31] = np.stack([np.full(4, 32), np.linspace(26, 38, 4)], axis=1)
    points[31:36] = np.stack([np.linspace(28, 36, 5), np.full(5, 40)], axis=1)
    points[36:48] = np.stack([np.linspace(20, 44, 12), np.full(12, 26)], axis=1)
    turn = np.linspace(-np.pi, np.pi, 12, endpoint=False)
    points[48:60] = np.stack([32 + 9 * np.cos(turn), 46 + 4 * np.sin(turn)], axis=1)
    turn = np.linspace(-np.pi, np.pi, 8, endpoint=False)
    points[60:68] = np.stack([32 + 6 * np.cos(turn), 46 + 1 * np.sin(turn)], axis=1)
    return points


def faces_at(present: list[bool], shots: list[int] | None = None) -> SpeakerFaces:
    shown = np.array(present)
    landmarks = np.where(shown[:, None, None], face_landmarks(), 0).astype(np.float32)
    boxes = np.where(shown[:, None], np.array([12, 12, 52, 56]), 0).astype(np.float32)
    shot = np.array(shots if shots is not None else [0] * len(present), np.int32)
    return SpeakerFaces(FaceTrack(shown, landmarks, boxes, shot, WIDTH, HEIGHT), CropSettings())


def tone(seconds: float) -> AudioClip:
    wave = np.sin(2 * np.pi * 300 * np.arange(round(seconds * 16000)) / 16000)
    return AudioClip(wave[None].astype(np.float32), 16000)


@settings(deadline=None, max_examples=40)
@given(present=st.lists(st.booleans(), min_size=1, max_size=24))
def test_every_frame_keeps_its_place_whatever_faces_come_and_go(present: list[bool]) -> None:
    clip, engine = clip_of(len(present)), StampEngine()
    before = clip.images.clone()
    images, masks, report = lip_sync_images(
        clip, faces_at(present), tone(len(present) / 25), engine, LipSyncSettings(), PlainHost()
    )
    assert torch.equal(clip.images, before)
    assert images.shape == before.shape
    assert report.fates == tuple("synced" if shown else "no face" for shown in present)
    for index, shown in enumerate(present):
        kept = masks[index] == 0
        assert torch.equal(images[index][kept], before[index][kept])
        assert bool((masks[index] > 0).any()) == shown
        if shown:
            painted = images[index][masks[index] == 1]
            assert len(painted) > 20
            assert torch.allclose(painted, torch.full_like(painted, stamp(index)), atol=1e-3)
    painted_frames = [int(index) for batch in engine.batches for index in batch.indices]
    assert painted_frames == [index for index, shown in enumerate(present) if shown]


def test_a_faceless_batch_row_is_bit_identical() -> None:
    clip = clip_of(6)
    present = [True, False, True, True, False, False]
    images, _, _ = lip_sync_images(clip, faces_at(present), tone(0.24), StampEngine(), LipSyncSettings(), PlainHost())
    for index, shown in enumerate(present):
        assert torch.equal(images[index], clip.images[index]) != shown


def test_the_engine_hears_each_frame_at_its_own_time() -> None:
    clip, engine = clip_of(10), StampEngine()
    present = [True, True, False, False, True, True, True, False, True, True]
    sound = tone(0.4)
    lip_sync_images(clip, faces_at(present), sound, engine, LipSyncSettings(), PlainHost())
    from lipsync_studio.pipelines.audio.mouth_shapes import MouthShapes

    expected = MouthShapes(sound).at(np.arange(10) / 25)
    heard = torch.cat([batch.heard for batch in engine.batches])
    assert torch.allclose(heard, expected[torch.tensor(present)], atol=1e-6)


def test_ping_pong_paints_the_source_frame_it_shows() -> None:
    clip, engine = clip_of(3), StampEngine()
    images, masks, report = lip_sync_images(
        clip, faces_at([True, False, True]), tone(0.36), engine, LipSyncSettings(), PlainHost()
    )
    shown = [0, 1, 2, 2, 1, 0, 0, 1, 2]
    assert report.timeline.source.tolist() == shown
    for row, source in enumerate(shown):
        kept = masks[row] == 0
        assert torch.equal(images[row][kept], clip.images[source][kept])
        assert bool((masks[row] > 0).any()) == (source != 1)


def test_frames_after_the_audio_are_kept_and_reported() -> None:
    clip = clip_of(10)
    images, masks, report = lip_sync_images(
        clip, faces_at([True] * 10), tone(0.2), StampEngine(), LipSyncSettings(), PlainHost()
    )
    assert report.fates == ("synced",) * 5 + ("after the audio",) * 5
    assert torch.equal(images[5:], clip.images[5:])
    assert not masks[5:].any()
    assert json.loads(report.to_json())["runs"] == [
        {"first": 0, "last": 4, "fate": "synced"},
        {"first": 5, "last": 9, "fate": "after the audio"},
    ]


def test_a_fourth_channel_is_left_alone() -> None:
    images = torch.rand((2, HEIGHT, WIDTH, 4), generator=torch.Generator().manual_seed(1))
    synced, _, _ = lip_sync_images(
        ImageClip(images, Fraction(25)), faces_at([True] * 2), tone(0.08), StampEngine(), LipSyncSettings(), PlainHost()
    )
    assert synced.shape == images.shape
    assert torch.equal(synced[..., 3], images[..., 3])
    assert not torch.equal(synced[..., :3], images[..., :3])


def test_faces_of_another_clip_are_refused_before_anything_is_painted() -> None:
    engine = StampEngine()
    with pytest.raises(InputError, match=r"4 frames.*got faces of a clip with 5 frames"):
        lip_sync_images(clip_of(4), faces_at([True] * 5), tone(0.2), engine, LipSyncSettings(), PlainHost())
    assert not engine.batches


@given(
    present=st.lists(st.booleans(), min_size=1, max_size=40),
    cuts=st.sets(st.integers(1, 39)),
    size=st.integers(1, 9),
    seconds=st.floats(0.02, 4.0),
    mode=st.sampled_from(["ping-pong", "loop", "hold", "stop"]),
)
def test_blocks_cover_everything_once_and_never_straddle(
    present: list[bool], cuts: set[int], size: int, seconds: float, mode: str
) -> None:
    shot = np.cumsum([index in cuts for index in range(len(present))]).astype(np.int32)
    timeline = Timeline.build(FrameClock.constant(len(present), Fraction(25)), seconds, LengthPolicy(mode))
    painted = np.array(present)[timeline.source]
    blocks = plan_blocks(timeline, painted, shot, size)
    assert [frame for block in blocks for frame in range(block.start, block.stop)] == list(range(len(timeline)))
    for block in blocks:
        source = timeline.source[block.start : block.stop]
        assert 1 <= len(source) <= size
        assert set(painted[block.start : block.stop].tolist()) == {block.painted}
        assert len(set(shot[source].tolist())) == 1
        assert np.all(np.abs(np.diff(source)) <= 1)


class SmallHost(PlainHost):
    """A host with a megabyte to spare."""

    def free_memory(self) -> int:
        return 1_000_000


def test_a_result_that_does_not_fit_into_memory_is_refused_before_it_is_made() -> None:
    engine = StampEngine()
    with pytest.raises(InputError, match="Use LipSync Video"):
        lip_sync_images(clip_of(4), faces_at([True] * 4), tone(60.0), engine, LipSyncSettings(), SmallHost())
    assert not engine.batches
