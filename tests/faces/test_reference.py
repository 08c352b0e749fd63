"""MuseTalk's own detectors: what DWPose is shown, and what becomes of what they say.

Tolerances of the picture DWPose is shown, in grey levels: against the reference's (OpenCV 4.9) 1 level in at most 0.5 %
of its numbers; against the installed OpenCV, which may sample between 1/32 px, 0.15 levels on average and at most 8 (as
much as the steepest edge there can be changes over 1/64 px in both directions).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.types import FrameChunk
from lipsync_studio.pipelines.faces.finder import thumbnails
from lipsync_studio.pipelines.faces.reference import ReferenceFinder, Window
from lipsync_studio.pipelines.networks.rtmpose import MEAN, STD, DWPose
from lipsync_studio.pipelines.networks.s3fd import S3FDDetector
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor

Pixels = NDArray[np.uint8]
PictureOf = Callable[[Pixels], object]

FRAMES = {"portrait": (304, 176), "landscape": (270, 480)}
ANCHOR = 512  # px, the side of the anchors of S3FD's coarsest level
STRIDE = 128  # px between them


@pytest.fixture(scope="module")
def dwpose() -> DWPose:
    return DWPose(seeded_checkpoints.seeded(seeded_checkpoints.shapes("dwpose")), "seeded")


def s3fd(score: float, offsets: tuple[float, float, float, float] = (0, 0, 0, 0)) -> S3FDDetector:
    """A detector that is as sure in every cell of its coarsest level, and sees nothing on the others."""
    state = {key: torch.zeros(shape) for key, shape in seeded_checkpoints.shapes("s3fd").items()}
    for key, tensor in state.items():
        if key.endswith("_mbox_conf.bias"):
            tensor[-1] = -10
    state["conv7_2_mbox_conf.bias"][:] = torch.tensor([0, np.log(score / (1 - score))])
    state["conv7_2_mbox_loc.bias"][:] = torch.tensor(offsets)
    return S3FDDetector(state, "made up")


def chunk_of(*pictures: object) -> FrameChunk:
    return FrameChunk(pictures, np.arange(len(pictures)))


def grey(seed: int, height: int, width: int) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("name", FRAMES)
def test_dwpose_is_shown_what_the_reference_shows_it(picture_of: PictureOf, goldens: Path, name: str) -> None:
    picture = picture_of(np.ascontiguousarray(seeded.image(f"pose_{name}", *FRAMES[name])[..., ::-1]))
    golden = load_file(goldens / "rtmpose.safetensors")[f"{name}.input_sub4"].transpose(1, 2, 0)
    off = np.abs(Window.around(picture).show(picture)[::4, ::4] - np.rint(golden * STD + MEAN))
    assert off.max() <= 1
    assert off.mean() < 0.005


@pytest.mark.parametrize("size", [(304, 176), (270, 480), (1080, 1920), (64, 64), (33, 500), (500, 33)])
def test_the_window_is_opencvs_warp(picture_of: PictureOf, size: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is the oracle")
    rgb = seeded.image("warp", *size)
    picture = picture_of(rgb)
    window = Window.around(picture)
    into = np.array([[1, 0, -window.left], [0, 1, -window.top]]) / window.step
    off = np.abs(window.show(picture) - cv2.warpAffine(rgb, into, (288, 384), flags=cv2.INTER_LINEAR))
    assert off.max() <= 8
    assert off.mean() < 0.15


@pytest.mark.parametrize("size", [(304, 176), (270, 480), (384, 288), (2160, 3840)])
def test_the_window_has_room_around_the_picture_and_its_own_proportions(
    picture_of: PictureOf, size: tuple[int, int]
) -> None:
    window = Window.around(picture_of(np.zeros((*size, 3), np.uint8)))
    corners = window.to_picture(np.array([[0, 0], [288, 384]], np.float32))
    height, width = size
    np.testing.assert_allclose(corners.mean(axis=0), (width / 2, height / 2), rtol=1e-5, atol=1e-3)
    wide, high = corners[1] - corners[0]
    assert wide / high == pytest.approx(0.75)
    assert min(wide / width, high / height) == pytest.approx(1.25)


def test_a_face_gets_s3fds_box_and_dwposes_landmarks(picture_of: PictureOf, dwpose: DWPose) -> None:
    picture = picture_of(grey(0, 270, 480))
    chunk = chunk_of(picture)
    (faces,) = ReferenceFinder(s3fd(0.9, (0.5, -1, 0, -0.5)), dwpose).find(chunk, thumbnails(chunk))
    (face,) = faces
    centre = np.array([STRIDE / 2 + 0.05 * ANCHOR, STRIDE / 2 - 0.1 * ANCHOR])
    half = np.array([ANCHOR, ANCHOR * np.exp(-0.1)]) / 2
    np.testing.assert_allclose(face.box, np.concatenate([centre - half, centre + half]), rtol=1e-4)
    window = Window.around(picture)
    expected = window.to_picture(dwpose(torch.from_numpy(window.show(picture))[None])[0].numpy())
    np.testing.assert_array_equal(face.landmarks, expected)
    assert face.score == 1


def test_without_a_face_for_s3fd_there_is_none(picture_of: PictureOf, dwpose: DWPose) -> None:
    chunk = chunk_of(picture_of(grey(0, 270, 480)), picture_of(grey(1, 270, 480)))
    assert ReferenceFinder(s3fd(0.49), dwpose).find(chunk, thumbnails(chunk)) == [[], []]


class Sees(S3FDDetector):
    """Remembers what it is shown; sees a face where a picture is bright."""

    def __init__(self) -> None:
        self.shown: list[Tensor] = []

    def __call__(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        self.shown.extend(rgb)
        bright = rgb.float().mean(dim=(1, 2, 3)) > 128
        return torch.tensor([[16.0, 9, 32, 18]]).expand(len(rgb), 4), bright.float()


def test_the_thumbnail_is_searched_and_the_box_scaled_up(picture_of: PictureOf, dwpose: DWPose) -> None:
    chunk = chunk_of(picture_of(np.full((1080, 1920, 3), 200, np.uint8)))
    small, detector = thumbnails(chunk), Sees()
    ((face,),) = ReferenceFinder(detector, dwpose).find(chunk, small)
    assert small.shape[1:3] == (360, 640)
    assert [tuple(shown.shape) for shown in detector.shown] == [(288, 512, 3)]
    np.testing.assert_allclose(detector.shown[0], 200, atol=1e-3)
    np.testing.assert_allclose(face.box, [60, 33.75, 120, 67.5], rtol=1e-5)


def test_a_small_picture_is_searched_as_it_is(picture_of: PictureOf, dwpose: DWPose) -> None:
    pixels = np.maximum(grey(0, 270, 480), 100)
    chunk, detector = chunk_of(picture_of(pixels)), Sees()
    ReferenceFinder(detector, dwpose).find(chunk, thumbnails(chunk))
    np.testing.assert_array_equal(detector.shown[0], pixels)


def test_exactly_the_pixels_of_the_picture_are_searched(picture_of: PictureOf, dwpose: DWPose) -> None:
    pixels = [np.maximum(grey(seed, 360, 1280), 100) for seed in range(2)]
    chunk, detector = chunk_of(*map(picture_of, pixels)), Sees()
    faces = ReferenceFinder(detector, dwpose, exact=True).find(chunk, thumbnails(chunk))
    for shown, expected in zip(detector.shown, pixels, strict=True):
        np.testing.assert_array_equal(shown, expected)
    for (face,) in faces:
        np.testing.assert_array_equal(face.box, [16, 9, 32, 18])


def test_each_picture_keeps_its_own_face(picture_of: PictureOf, dwpose: DWPose) -> None:
    bright, dark = np.maximum(grey(0, 270, 480), 150), grey(1, 270, 480) // 3
    chunk = chunk_of(*map(picture_of, (dark, bright, dark, bright[:, ::-1].copy())))
    finder = ReferenceFinder(Sees(), dwpose)
    faces = finder.find(chunk, thumbnails(chunk))
    assert [len(found) for found in faces] == [0, 1, 0, 1]
    alone = chunk_of(chunk.pictures[3])
    ((face,),) = finder.find(alone, thumbnails(alone))
    np.testing.assert_array_equal(faces[3][0].landmarks, face.landmarks)
    assert not np.array_equal(faces[1][0].landmarks, face.landmarks)
