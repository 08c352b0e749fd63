"""Faces of other nodes: what belongs to the clip, how it is scaled, and every error a person can meet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import TRUSTED, Face
from lipsync_studio.pipelines.faces.finder import THUMBNAIL, FaceFinder, thumbnails
from lipsync_studio.pipelines.faces.given import given_finder
from lipsync_studio.pipelines.faces.given_clip import Clip
from lipsync_studio.pipelines.faces.given_poses import faces_of_poses
from lipsync_studio.pipelines.faces.ibug import MESH_POINTS, face_box
from lipsync_studio.pipelines.faces.likeness import SAME
from numpy.typing import NDArray
from safetensors.numpy import load_file

SIZE = 512  # px, the sides of the clips here


@pytest.fixture(scope="module")
def mesh(goldens: Path) -> NDArray:
    """float32 [478, 2]: MediaPipe's mesh of the astronaut, px."""
    return load_file(goldens / "faces.safetensors")["mediapipe.video"]


@pytest.fixture(scope="module")
def look_up(clip_of: Callable) -> Callable[..., list[list[Face]]]:
    """What the finder for `value` finds in a black clip of that size."""

    def look_up(
        value: object, frames: int = 1, width: int = SIZE, height: int = SIZE, **settings: str
    ) -> list[list[Face]]:
        finder = given_finder(value, frames, width, height, **settings)
        (chunk,) = clip_of([np.zeros((height, width, 3), np.uint8)] * frames).read([np.arange(frames)])
        return finder.find(chunk, thumbnails(chunk))

    return look_up


def core_landmarks(*frames: list[NDArray], size: int = SIZE, presence: float = 4.0) -> dict[str, object]:
    faces = [[{"landmarks_xy": mesh, "presence": presence, "score": 0.8} for mesh in frame] for frame in frames]
    return {"frames": faces, "image_size": (size, size), "connection_sets": {}}


def pose(points: NDArray, confidence: float = 1.0, canvas: tuple[float, float] = (SIZE, SIZE)) -> dict[str, object]:
    """One frame of POSE_KEYPOINT with one face of [68, 2] points, and its two pupils."""
    keypoints = np.c_[np.concatenate([points, points[[37, 44]]]), np.full(70, confidence)]
    person = {"pose_keypoints_2d": [0.0] * 54, "face_keypoints_2d": keypoints.reshape(-1).tolist()}
    return {"people": [person], "canvas_width": canvas[0], "canvas_height": canvas[1]}


def test_face_landmarks_of_each_frame(look_up: Callable, mesh: NDArray) -> None:
    first, none, last = look_up(core_landmarks([mesh], [], [mesh + 5, mesh]), frames=3)
    assert [len(first), len(none), len(last)] == [1, 0, 2]
    np.testing.assert_allclose(first[0].landmarks, mesh[MESH_POINTS], atol=1e-3)
    np.testing.assert_allclose(last[0].landmarks, mesh[MESH_POINTS] + 5, atol=1e-3)
    assert first[0].score == pytest.approx(0.982, abs=1e-3)  # 1 / (1 + e^-4)


def test_landmarks_the_mesh_does_not_trust_are_not_trusted(look_up: Callable, mesh: NDArray) -> None:
    assert look_up(core_landmarks([mesh], presence=-0.1))[0][0].score < TRUSTED
    assert look_up(core_landmarks([mesh], presence=-1e9))[0][0].score == pytest.approx(0)


def test_a_clip_read_backward_gets_its_own_faces(clip_of: Callable, mesh: NDArray) -> None:
    finder = given_finder(core_landmarks(*([mesh + 10 * number] for number in range(4))), 4, SIZE, SIZE)
    (chunk,) = clip_of([np.zeros((SIZE, SIZE, 3), np.uint8)] * 4).read([np.array([3, 1, 1])])
    lefts = [faces[0].landmarks[0, 0] for faces in finder.find(chunk, thumbnails(chunk))]
    assert np.array(lefts) - mesh[MESH_POINTS[0], 0] == pytest.approx([30, 10, 10], abs=1e-3)


