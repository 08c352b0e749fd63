"""The pipeline on one page, on IMAGE batches: every frame at its own place, whatever faces come and go."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.mouth_shapes import MouthShapes
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.plan import LipSyncSettings
from stamp_engine import HEIGHT, WIDTH, StampEngine, clip_of, face_landmarks, faces_at, stamp, tone


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


def test_a_fourth_channel_is_left_alone() -> None:
    images = torch.rand((2, HEIGHT, WIDTH, 4), generator=torch.Generator().manual_seed(1))
    synced, _, _ = lip_sync_images(
        ImageClip(images, Fraction(25)), faces_at([True] * 2), tone(0.08), StampEngine(), LipSyncSettings(), PlainHost()
    )
    assert synced.shape == images.shape
    assert torch.equal(synced[..., 3], images[..., 3])
    assert not torch.equal(synced[..., :3], images[..., :3])


def test_words_tell_better_than_loudness_where_nobody_sings() -> None:
    clip, engine = clip_of(50), StampEngine()
    words = Timings((Line.of((Word("la", 0.0, 0.4),)), Line.of((Word("la", 1.6, 2.0),))))
    sync = LipSyncSettings(restore_in_silence=True, words=words)
    images, _, report = lip_sync_images(clip, faces_at([True] * 50), tone(2.0), engine, sync, PlainHost())
    assert set(report.fates[:11]) == set(report.fates[40:]) == {"synced"}
    assert set(report.fates[16:34]) == {"kept in silence"}
    assert torch.equal(images[16:34], clip.images[16:34])


class SmallHost(PlainHost):
    """A host with a megabyte to spare."""

    def free_memory(self) -> int:
        return 1_000_000


def test_a_result_that_does_not_fit_into_memory_is_refused_before_it_is_made() -> None:
    engine = StampEngine()
    with pytest.raises(InputError, match="Use LipSync Video"):
        lip_sync_images(clip_of(4), faces_at([True] * 4), tone(60.0), engine, LipSyncSettings(), SmallHost())
    assert not engine.batches


def test_the_engine_is_told_each_crop_s_size_in_the_picture_and_its_shot() -> None:
    engine = StampEngine()
    faces = faces_at([True] * 6, shots=[0, 0, 0, 0, 1, 1])
    lip_sync_images(clip_of(6), faces, tone(0.24), engine, LipSyncSettings(), PlainHost())
    assert [batch.shot for batch in engine.batches] == [0, 1]
    for batch in engine.batches:
        outline = np.ptp(batch.landmarks * batch.sizes[:, None] / batch.crops.shape[1], axis=1)
        assert np.allclose(outline, np.ptp(face_landmarks(), axis=0), atol=1e-3)
