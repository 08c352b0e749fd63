"""The speaker in real clips: cutaways, cuts, several people, and a second opinion on the landmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.faces import CropSettings, FaceTrack, MotionSettings, SpeakerFaces
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.faces.crop import plan_crops
from lipsync_studio.pipelines.faces.finder import FaceFinder
from lipsync_studio.pipelines.faces.speaker import speaker_track
from lipsync_studio.pipelines.faces.tracks import find_faces
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def track(finder: FaceFinder, read_clip: Callable) -> Callable[..., FaceTrack]:
    def track(name: str, *frames: int) -> FaceTrack:
        found = find_faces(read_clip(name, *frames), finder, PlainHost())
        return speaker_track(SpeakerFaces(found, motion=MotionSettings(bridge=0)))

    return track


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, end) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def new_shots(track: FaceTrack) -> list[int]:
    return (np.flatnonzero(np.diff(track.shot)) + 1).tolist()


def test_a_face_then_a_cartoon(track: Callable) -> None:
    """One foreign frame lies between the two, so two cuts; TransNetV2 finds the same ones."""
    found = track("clips/face_noface.mov", 60, 90)
    assert runs(found.present) == [(0, 12)]
    assert new_shots(found) == [12, 13]


def test_a_cartoon_then_a_face(track: Callable) -> None:
    found = track("clips/noface_face.mov", 80, 110)
    assert runs(found.present) == [(16, 30)]
    assert new_shots(found) == [16]


def test_a_face_all_along(track: Callable) -> None:
    found = track("clips/single_face.mp4", 0, None, 2)
    assert runs(found.present) == [(0, 36)]
    assert new_shots(found) == []


def test_never_a_face(track: Callable) -> None:
    with pytest.raises(NoFaceError, match="none in 24 frames"):
        track("clips/no_face.mp4", 0, None, 4)


def test_hard_cuts_between_dark_shots(track: Callable) -> None:
    """The cuts are TransNetV2's. In between, the singer is seen in profile: nobody else may take his place."""
    found = track("clips/short_hamilton_clip.mp4", 10, 95)
    assert new_shots(found) == [10, 72]
    assert runs(found.present) == [(0, 10), (72, 85)]


def test_a_hand_before_the_mouth(track: Callable) -> None:
    found = track("clips/WolfgangLanger_Pexels.mp4", 0, 200, 8)
    assert found.present.all()
    assert new_shots(found) == []


def test_landmarks_of_another_program(track: Callable, shared: Path) -> None:
    """The 68 points that came with the clip are from an older mesh of MediaPipe, through the same table.

    Measured on all frames: 3.5 px apart on average on a face 233 px wide. The crop's edges (left, top, right, bottom)
    lie 4, -7, 6 and 4 px apart, give or take 1.5, 3.0, 1.3 and 0.9.
    """
    step = 8
    found = track("yongen.mp4", 0, None, step)
    other = np.load(shared / "media" / "yongen_lm68.npy")[::step]
    assert np.linalg.norm(found.landmarks - other, axis=2).mean() < 5
    theirs = replace(found, landmarks=other.astype(np.float32))
    apart = plan_crops(found, CropSettings()).boxes - plan_crops(theirs, CropSettings()).boxes
    assert np.abs(apart.mean(axis=0)).max() < 10
    assert apart.std(axis=0).max() < 4
