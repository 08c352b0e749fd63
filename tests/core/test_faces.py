"""Values that cross folders are checked when they are made, so that a wrong table is found where it is born."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import CropPlan, CropSettings, MotionSettings
from made_up_faces import box_at, clip_faces

TABLE = clip_faces([(0, 0, box_at(300)), (2, 0, box_at(300)), (2, 1, box_at(600))], [0, 0, 1])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": np.array([2, 0, 2], np.int32)}, "in the order of their frames"),
        ({"frames": np.array([0, 2, 3], np.int32)}, "frames 0-3 of a clip with 3"),
        ({"frames": np.array([-1, 0, 2], np.int32)}, "frames -1-2"),
        ({"frames": np.array([0, 2], np.int32)}, "a table of 2 faces"),
        ({"scores": np.ones(2, np.float32)}, "a table of 3 faces"),
        ({"likeness": np.zeros((1, 0), np.float32)}, "of 2 people"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(wrong: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(TABLE, **wrong)


@pytest.mark.parametrize("smoothing", [-0.1, 1.1, float("nan")])
def test_smoothing_out_of_range(smoothing: float) -> None:
    with pytest.raises(InputError, match="a smoothing from 0 to 1"):
        MotionSettings(smoothing=smoothing)


def test_negative_gaps_and_margins_name_their_input() -> None:
    with pytest.raises(InputError, match="bridge_gaps"):
        MotionSettings(bridge=-1)
    with pytest.raises(InputError, match="extra_margin"):
        CropSettings(margin=-1)


def test_landmarks_move_with_their_crop() -> None:
    plan = CropPlan(np.array([False, True]), np.array([[0, 0, 0, 0], [10, 20, 60, 120]], np.int32), (0, 0))
    points = np.tile(np.array([[10, 20], [60, 120], [35, 70], [-15, 20]], np.float32), (17, 1))[None]
    moved = plan.to_crop(points, np.array([1]), 256)
    assert moved[0, :4].tolist() == [[0, 0], [256, 256], [128, 128], [-128, 0]]
    with pytest.raises(ValueError, match="rectangle"):
        plan.rect(0)
