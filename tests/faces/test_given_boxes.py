"""Boxes of other nodes: every way to write them, and the landmarks found inside them."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from math import cos, radians, sin

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import TRUSTED, Face
from lipsync_studio.pipelines.faces.finder import FaceFinder, thumbnails
from lipsync_studio.pipelines.faces.given import given_finder
from lipsync_studio.pipelines.faces.given_boxes import Boxes, boxes_of
from lipsync_studio.pipelines.faces.given_clip import Clip
from lipsync_studio.pipelines.faces.likeness import SAME
from numpy.typing import NDArray
from PIL import Image

CLIP = Clip(frames=3, width=400, height=300)
A, B, C = (10, 20, 30, 40), (50, 60, 70, 80), (90, 100, 110, 120)  # x, y, width, height

Literal4 = namedtuple("Literal4", "x y width height")


def named(box: tuple[int, ...], **more: object) -> dict[str, object]:
    return dict(zip(("x", "y", "width", "height"), box, strict=True)) | more


def listed(boxes: Boxes, frames: int = CLIP.frames) -> list[list[tuple[float, ...]]]:
    """x, y, width, height of the boxes in each frame."""
    sized = [np.c_[boxes.of(frame)[:, :2], boxes.of(frame)[:, 2:] - boxes.of(frame)[:, :2]] for frame in range(frames)]
    return [[tuple(box) for box in frame.tolist()] for frame in sized]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (named(A), [[A], [A], [A]]),  # core's Bounding Box node
        ([named(A)], [[A], [A], [A]]),
        ([named(A), named(B)], [[A, B], [A, B], [A, B]]),  # as core's Draw BBoxes reads a flat list
        ([named(A), named(B), named(C)], [[A, B, C]] * 3),
        ([[named(A), named(B)]], [[A, B], [A, B], [A, B]]),
        ([[named(A, label="face", score=0.9)], [], [named(B), named(C)]], [[A], [], [B, C]]),  # core's detectors
        ([[], [], []], [[], [], []]),
        (A, [[A], [A], [A]]),
        (Literal4(*A), [[A], [A], [A]]),  # mtb's Bbox
        ([A, B, C], [[A], [B], [C]]),  # KJNodes
        ([A], [[A], [A], [A]]),
        ([list(A), None, [*C, 0.9]], [[A], [], [C]]),
        ([[A, B], [], [C]], [[A, B], [], [C]]),
        ([A, (0, 0, 0, 0), C], [[A], [], [C]]),
        (np.array([A, B, C]), [[A], [B], [C]]),
        (torch.tensor(A), [[A], [A], [A]]),
        (tuple(torch.tensor(A, dtype=torch.float16)), [[A], [A], [A]]),
        (named(tuple(np.array(A)), mask=np.zeros((9, 9))), [[A], [A], [A]]),
        ([None, None, None], [[], [], []]),
        ([torch.tensor(A, dtype=torch.float32), torch.tensor(B), np.array(C)], [[A], [B], [C]]),
        (torch.tensor([[A, B], [B, C], [A, C]]), [[A, B], [B, C], [A, C]]),
        ([A, (500, 20, 30, 40), C], [[A], [], [C]]),  # beside the picture
    ],
)
def test_the_ways_to_write_boxes(value: object, expected: list) -> None:
    assert listed(boxes_of(value, CLIP)) == expected


def test_all_boxes_belong_to_the_only_frame() -> None:
    assert listed(boxes_of([A, B], Clip(1, 400, 300)), frames=1) == [[A, B]]


def test_corners() -> None:
    assert listed(boxes_of([(10, 20, 40, 60)], CLIP, "xyxy")) == [[A], [A], [A]]
    assert listed(boxes_of([named(A)], CLIP, "xyxy")) == [[A], [A], [A]]  # names say what they mean


@given(st.lists(st.tuples(*[st.integers(1, 100)] * 4), min_size=3, max_size=3))
def test_corners_and_sizes_of_the_same_boxes_agree(boxes: list[tuple[int, int, int, int]]) -> None:
    corners = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    by_corners = boxes_of(corners, CLIP, "xyxy")
    np.testing.assert_array_equal(by_corners.corners, boxes_of(boxes, CLIP, "xywh").corners)
    np.testing.assert_array_equal(by_corners.corners, np.array(corners, np.float32))


@pytest.mark.parametrize(
    ("value", "bbox_format", "message"),
    [
        ([(200, 20, 390, 60)], "xywh", "as xywh; got numbers that reach beyond the picture.*Set `bbox_format` to xyxy"),
        ([A, (200, 180, 30, 40), C], "xyxy", "do not go from one corner to the other.*Set `bbox_format` to xywh"),
        ([A, B], "xywh", "3 frames; got boxes of 2 frames"),
        ([[A], [B]], "xywh", "3 frames; got boxes of 2 frames"),
        ([(500, 20, 30, 40)], "xywh", r"inside the clip's 400x300.*from \(500, 20\) to \(530, 60\)"),
        ([(10, 20, float("nan"), 40)], "xywh", "NaN"),
        ([[named(A)], "face", []], "xywh", "got str face"),
        ([[A, 3]], "xywh", "got list"),
        (named(("left", 1, 2, 3)), "xywh", "got dict"),
        (torch.zeros(3, 64, 64, 4), "xywh", r"got Tensor of shape \[3, 64, 64, 4\]"),  # an IMAGE with alpha
        ([], "xywh", "an empty list"),
    ],
)
def test_boxes_that_cannot_be_right(value: object, bbox_format: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        boxes_of(value, CLIP, bbox_format)


@pytest.fixture(scope="module")
def find_in(clip_of: Callable) -> Callable[..., list[Face]]:
    """The faces in a box (corners) of one picture."""

    def find_in(pixels: NDArray, *boxes: NDArray) -> list[Face]:
        (chunk,) = clip_of([pixels]).read([np.array([0])])
        height, width = pixels.shape[:2]
        return given_finder(list(boxes), 1, width, height, "xyxy").find(chunk, thumbnails(chunk))[0]

    return find_in


@pytest.fixture(scope="module")
def own(clip_of: Callable, astronaut: NDArray) -> Face:
    """The astronaut's face as the embedded detector and mesh find it."""
    (chunk,) = clip_of([astronaut]).read([np.array([0])])
    return FaceFinder().find(chunk, thumbnails(chunk))[0][0]


