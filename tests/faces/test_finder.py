"""Landmarks of real faces against MediaPipe: upright, turned, at the edge, small, large."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.faces import TRUSTED, Face
from lipsync_studio.pipelines.faces.finder import SMALLEST, THUMBNAIL, FaceFinder, thumbnails
from lipsync_studio.pipelines.faces.ibug import MESH_POINTS
from lipsync_studio.pipelines.faces.likeness import SAME, likenesses
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch.nn import functional

# Outer corners of the eyes among the iBUG points.
EYES = (36, 45)


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def find(finder: FaceFinder, clip_of: Callable) -> Callable[[NDArray], list[Face]]:
    """The faces of one picture."""

    def find(pixels: NDArray) -> list[Face]:
        (chunk,) = clip_of([pixels]).read([np.array([0])])
        return finder.find(chunk, thumbnails(chunk))[0]

    return find


def eye_distance(landmarks: NDArray) -> float:
    return float(np.linalg.norm(landmarks[EYES[0]] - landmarks[EYES[1]]))


def error(landmarks: NDArray, expected: NDArray) -> float:
    """Mean distance in parts of the distance between the outer eye corners."""
    return float(np.linalg.norm(landmarks - expected, axis=1).mean()) / eye_distance(expected)


def moved(pixels: NDArray, matrix: NDArray, width: int, height: int) -> NDArray:
    """The picture under an affine map [2, 3] of pixel places, black outside, as thinly sampled as it must be."""
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    places = np.stack([*np.meshgrid(np.arange(width), np.arange(height)), np.ones((height, width))], axis=-1)
    source = places @ inverse.T
    grid = torch.from_numpy((2 * source + 1) / (pixels.shape[1], pixels.shape[0]) - 1).float()
    planes = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    return functional.grid_sample(planes, grid[None], align_corners=False)[0].permute(1, 2, 0).round().byte().numpy()


def turned(angle: float, x: float = 223, y: float = 120) -> NDArray:
    """Rotation about the astronaut's face, degrees clockwise as seen."""
    c, s = cos(radians(angle)), sin(radians(angle))
    return np.array([[c, -s, x - c * x + s * y], [s, c, y - s * x - c * y]])


def test_landmarks_agree_with_mediapipe(find: Callable, astronaut: NDArray, goldens: Path) -> None:
    golden = load_file(goldens / "faces.safetensors")
    (face,) = find(astronaut)
    followed, single = golden["mediapipe.video"][MESH_POINTS], golden["mediapipe.image"][MESH_POINTS]
    assert error(face.landmarks, followed) < 0.01
    assert error(face.landmarks, single) < 0.02
    assert np.linalg.norm(face.landmarks - followed, axis=1).max() < 0.04 * eye_distance(followed)
    assert face.score > 0.99
    np.testing.assert_allclose(face.box, golden["yunet.boxes"][0], atol=0.05)


@pytest.mark.parametrize("angle", [-45, -20, 10, 30, 45])
def test_turned_faces(find: Callable, astronaut: NDArray, angle: float) -> None:
    (upright,) = find(astronaut)
    matrix = turned(angle)
    (face,) = find(moved(astronaut, matrix, 512, 512))
    expected = upright.landmarks @ matrix[:, :2].T + matrix[:, 2]
    assert error(face.landmarks, expected) < 0.03
    assert face.score > 0.9


@pytest.mark.parametrize(("right", "down", "allowed"), [(-170, 0, 0.02), (0, -60, 0.02), (240, 0, 0.04), (0, 380, 0.1)])
def test_faces_at_the_edge(find: Callable, astronaut: NDArray, right: int, down: int, allowed: float) -> None:
    (whole,) = find(astronaut)
    (face,) = find(moved(astronaut, np.array([[1, 0, right], [0, 1, down]]), 512, 512))
    assert error(face.landmarks, whole.landmarks + np.array([right, down])) < allowed
    assert face.score >= TRUSTED


