"""Wav2Lip's crop boxes: its averaging against the reference's own numbers (exact), and where they may lie."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.faces import CropPlan, CropSettings, FaceTrack
from lipsync_studio.pipelines.faces.crop import plan_crops
from lipsync_studio.pipelines.faces.detector_crop import averaged, on_detected_boxes
from made_up_faces import HEIGHT, SHAPE, WIDTH, track_of
from safetensors.numpy import load_file


def boxes_of(*boxes: tuple[float, float, float, float]) -> FaceTrack:
    """A track in one shot, everywhere present."""
    given = np.array(boxes, np.float32)
    landmarks = np.tile(SHAPE * 100 + 400, (len(given), 1, 1)).astype(np.float32)
    return track_of(landmarks, given, [True] * len(given), [0] * len(given))


def crops_of(track: FaceTrack, own_margin: int = 0, **settings: int) -> CropPlan:
    chosen = CropSettings(**settings)
    return on_detected_boxes(plan_crops(track, chosen, own_margin), track, chosen, own_margin)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 12])
def test_averages_are_the_references(goldens: Path, count: int) -> None:
    golden = load_file(goldens / "wav2lip_pipeline.safetensors")
    assert averaged(golden[f"boxes_in_{count}"]).tolist() == golden[f"boxes_out_{count}"].tolist()


def test_a_box_is_the_detectors_cut_to_whole_pixels_with_room_below() -> None:
    assert crops_of(boxes_of((10.9, 20.9, 110.9, 140.9)), own_margin=10).boxes.tolist() == [[10, 20, 110, 150]]
    assert crops_of(boxes_of((10.9, 20.9, 110.9, 140.9)), own_margin=10, margin=0).boxes.tolist() == [
        [10, 20, 110, 140]
    ]


@pytest.mark.parametrize(
    ("settings", "box"),
    [
        ({"shift": 5}, [100, 110, 200, 240]),
        ({"shift": -5}, [100, 90, 200, 240]),
        ({"shift": -100}, [100, 0, 200, 240]),
        ({"shift": 500}, None),
        ({"upper": -7}, [100, 93, 200, 240]),
        ({"upper": 500}, [100, 170, 200, 240]),
    ],
)
def test_the_middle_and_the_upper_edge_can_be_moved(settings: dict[str, int], box: list[int] | None) -> None:
    plan = crops_of(boxes_of((100, 100, 200, 240)), **settings)
    assert plan.valid.tolist() == [box is not None]
    assert plan.boxes.tolist() == [box or [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("box", "crop"),
    [
        ((-30, -20, 50, 60), [0, 0, 50, 70]),
        ((WIDTH - 50, HEIGHT - 50, WIDTH + 30, HEIGHT - 5), [WIDTH - 50, HEIGHT - 50, WIDTH, HEIGHT]),
        ((-90, 10, -10, 90), None),
        ((WIDTH + 10, 10, WIDTH + 90, 90), None),
    ],
    ids=["upper left", "lower right", "left of it", "right of it"],
)
def test_boxes_end_at_the_pictures_edges(box: tuple[float, ...], crop: list[int] | None) -> None:
    plan = crops_of(boxes_of(box), own_margin=10)  # type: ignore[arg-type]
    assert plan.valid.tolist() == [crop is not None]
    assert plan.boxes.tolist() == [crop or [0, 0, 0, 0]]


def test_no_average_crosses_a_cut_or_a_gap() -> None:
    left, right = (100.0, 100.0, 200.0, 240.0), (500.0, 100.0, 600.0, 240.0)
    moving = boxes_of(*[left] * 6, *[right] * 6)
    assert 100 < crops_of(moving).boxes[5, 0] < 500
    for apart in (
        replace(moving, shot=np.array([0] * 6 + [1] * 6, np.int32)),
        replace(moving, present=np.array([True] * 5 + [False] * 2 + [True] * 5)),
    ):
        plan = crops_of(apart)
        assert np.array_equal(plan.valid, apart.present)
        assert plan.boxes[:5].tolist() == [list(left)] * 5
        assert plan.boxes[7:].tolist() == [list(right)] * 5


def test_the_shift_range_stays_that_of_the_landmarks() -> None:
    track = boxes_of((100, 100, 200, 240))
    assert crops_of(track).shift_range == plan_crops(track, CropSettings()).shift_range


@given(
    boxes=st.lists(st.tuples(*[st.integers(-2000, 2000)] * 2, *[st.integers(1, 900)] * 2), min_size=1, max_size=12),
    shift=st.integers(-200, 200),
    upper=st.integers(-400, 400),
    margin=st.integers(0, 400),
)
def test_valid_boxes_lie_in_the_picture(
    boxes: list[tuple[int, int, int, int]], shift: int, upper: int, margin: int
) -> None:
    plan = crops_of(boxes_of(*[(x, y, x + w, y + h) for x, y, w, h in boxes]), shift=shift, upper=upper, margin=margin)
    inside = plan.boxes[plan.valid]
    assert (inside[:, :2] >= 0).all()
    assert (inside[:, 2:] <= (WIDTH, HEIGHT)).all()
    assert (inside[:, :2] < inside[:, 2:]).all()