def error(landmarks: NDArray, expected: NDArray) -> float:
    """Mean distance in parts of the distance between the outer eye corners."""
    return float(np.linalg.norm(landmarks - expected, axis=1).mean() / np.linalg.norm(expected[36] - expected[45]))


@pytest.mark.parametrize(
    ("scale", "shift"),
    [(0.8, (0.0, 0.0)), (1.0, (0.0, -0.3)), (1.5, (0.3, 0.0)), (2.0, (0.0, 0.0)), (2.0, (-0.2, 0.2))],
)
def test_rough_boxes_do(find_in: Callable, astronaut: NDArray, own: Face, scale: float, shift: tuple) -> None:
    """Landmarks within 2 % of the distance between the outer corners of the eyes, wherever the box begins."""
    middle, half = (own.box[:2] + own.box[2:]) / 2, (own.box[2:] - own.box[:2]) / 2
    middle = middle + np.array(shift) * 2 * half.max()
    (face,) = find_in(astronaut, np.r_[middle - half * scale, middle + half * scale])
    assert error(face.landmarks, own.landmarks) < 0.02
    assert face.score > 0.9
    assert np.abs(face.box - own.box).max() < 0.08 * 2 * half.max()  # the face's, not the rough one


def test_a_turned_face_in_an_upright_box(find_in: Callable, astronaut: NDArray, own: Face) -> None:
    angle = radians(30)
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    middle = (own.box[:2] + own.box[2:]) / 2
    turned = Image.fromarray(astronaut).rotate(-30, Image.Resampling.BICUBIC, center=tuple(middle.tolist()))
    (face,) = find_in(np.array(turned), own.box)
    assert error(face.landmarks, (own.landmarks - middle) @ turn.T + middle) < 0.04


def test_a_box_without_a_face_is_not_trusted(find_in: Callable, astronaut: NDArray, own: Face) -> None:
    wrong, right = find_in(astronaut, np.array([350, 20, 450, 120]), own.box)
    assert wrong.score < TRUSTED < right.score


def test_frames_without_boxes_have_no_faces(clip_of: Callable, astronaut: NDArray, own: Face) -> None:
    (chunk,) = clip_of([astronaut] * 3).read([np.arange(3)])
    box = named((170, 60, 110, 120))
    faces = given_finder([[box], [], [box]], 3, 512, 512).find(chunk, thumbnails(chunk))
    assert [len(found) for found in faces] == [1, 0, 1]
    np.testing.assert_allclose(faces[0][0].landmarks, faces[2][0].landmarks, atol=1e-3)
    assert faces[0][0].likeness @ own.likeness > SAME
