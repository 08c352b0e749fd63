"""Detection on thumbnails of any size, and which of overlapping boxes stays."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lipsync_studio.pipelines.faces.detect import SAME_FACE, Detector, distinct, overlap
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(least_score=0.6)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 5), (10, 131), (29, 60)])
def test_thumbnails_need_no_special_size(detector: Detector, astronaut: NDArray, top: int, left: int) -> None:
    whole = detector.detect(torch.from_numpy(astronaut)[None])[0]
    part = detector.detect(torch.from_numpy(astronaut[top:, left:].copy())[None])[0]
    assert len(whole) == len(part) == 1
    # The network's own boxes move by some px (of 90) with its grid of cells; padding must not move them further.
    np.testing.assert_allclose(part.boxes[0] + (left, top, left, top), whole.boxes[0], atol=5)


def test_a_batch_of_pictures_with_and_without_a_face(detector: Detector, astronaut: NDArray) -> None:
    pictures = np.stack([np.zeros_like(astronaut), astronaut, np.full_like(astronaut, 255)])
    assert [len(found) for found in detector.detect(torch.from_numpy(pictures))] == [0, 1, 0]


def test_two_faces_come_best_first(detector: Detector, astronaut: NDArray) -> None:
    dim = (astronaut * 0.25).astype(np.uint8)
    found = detector.detect(torch.from_numpy(np.concatenate([dim, astronaut], axis=1))[None])[0]
    assert len(found) == 2
    assert found.scores[0] >= found.scores[1]
    assert sorted((found.boxes[:, 0] > 512).tolist()) == [False, True]


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ([0, 0, 10, 10], 1.0),
        ([10, 0, 20, 10], 0.0),
        ([5, 0, 15, 10], 1 / 3),
        ([0, 0, 5, 5], 0.25),
        ([3, 3, 3, 8], 0.0),
        ([8, 8, 2, 2], 0.0),
    ],
    ids=["same", "touching", "half beside", "quarter inside", "no width", "inside out"],
)
def test_overlap_of_two_boxes(other: list[float], expected: float) -> None:
    assert overlap(np.array([[0, 0, 10, 10]], np.float32), np.array([other], np.float32))[0, 0] == pytest.approx(
        expected
    )


@st.composite
def box_lists(draw: st.DrawFn) -> NDArray[np.float32]:
    count = draw(st.integers(0, 12))
    corners = draw(arrays(np.float32, (count, 2), elements=st.integers(0, 40).map(float)))
    sizes = draw(arrays(np.float32, (count, 2), elements=st.integers(1, 40).map(float)))
    return np.concatenate([corners, corners + sizes], axis=1)


@given(box_lists())
def test_what_stays_is_apart_and_what_goes_had_a_better_one(boxes: NDArray[np.float32]) -> None:
    kept = distinct(boxes)
    overlaps = overlap(boxes, boxes)
    assert (overlaps[np.ix_(kept, kept)][~np.eye(len(kept), dtype=bool)] <= SAME_FACE).all()
    for gone in set(range(len(boxes))) - set(kept.tolist()):
        assert any(better < gone and overlaps[better, gone] > SAME_FACE for better in kept)
