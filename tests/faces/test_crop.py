"""The crop box against the reference's own numbers (goldens), and at the borders the reference leaves open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.faces import CropSettings, FaceTrack
from lipsync_studio.pipelines.faces import pieces
from lipsync_studio.pipelines.faces.crop import plan_crops, reaching
from safetensors.numpy import load_file

GOLDENS = Path(__file__).resolve().parent.parent / "goldens"
CASES = json.loads((GOLDENS / "bbox.json").read_text())["cases"]


def track_of(landmarks: np.ndarray, box: list[float], width: int, height: int) -> FaceTrack:
    """A track of frames that all show the same face box."""
    count = len(landmarks)
    return FaceTrack(
        present=np.ones(count, dtype=bool),
        bridged=np.zeros(count, dtype=bool),
        landmarks=landmarks.astype(np.float32),
        boxes=np.tile(np.array(box, np.float32), (count, 1)),
        shot=np.zeros(count, dtype=np.int32),
        width=width,
        height=height,
    )


def golden_track(name: str, height: int, width: int) -> FaceTrack:
    landmarks = load_file(GOLDENS / "bbox.safetensors")[f"{name}.landmarks"]
    return track_of(landmarks[None], json.loads((GOLDENS / "bbox.json").read_text())["detector_box"], width, height)


@pytest.mark.parametrize("case", CASES, ids=[f"{case['set']} {case['bbox_shift']:+d}" for case in CASES])
def test_boxes_are_those_of_the_reference(case: dict) -> None:
    track = golden_track(case["set"], *case["frame_hw"])
    shift = case["bbox_shift"]

    first = plan_crops(track, CropSettings(shift=shift))

    left, top, right, bottom = case["box"]
    assert first.boxes.tolist() == [[left, top, right, min(bottom, track.height)]]
    assert first.shift_range == (-case["range_minus"], case["range_plus"])
    for margin, box in case["v15"].items():
        plan = plan_crops(track, CropSettings(shift=shift, margin=int(margin)))
        assert plan.boxes.tolist() == [box]
        assert plan.valid.tolist() == [True]


def test_an_open_margin_is_the_engines_own() -> None:
    track = golden_track("yongen_0", 1216, 704)
    assert plan_crops(track, CropSettings(), own_margin=10).boxes.tolist() == [[220, 296, 459, 534]]
    assert plan_crops(track, CropSettings(margin=0), own_margin=10).boxes.tolist() == [[220, 296, 459, 524]]


def test_all_golden_faces_at_once_give_what_each_gives_alone() -> None:
    landmarks = np.stack(list(load_file(GOLDENS / "bbox.safetensors").values()))
    box = [210.0, 150.0, 470.0, 560.0]
    together = plan_crops(track_of(landmarks, box, 704, 1216), CropSettings(shift=3))
    alone = [plan_crops(track_of(one[None], box, 704, 1216), CropSettings(shift=3)).boxes[0] for one in landmarks]
    assert together.boxes.tolist() == np.stack(alone).tolist()


def test_absent_frames_have_no_crop_and_do_not_count_for_the_range() -> None:
    track = golden_track("yongen_0", 1216, 704)
    twice = FaceTrack(
        present=np.array([False, True]),
        bridged=np.zeros(2, dtype=bool),
        landmarks=np.concatenate([np.zeros_like(track.landmarks), track.landmarks]),
        boxes=np.concatenate([np.zeros_like(track.boxes), track.boxes]),
        shot=np.zeros(2, dtype=np.int32),
        width=704,
        height=1216,
    )
    plan = plan_crops(twice, CropSettings())
    assert plan.valid.tolist() == [False, True]
    assert plan.boxes[0].tolist() == [0, 0, 0, 0]
    assert plan.shift_range == (-14, 26)


@pytest.mark.parametrize(
    ("moved", "valid"),
    [((0, 0), True), ((600, 0), False), ((0, 1000), False), ((-600, 0), False), ((240, 0), True)],
    ids=["inside", "right of the picture", "below it", "left of it", "half inside"],
)
def test_a_box_with_nothing_inside_the_picture_is_not_valid(moved: tuple[int, int], valid: bool) -> None:
    track = golden_track("yongen_0", 1216, 704)
    box = np.array([210, 150, 470, 560], np.float32) + np.array([*moved, *moved], np.float32)
    plan = plan_crops(track_of(track.landmarks + np.array(moved, np.float32), box.tolist(), 704, 1216), CropSettings())
    assert plan.valid.tolist() == [valid]
    if not valid:
        assert plan.boxes.tolist() == [[0, 0, 0, 0]]


def test_a_clip_without_the_person_has_no_crop_and_no_range() -> None:
    track = golden_track("yongen_0", 1216, 704)
    plan = plan_crops(replace(track, present=np.zeros(1, dtype=bool)), CropSettings())
    assert not plan.valid.any()
    assert plan.shift_range == (0, 0)


@pytest.mark.parametrize(
    ("upper", "top"),
    [(0, 296), (20, 316), (-20, 276), (-296, 0), (-400, 0), (114, 410), (300, 410)],
    ids=["where it mirrors", "lower", "higher", "at the edge", "beyond the edge", "half line", "below the half line"],
)
def test_the_upper_edge_moves_within_the_picture_and_above_the_half_line(upper: int, top: int) -> None:
    """The half line of this face is at 410 px, its chin at 524 px."""
    track = golden_track("yongen_0", 1216, 704)
    assert plan_crops(track, CropSettings(upper=upper)).boxes.tolist() == [[220, top, 459, 524]]


def test_the_upper_edge_of_the_detectors_box_does_not_move() -> None:
    """Where the landmarks leave no box, as in the reference when the shift is too large."""
    track = golden_track("yongen_0", 1216, 704)
    plan = plan_crops(track, CropSettings(shift=200, upper=20))
    assert plan.boxes.tolist() == [[210, 150, 470, 560]]


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 99), st.integers(-30, 30), st.integers(-90, 90))
def test_blocks_leave_no_trace(count: int, block: int, seed: int, shift: int, upper: int) -> None:
    random = np.random.RandomState(seed)
    place = random.uniform(-100, 800, (count, 1, 2))
    landmarks = place + random.uniform(0, 200, (count, 68, 2))
    track = track_of(landmarks, [10, 20, 110, 140], 704, 1216)
    track = replace(track, present=random.rand(count) < 0.7)
    settings = CropSettings(shift=shift, upper=upper)
    whole = plan_crops(track, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "BLOCK", block)
        piecewise = plan_crops(track, settings)
    assert piecewise.boxes.tolist() == whole.boxes.tolist()
    assert piecewise.valid.tolist() == whole.valid.tolist()
    assert piecewise.shift_range == whole.shift_range


@given(st.integers(0, 99), st.integers(-300, 300), st.integers(-300, 300), st.integers(0, 200))
def test_a_valid_crop_has_an_area_and_shows_some_of_the_picture(seed: int, shift: int, upper: int, margin: int) -> None:
    random = np.random.RandomState(seed)
    landmarks = random.uniform(-300, 1300, (20, 1, 2)) + random.uniform(0, 300, (20, 68, 2))
    track = track_of(landmarks, random.uniform(-200, 1300, 4).tolist(), 704, 1216)
    plan = plan_crops(track, CropSettings(shift=shift, upper=upper, margin=margin))
    for x0, y0, x1, y1 in plan.boxes[plan.valid].tolist():
        assert 0 <= x0 < min(x1, 704)
        assert 0 <= y0 < y1 <= 1216
    assert not plan.boxes[~plan.valid].any()


def test_crops_reach_as_far_as_the_engine_wants_and_the_picture_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 2)
    landmarks = load_file(GOLDENS / "bbox.safetensors")["yongen_0.landmarks"]
    track = track_of(np.stack([landmarks, landmarks * 0, landmarks]), [200, 250, 480, 560], 704, 1216)
    plan = replace(plan_crops(track, CropSettings()), valid=np.array([True, False, True]))
    wanted = np.array([210.5, -40.0, 900.0, 540.2], np.float32)
    wider = reaching(plan, track, lambda given: np.tile(wanted, (len(given), 1)))
    left, _, _, _ = plan.boxes[0]
    assert wider.boxes[[0, 2]].tolist() == [[min(left, 210), 0, 704, 541]] * 2
    assert wider.boxes[1].tolist() == plan.boxes[1].tolist(), "a frame without a crop still has none"
    nothing = reaching(plan, track, lambda given: np.tile(np.float32([300, 300, 301, 301]), (len(given), 1)))
    assert np.array_equal(nothing.boxes, plan.boxes)
    beyond = replace(plan, boxes=plan.boxes + np.int32([0, 0, 704, 0]))
    ended = reaching(beyond, track, lambda given: np.tile(np.float32([300, 300, 301, 301]), (len(given), 1)))
    assert ended.boxes[[0, 2], 2].tolist() == [704] * 2, "what lies beyond is no repeated edge"