@pytest.mark.parametrize(("side", "allowed"), [(40, 0.03), (20, 0.1)])
def test_small_faces(find: Callable, astronaut: NDArray, side: int, allowed: float) -> None:
    """side: height of the face's box in px, in a picture that is not scaled down further."""
    (whole,) = find(astronaut)
    scale = side / (whole.box[3] - whole.box[1])
    small = functional.interpolate(
        torch.from_numpy(astronaut).permute(2, 0, 1)[None].float(), scale_factor=scale, mode="bilinear", antialias=True
    )
    canvas = np.zeros((360, THUMBNAIL, 3), np.uint8)
    pixels = small[0].permute(1, 2, 0).round().byte().numpy()
    canvas[100 : 100 + len(pixels), 200 : 200 + pixels.shape[1]] = pixels
    (face,) = find(canvas)
    assert side >= SMALLEST * THUMBNAIL
    assert error(face.landmarks, whole.landmarks * scale + (200, 100)) < allowed


def test_a_face_in_a_large_picture_is_finer_than_its_thumbnail(find: Callable, astronaut: NDArray) -> None:
    (whole,) = find(astronaut)
    large = moved(astronaut, np.array([[4.0, 0, 900], [0, 4.0, 0]]), 3840, 2160)
    (face,) = find(large)
    assert error(face.landmarks, whole.landmarks * 4 + (900, 0)) < 0.01


def test_a_face_that_fills_the_picture(find: Callable, astronaut: NDArray) -> None:
    (whole,) = find(astronaut)
    (face,) = find(astronaut[63:176, 170:283].repeat(6, axis=0).repeat(6, axis=1))
    assert error(face.landmarks, (whole.landmarks - (170, 63)) * 6) < 0.05


def test_a_face_on_its_side_is_not_trusted(find: Callable, astronaut: NDArray) -> None:
    assert all(face.score < TRUSTED for face in find(moved(astronaut, turned(90), 512, 512)))


def test_faces_know_what_they_look_like(find: Callable, astronaut: NDArray) -> None:
    """Also in a picture that is scaled down for the search; in the dark nothing is known."""
    (face,) = find(astronaut)
    (large,) = find(astronaut.repeat(3, axis=0).repeat(3, axis=1))
    (dark,) = find((astronaut * 0.08).astype(np.uint8))
    np.testing.assert_allclose(face.likeness, likenesses(astronaut, face.box[None])[0], atol=1e-6)
    assert face.likeness @ large.likeness > SAME
    assert dark.likeness.shape == (0,)


def test_the_largest_of_a_crowd_get_landmarks(find: Callable, astronaut: NDArray) -> None:
    small = astronaut[20:220, 120:320]
    crowd = np.tile(small, (3, 5, 1))
    crowd[200:400, 400:600] = 0
    crowd = np.concatenate([crowd, astronaut[:, 100:400].repeat(2, axis=0).repeat(2, axis=1)[:600]], axis=1)
    faces = find(crowd)
    assert len(faces) == 8
    assert max(face.box[2] for face in faces) > 1000


def test_a_chunk_keeps_its_pictures_apart(finder: FaceFinder, clip_of: Callable, astronaut: NDArray) -> None:
    mirrored = astronaut[:, ::-1].copy()
    (chunk,) = clip_of([astronaut, np.zeros_like(astronaut), mirrored]).read([np.arange(3)])
    first, none, last = finder.find(chunk, thumbnails(chunk))
    assert [len(first), len(none), len(last)] == [1, 0, 1]
    assert first[0].box[2] < 300 < last[0].box[2]


@pytest.mark.parametrize(
    ("size", "expected"), [((1920, 1080), (640, 360)), ((704, 1216), (371, 640)), ((320, 240), (320, 240))]
)
def test_thumbnails_fit_without_enlarging(clip_of: Callable, size: tuple[int, int], expected: tuple[int, int]) -> None:
    (chunk,) = clip_of([np.zeros((size[1], size[0], 3), np.uint8)] * 2).read([np.arange(2)])
    assert thumbnails(chunk).shape == (2, expected[1], expected[0], 3)


def test_no_mesh_point_serves_twice() -> None:
    assert len(MESH_POINTS) == len(set(MESH_POINTS.tolist())) == 68


def test_the_68_points_lie_where_ibug_puts_them(find: Callable, astronaut: NDArray) -> None:
    (face,) = find(astronaut)
    x, y = face.landmarks.T
    assert x[:4].max() < x[4:13].min() < x[4:13].max() < x[13:17].min()  # the jaw
    assert y[8] == y.max()  # the chin
    assert (np.diff(y[[27, 28, 29, 30, 33, 51, 62, 66, 57, 8]]) > 0).all()  # bridge, nose, lips, chin, downwards
    assert x[36] < x[39] < x[42] < x[45]
    assert x[48] < x[51] < x[54]