def test_face_landmarks_of_a_scaled_copy_are_scaled(look_up: Callable, mesh: NDArray) -> None:
    """Whole numbers are the centres of pixels: the left half of the first of two is the centre of one."""
    half = (mesh + 0.5) / 2 - 0.5
    ((face,),) = look_up(core_landmarks([half], size=SIZE // 2))
    np.testing.assert_allclose(face.landmarks, mesh[MESH_POINTS], atol=1e-3)


def test_given_faces_are_known_again_by_their_looks(clip_of: Callable, astronaut: NDArray, mesh: NDArray) -> None:
    (chunk,) = clip_of([astronaut]).read([np.arange(1)])
    small = thumbnails(chunk)
    ((face,),) = given_finder(core_landmarks([mesh]), 1, SIZE, SIZE).find(chunk, small)
    ((own,),) = FaceFinder().find(chunk, small)
    assert face.likeness @ own.likeness > SAME


def test_boxes_are_like_a_detectors(goldens: Path, mesh: NDArray) -> None:
    yunet = load_file(goldens / "faces.safetensors")["yunet.boxes"][0]
    apart = np.abs(face_box(mesh[MESH_POINTS]) - yunet) / np.tile(yunet[2:] - yunet[:2], 2)
    assert apart.max() < 0.08


@pytest.mark.parametrize("points", [68, 70])
def test_poses_with_and_without_pupils(look_up: Callable, mesh: NDArray, points: int) -> None:
    value = pose(mesh[MESH_POINTS])
    value["people"][0]["face_keypoints_2d"] = value["people"][0]["face_keypoints_2d"][: points * 3]
    ((face,),) = look_up([value])
    np.testing.assert_allclose(face.landmarks, mesh[MESH_POINTS], atol=1e-3)
    assert face.score == 1


def test_the_pose_of_a_single_frame_may_stand_alone(look_up: Callable, mesh: NDArray) -> None:
    value = pose(mesh[MESH_POINTS])
    np.testing.assert_array_equal(look_up(value)[0][0].landmarks, look_up([value])[0][0].landmarks)


@pytest.mark.parametrize(
    "nothing", [None, [], [0.0] * 210, [-1.0, -1.0, 0.0] * 70, np.zeros(210), [-0.001, -0.002, 1.0] * 70]
)
def test_people_without_a_face(look_up: Callable, mesh: NDArray, nothing: object) -> None:
    value = pose(mesh[MESH_POINTS])
    value["people"].append({"pose_keypoints_2d": [1.0] * 54, "face_keypoints_2d": nothing})
    value["people"].append({"pose_keypoints_2d": None})
    value["people"].append(None)
    ((face,),) = look_up([value])
    assert face.score == 1


@pytest.mark.parametrize("nobody", [None, {}, {"people": None}, {"people": [], "canvas_width": None}])
def test_frames_without_people(look_up: Callable, mesh: NDArray, nobody: object) -> None:
    assert [len(faces) for faces in look_up([nobody, pose(mesh[MESH_POINTS]), nobody], frames=3)] == [0, 1, 0]


@given(st.integers(64, 4000), st.integers(64, 4000), st.floats(0.1, 4))
def test_poses_in_pixels_and_in_parts_agree(width: int, height: int, scale: float) -> None:
    """On a canvas that is not padded: a shorter side in whole 64s means that it was."""
    canvas = (round(width * scale), round(height * scale))
    assume(min(canvas) % 64 and abs(canvas[0] * height / (canvas[1] * width) - 1) < 0.009)
    points = np.random.default_rng(width).uniform(0.2, 0.8, (68, 2)).astype(np.float32)
    clip = Clip(1, width, height)
    (parts,) = faces_of_poses([pose(points, canvas=canvas)], clip)(0)
    (pixels,) = faces_of_poses([pose(points * canvas, canvas=canvas)], clip)(0)
    np.testing.assert_allclose(parts.landmarks, points * (width, height), rtol=1e-5)
    np.testing.assert_allclose(pixels.landmarks, points * (width, height), rtol=1e-5)


def test_parts_of_a_padded_canvas(look_up: Callable) -> None:
    """1920x1080 on 512 px is 910x512, searched as 960x512: the face in the middle is at 455 of 960."""
    points = np.random.default_rng(0).uniform(0.4, 0.6, (68, 2)).astype(np.float32) * (910 / 960, 1)
    ((face,),) = look_up([pose(points, canvas=(910, 512))], width=1920, height=1080)
    np.testing.assert_allclose(face.landmarks, points * (960 * 1920 / 910, 1080), rtol=1e-5)


def test_missing_points_are_filled_in_between_their_neighbours(look_up: Callable, mesh: NDArray) -> None:
    points = mesh[MESH_POINTS]
    value = pose(points)
    keypoints = np.array(value["people"][0]["face_keypoints_2d"]).reshape(-1, 3)
    keypoints[[7, 8, 29, 40, 0]] = 0
    value["people"][0]["face_keypoints_2d"] = keypoints.reshape(-1).tolist()
    ((face,),) = look_up([value])
    assert face.score == pytest.approx(63 / 68)
    eyes = np.linalg.norm(points[36] - points[45])
    apart = np.linalg.norm(face.landmarks - points, axis=1) / eyes
    assert apart[[7, 8, 29, 40]].max() < 0.1
    assert apart[np.setdiff1d(np.arange(68), [0, 7, 8, 29, 40])].max() < 1e-4


def test_a_pose_without_a_jaw_is_followed_but_not_trusted(look_up: Callable, mesh: NDArray) -> None:
    value = pose(mesh[MESH_POINTS])
    value["people"][0]["face_keypoints_2d"][: 17 * 3] = [0.0] * (17 * 3)
    ((face,),) = look_up([value])
    assert face.score == 0


def test_points_without_confidence_do_not_count(look_up: Callable, mesh: NDArray) -> None:
    assert look_up([pose(mesh[MESH_POINTS], confidence=0.29)]) == [[]]


def test_poses_of_comfyuis_sdpose(look_up: Callable, mesh: NDArray) -> None:
    """Its own packing of 133 whole-body points, and the boxes of its own node: people without and with a face."""
    sdpose = pytest.importorskip("comfy_extras.nodes_sdpose")
    body = np.random.default_rng(0).uniform(0, SIZE, (133, 2)).astype(np.float32)
    body[23:91] = mesh[MESH_POINTS]
    scores = np.full(133, 0.9, np.float32)
    value = sdpose._to_openpose_frames([[body], [np.full((133, 2), -1.0)]], [[scores], [np.zeros(133)]], SIZE, SIZE)
    (face,), none = look_up(value, frames=2)
    np.testing.assert_allclose(face.landmarks, mesh[MESH_POINTS], atol=1e-3)
    assert none == []
    (boxes,) = sdpose.SDPoseFaceBBoxes.execute(value, 1.5, True).result
    assert [len(faces) for faces in look_up(boxes, frames=2)] == [1, 0]


@pytest.mark.parametrize(
    ("value", "frames", "message"),
    [
        (
            {"frames": [[]], "image_size": (SIZE, SIZE)},
            2,
            r"this very clip, which has 2 frames; got FACE.* of 1 frame\.",
        ),
        ({"frames": [[]] * 3, "image_size": (SIZE, SIZE)}, 2, "of 3 frames"),
        ({"frames": [[]], "image_size": (SIZE, SIZE + 20)}, 1, r"shape \(512x512, or scaled\); got .* 532x512"),
        ({"frames": [[]], "image_size": (0, 0)}, 1, "0x0"),
        ({"people": [], "canvas_width": SIZE, "canvas_height": SIZE}, 2, "POSE_KEYPOINT of 1 frame"),
        ("faces", 1, "boxes of a face.*; got str faces"),
        (None, 1, "got NoneType"),
        ({"x": 1, "y": 2}, 1, "got dict"),
        ([], 1, "an empty list"),
        (np.zeros((1, 64, 64, 3)), 1, r"got ndarray of shape \[1, 64, 64, 3\]"),
    ],
)
def test_values_that_do_not_fit_the_clip(value: object, frames: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        given_finder(value, frames, SIZE, SIZE)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"frames": [[{"landmarks_xy": np.zeros((68, 2))}]], "image_size": (SIZE, SIZE)}, r"478 points.*\[68, 2\]"),
        ({"frames": [[{"landmarks_xy": np.full((478, 2), np.nan)}]], "image_size": (SIZE, SIZE)}, "NaN"),
        ({"frames": [[{}]], "image_size": (SIZE, SIZE)}, r"\[0\]"),
        ([{"people": [{"face_keypoints_2d": [1.0] * 63}]}], "68 or 70 points.*63 values"),
        ([{"people": [{"face_keypoints_2d": [np.nan] * 210}]}], "NaN"),
        ([{"people": [], "canvas_width": SIZE, "canvas_height": 300}], "512x300"),
        ([{"people": [], "canvas_width": np.nan}], "nanx512"),
    ],
)
def test_frames_that_cannot_be_read(look_up: Callable, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        look_up(value)


def test_thumbnails_do_not_matter_to_given_faces(look_up: Callable, mesh: NDArray) -> None:
    side = 2 * THUMBNAIL
    ((face,),) = look_up(core_landmarks([mesh], size=side), width=side, height=side)
    np.testing.assert_allclose(face.landmarks, mesh[MESH_POINTS], atol=1e-3)
