"""Where LatentSync lays a face: matrices against the reference's, and what holds for any face.

Tolerances are the golden's: 1e-5 (linear part) and 5e-4 px (shift).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.engines.latentsync import alignment, warp
from numpy.typing import NDArray
from safetensors.numpy import load_file

Arrays = dict[str, NDArray[np.float32]]


@pytest.fixture(scope="module")
def affine(goldens: Path) -> Arrays:
    return load_file(goldens / "latentsync_affine.safetensors")


def steadied(points: NDArray[np.float32], resolution: int) -> tuple[alignment.Doubles, alignment.Doubles]:
    """Matrices and biases of the frames of one shot."""
    template = alignment.TEMPLATE * (alignment.PX_PER_UNIT * resolution / 256)
    matrices, biases = alignment.similarities(points.astype(np.float64), template)
    biases = alignment.NoseBias().follow(biases, np.arange(len(points)), shot=0)
    matrices[:, :, 2] += biases
    return matrices, biases


def assert_matrices(found: alignment.Doubles, wanted: NDArray[np.float32]) -> None:
    off = np.abs(found - wanted)
    assert off[..., :2].max() < 1e-5
    assert off[..., 2].max() < 5e-4


@pytest.mark.parametrize("resolution", [256, 512])
def test_faces_are_aligned_as_the_reference_aligns_them(affine: Arrays, resolution: int) -> None:
    matrices, biases = steadied(affine["points3"], resolution)
    assert_matrices(matrices, affine[f"M_{resolution}"])
    assert np.abs(biases - affine[f"p_bias_{resolution}"]).max() < 1e-5


@pytest.mark.parametrize("resolution", [256, 512])
def test_the_three_points_of_68_landmarks_are_the_references(affine: Arrays, resolution: int) -> None:
    points = alignment.three_points(affine["lm68.landmarks"])
    assert np.abs(points - affine["lm68.points3"]).max() < 1e-4
    assert_matrices(steadied(points, resolution)[0], affine[f"lm68.M_{resolution}"])


def test_a_mirrored_face_is_turned_not_mirrored(affine: Arrays) -> None:
    matrices, _ = steadied(affine["mirror_points3"][None], 256)
    assert_matrices(matrices[0], affine["mirror_M_256"])
    assert np.linalg.det(matrices[0, :, :2]) > 0


@given(
    turn=st.floats(-3, 3),
    scale=st.floats(0.1, 10),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_face_that_is_the_template_turned_and_moved_comes_to_its_very_place(
    turn: float, scale: float, shift: tuple[float, float]
) -> None:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    points = scale * alignment.TEMPLATE @ rotation.T + shift
    matrices, _ = alignment.similarities(points[None], alignment.TEMPLATE)
    assert np.abs(points @ matrices[0, :, :2].T + matrices[0, :, 2] - alignment.TEMPLATE).max() < 1e-6


@given(
    size=st.tuples(st.floats(50, 2000), st.floats(50, 2000)),
    side=st.sampled_from([256, 512]),
    seed=st.integers(0, 99),
)
def test_a_stretched_crop_is_aligned_as_the_picture_is(size: tuple[float, float], side: int, seed: int) -> None:
    """Scaling a picture moves pixel x to (x + 0.5) s - 0.5, and landmarks from x to x s, as `CropPlan` does."""
    landmarks = np.random.default_rng(seed).uniform(10, 200, (1, 68, 2)).astype(np.float32)
    scale = side / np.array(size)
    there = np.array([[3.0, 7.0], [40.0, 21.0]])
    arguments = np.zeros(1, np.int64), 0
    ones = np.ones((1, 2), np.float32)
    (own,) = alignment.Aligner(256).matrices(landmarks, ones, (1, 1), *arguments)
    (cropped,) = alignment.Aligner(256).matrices(
        (landmarks * scale).astype(np.float32), np.array([size], np.float32), (side, side), *arguments
    )
    wanted = there @ own[:, :2].T + own[:, 2]
    assert np.abs(((there + 0.5) * scale - 0.5) @ cropped[:, :2].T + cropped[:, 2] - wanted).max() < 0.02


@pytest.mark.parametrize(
    ("frames", "shots", "wanted"),
    [
        ([0, 1, 2], [0, 0, 0], [0.0, 0.8, 1.76]),
        ([0, 1, 2], [0, 0, 1], [0.0, 0.8, 2.0]),  # a cut
        ([0, 1, 5], [0, 0, 0], [0.0, 0.8, 5.0]),  # a jump
        ([2, 1, 0], [0, 0, 0], [2.0, 1.2, 0.24]),  # backwards
        ([0, 1, 1, 0, 0, 1, 2], [0] * 7, [0.0, 0.8, 0.8, 0.0, 0.0, 0.8, 1.76]),  # ping-pong
    ],
)
def test_the_bias_follows_within_a_shot_and_knows_what_it_gave(
    frames: list[int], shots: list[int], wanted: list[float]
) -> None:
    bias = alignment.NoseBias()
    found = [
        bias.follow(np.full((1, 2), float(frame)), np.array([frame]), shot)[0, 0]
        for frame, shot in zip(frames, shots, strict=True)
    ]
    assert found == pytest.approx(wanted)


def test_few_biases_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MOST_KNOWN", 10)
    bias = alignment.NoseBias()
    for first in range(0, 400, 16):
        indices = np.arange(first, first + 16)
        assert len(bias.follow(np.ones((16, 2)), indices, 0)) == 16
    assert len(bias._known) == 10


def test_the_box_holds_the_whole_upright_face(affine: Arrays) -> None:
    landmarks = affine["lm68.landmarks"]
    boxes = alignment.face_boxes(landmarks)
    matrices, _ = steadied(alignment.three_points(landmarks), 256)
    width, height = alignment.face_size(256)
    corners = np.array([[-1, -1], [width, -1], [width, height], [-1, height]], float)
    for box, matrix in zip(boxes, matrices, strict=True):
        there = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        assert (there.min(axis=0) >= box[:2]).all()
        assert (there.max(axis=0) <= box[2:]).all()
        assert np.abs(np.concatenate([there.min(axis=0), there.max(axis=0)]) - box).max() < 8, "and little more"


def test_landmarks_that_are_no_face_do_no_harm() -> None:
    landmarks = np.full((1, 68, 2), 30, np.float32)
    assert np.isfinite(alignment.face_boxes(landmarks)).all()
    (matrix,) = alignment.Aligner(256).matrices(landmarks, np.ones((1, 2)), (1, 1), np.zeros(1, np.int64), 0)
    found = warp.laid_back(np.zeros((64, 64, 3), np.float32), np.ones((256, 256, 3), np.float32), matrix)
    assert np.isfinite(found).all()
