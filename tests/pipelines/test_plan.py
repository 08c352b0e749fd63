"""What a run will do: refusals and advice before anything is painted, and the blocks of frames."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import SpeakerFaces
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.plan import LipSyncSettings, plan_blocks, plan_lip_sync
from stamp_engine import HEIGHT, WIDTH, StampEngine, clip_of, face_landmarks, faces_at, tone


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
