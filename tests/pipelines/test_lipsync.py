"""The pipeline on one page, on IMAGE batches: every frame at its own place, whatever faces come and go."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.mouth_shapes import MouthShapes
from lipsync_studio.pipelines.blending.compositor import BlendSettings
from lipsync_studio.pipelines.blending.masks import MaskSettings
from lipsync_studio.pipelines.blending.shapes import ExternalMask
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import ClipFaces, MotionSettings, SpeakerFaces
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.core.types import AudioClip, FaceBatch
from lipsync_studio.pipelines.engines.base import EngineSpec
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.plan import LipSyncSettings, plan_blocks, plan_lip_sync
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


def faces_at(present: list[bool], shots: list[int] | None = None, bridge: int = 0) -> SpeakerFaces:
    frames = np.flatnonzero(present).astype(np.int32)
    count = len(frames)
    found = ClipFaces(
        frames=frames,
        people=np.zeros(count, np.int32),
        boxes=np.tile(np.array([12, 12, 52, 56], np.float32), (count, 1)),
        landmarks=np.tile(face_landmarks(), (count, 1, 1)),
        scores=np.ones(count, np.float32),
        shot=np.array(shots if shots is not None else [0] * len(present), np.int32),
        likeness=np.empty((min(count, 1), 0), np.float32),
        width=WIDTH,
        height=HEIGHT,
    )
    return SpeakerFaces(found, motion=MotionSettings(bridge=bridge))


def tone(seconds: float) -> AudioClip:
    wave = np.sin(2 * np.pi * 300 * np.arange(round(seconds * 16000)) / 16000)
    return AudioClip(wave[None].astype(np.float32), 16000)


@settings(deadline=None, max_examples=40)
@given(present=st.lists(st.booleans(), min_size=1, max_size=24).filter(any))
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


def test_short_gaps_are_bridged_painted_and_reported() -> None:
    clip, engine = clip_of(8), StampEngine()
    present = [True, False, False, True, False, False, False, True]
    _, masks, report = lip_sync_images(
        clip, faces_at(present, bridge=2), tone(0.32), engine, LipSyncSettings(), PlainHost()
    )
    assert report.fates == ("synced", *["synced, face bridged"] * 2, "synced", *["no face"] * 3, "synced")
    assert [bool((mask > 0).any()) for mask in masks] == [True] * 4 + [False] * 3 + [True]
    assert report.summary() == "Stamp: 5 of 8 frames synced (2 with a bridged face), 3 no face"


def test_the_source_s_mouth_comes_back_in_silence() -> None:
    clip, engine = clip_of(100), StampEngine()
    rustle = np.random.default_rng(3).normal(0, 1e-4, 64000).astype(np.float32)
    speech = np.concatenate([tone(1.0).samples[0], np.zeros(32000, np.float32), tone(1.0).samples[0]]) * 0.3 + rustle
    images, masks, report = lip_sync_images(
        clip,
        faces_at([True] * 100),
        AudioClip(speech[None], 16000),
        engine,
        LipSyncSettings(restore_in_silence=True),
        PlainHost(),
    )
    assert set(report.fates[40:60]) == {"kept in silence"}
    assert torch.equal(images[40:60], clip.images[40:60])
    assert not masks[40:60].any()
    assert set(report.fates[5:20]) == set(report.fates[80:95]) == {"synced"}
    assert not any(40 <= index < 60 for batch in engine.batches for index in batch.indices)
    edge = masks.amax(dim=(1, 2))
    assert ((edge > 0.05) & (edge < 0.95)).any(), "it fades"


def test_a_face_much_larger_than_the_engine_paints_is_pointed_out() -> None:
    class Larger(StampEngine):
        spec = replace(StampEngine.spec, crop_sides=(32, 64))

    for engine, advised in ((StampEngine(), True), (Larger(), False)):
        plan = plan_lip_sync(clip_of(1), faces_at([True]), tone(0.04), engine, LipSyncSettings())
        assert any("LatentSync" in note for note in plan.report.notes) == advised


def test_an_engine_that_paints_as_large_is_not_told_to_make_way_for_latentsync() -> None:
    class Largest(StampEngine):
        spec = replace(StampEngine.spec, crop_sides=(512,))

    points, box = face_landmarks()[None] * 20, np.array([[240, 240, 1040, 1120]], np.float32)
    found = replace(faces_at([True]).found, landmarks=points, boxes=box, width=WIDTH * 20, height=HEIGHT * 20)
    clip = ImageClip(torch.zeros(1, HEIGHT * 20, WIDTH * 20, 3), Fraction(25))
    (note,) = plan_lip_sync(clip, SpeakerFaces(found), tone(0.04), Largest(), LipSyncSettings()).report.notes
    assert "match_sharpness" in note
    assert "LatentSync" not in note


class FineEngine(StampEngine):
    """Works at the side of most real engines, so that masks are drawn finely."""

    spec = replace(StampEngine.spec, crop_sides=(256,))


def synced(count: int, sync: LipSyncSettings, seconds: float | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """(source, images, masks), frame by frame, of a clip with the face in every frame."""
    clip, sound = clip_of(count), tone(seconds or count / 25)
    images, masks, report = lip_sync_images(clip, faces_at([True] * count), sound, FineEngine(), sync, PlainHost())
    source = clip.images[torch.from_numpy(report.timeline.source)]
    assert torch.equal(images[masks == 0], source[masks == 0])
    return source, images, masks


HARD = BlendSettings(MaskSettings(grow=0, feather=0, inset=0))
MOUTH = (slice(42, 50), slice(24, 40))  # rows and columns of the picture, well inside the crop


def white(count: int, *frames: int) -> ExternalMask:
    """`count` masks, white at MOUTH in the given ones."""
    masks = torch.zeros(count, HEIGHT, WIDTH)
    for frame in frames:
        masks[frame][MOUTH] = 1
    return ExternalMask(masks)


def test_a_mask_of_the_users_is_replaced_and_nothing_else() -> None:
    _, images, masks = synced(3, LipSyncSettings(shape=white(1, 0), blend=HARD))
    for index in range(3):
        inside = images[index][43:49, 25:39]
        assert torch.allclose(inside, torch.full_like(inside, stamp(index)), atol=1e-3)
    masks[:, 40:52, 22:42] = 0  # scaling makes an edge of a pixel or two
    assert not masks.any()


def test_masks_go_with_the_source_frame_also_backwards() -> None:
    """The clip is played forth and back, and only the mask of frame 1 is not empty."""
    settings = LipSyncSettings(shape=white(3, 1), blend=HARD)
    _, _, masks = synced(3, settings, seconds=0.24)
    assert masks.amax(dim=(1, 2)).tolist() == pytest.approx([0, 1, 0, 0, 1, 0])


def test_what_is_in_front_of_the_mouth_stays() -> None:
    source, images, masks = synced(3, LipSyncSettings(occluders=white(3, 1)))
    assert torch.equal(images[1][MOUTH], source[1][MOUTH])
    assert not masks[1][MOUTH].any()
    assert masks[[0, 2]].amax(dim=(1, 2)).tolist() == pytest.approx([1, 1])
    assert (masks[0][MOUTH] > 0.9).all()
    assert masks[1].any(), "beside it the mouth is painted"


def test_the_blend_settings_reach_the_result() -> None:
    def run(**changes: float) -> tuple[Tensor, Tensor]:
        return synced(4, LipSyncSettings(blend=replace(BlendSettings(), **changes)))[1:]

    images, masks = run()
    wider = synced(4, LipSyncSettings(blend=BlendSettings(MaskSettings(grow=0.2))))[2]
    assert (wider > 0).sum() > 1.05 * (masks > 0).sum()
    for changes in ({"colour": 1.0}, {"sharpness": 1.0}):
        matched, same = run(**changes)
        assert torch.equal(same, masks)
        assert torch.equal(matched[masks == 0], images[masks == 0])
    coloured, _ = run(colour=1.0)
    assert not torch.allclose(coloured, images, atol=0.01)
    moving = white(4, 0, 1)
    steady = synced(4, LipSyncSettings(shape=moving, blend=replace(HARD, steady=1.0)))[2]
    assert steady.amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 0.9, 0.81], abs=1e-3)


@pytest.mark.parametrize("name", ["shape", "occluders"])
@pytest.mark.parametrize("size", [(2, HEIGHT, WIDTH), (1, HEIGHT, WIDTH + 1), (1, 64, 64)])
def test_masks_that_do_not_fit_are_refused_before_anything_is_painted(name: str, size: tuple[int, ...]) -> None:
    engine, mask = StampEngine(), ExternalMask(torch.ones(size))
    with pytest.raises(InputError, match=rf"one mask or 4 masks .* of {WIDTH}x{HEIGHT}; got {size[0]} of {size[2]}x"):
        lip_sync_images(
            clip_of(4), faces_at([True] * 4), tone(0.16), engine, LipSyncSettings(**{name: mask}), PlainHost()
        )
    assert not engine.batches


def test_a_single_frame_with_everything_on() -> None:
    everything = BlendSettings(steady=1, colour=1, sharpness=1)
    _, images, masks = synced(1, LipSyncSettings(blend=everything, occluders=white(1)), seconds=0.4)
    assert len(images) == 10
    assert torch.isfinite(images).all()
    assert (masks.amax(dim=(1, 2)) > 0.99).all()


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


@settings(deadline=None)
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
