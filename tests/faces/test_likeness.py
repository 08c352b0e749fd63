"""Likeness by colours: what it tells apart, what it overlooks, and the borders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.faces.finder import FaceFinder
from lipsync_studio.pipelines.faces.likeness import OTHER, SAME, VALUES, likeness_of, likenesses
from lipsync_studio.pipelines.faces.tracks import find_faces
from numpy.typing import NDArray
from PIL import Image

# The astronaut's face.
BOX = np.array([[173, 64, 264, 177]], np.float32)


def alike(first: NDArray, second: NDArray) -> float:
    return float(likenesses(first, BOX)[0] @ likenesses(second, BOX)[0])


def test_a_face_is_like_itself(astronaut: NDArray) -> None:
    assert alike(astronaut, astronaut) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("gain", [0.9, 1.1])
def test_a_little_more_or_less_light_leaves_the_same_person(astronaut: NDArray, gain: float) -> None:
    lit = (astronaut * gain).clip(0, 255).astype(np.uint8)
    assert alike(astronaut, lit) > SAME


def test_a_mirrored_and_a_smaller_face_stay_the_same_person(astronaut: NDArray) -> None:
    (whole,) = likenesses(astronaut, BOX)
    mirrored = likenesses(astronaut[:, ::-1], np.array([[512 - 264, 64, 512 - 173, 177]], np.float32))[0]
    small = np.array(Image.fromarray(astronaut).resize((171, 171), Image.Resampling.BOX))
    assert whole @ mirrored > SAME
    assert whole @ likenesses(small, BOX / 3)[0] > SAME


def test_other_clothes_and_hair_are_another_person(astronaut: NDArray) -> None:
    """The same picture with red and blue exchanged, but for the face: blue clothes, other hair."""
    changed = astronaut[..., ::-1].copy()
    changed[80:175, 178:260] = astronaut[80:175, 178:260]
    assert alike(astronaut, changed) < OTHER


def test_people_who_share_no_colour_are_not_alike_at_all() -> None:
    dark, white = np.full((200, 200, 3), 60, np.uint8), np.full((200, 200, 3), 255, np.uint8)
    box = np.array([[80, 60, 120, 100]], np.float32)
    assert likenesses(dark, box)[0].any()
    assert likenesses(dark, box)[0] @ likenesses(white, box)[0] == 0


def test_a_face_in_the_dark_is_like_nobody(astronaut: NDArray) -> None:
    assert not likenesses((astronaut * 0.05).astype(np.uint8), BOX).any()


def test_parts_outside_the_picture_are_left_empty(astronaut: NDArray) -> None:
    """Cut off below the chin: neck and clothes are unknown, the rest is as before."""
    whole, cut = likenesses(astronaut, BOX)[0], likenesses(astronaut[:178], BOX)[0]
    hair_and_face = VALUES // 2
    assert not cut[hair_and_face:].any()
    kept = whole[:hair_and_face] / np.linalg.norm(whole[:hair_and_face])
    np.testing.assert_allclose(cut[:hair_and_face], kept, atol=1e-6)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-300, 300), st.floats(-300, 300), st.floats(1, 400), st.floats(1, 400)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2**32 - 1),
)
def test_every_box_has_unit_length_or_shows_nothing(places: list[tuple[float, ...]], seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    boxes = np.array([[x, y, x + w, y + h] for x, y, w, h in places], np.float32)
    found = likenesses(picture, boxes)
    assert found.shape == (len(boxes), VALUES)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    lengths = np.linalg.norm(found, axis=1)
    assert ((lengths == 0) | (np.abs(lengths - 1) < 1e-4)).all()
    for box, likeness in zip(boxes, found, strict=True):
        np.testing.assert_allclose(likenesses(picture, box[None])[0], likeness, atol=1e-5)


def test_no_face_no_likeness(astronaut: NDArray) -> None:
    assert likenesses(astronaut, np.empty((0, 4), np.float32)).shape == (0, VALUES)


def test_the_reference_picture_is_read_at_its_largest_face(picture_of: Callable, astronaut: NDArray) -> None:
    small = np.array(Image.fromarray(astronaut).resize((256, 256), Image.Resampling.BOX))[..., ::-1]
    both = np.concatenate([np.pad(small, ((0, 256), (0, 0), (0, 0))), astronaut], axis=1)
    alone, beside = likeness_of(picture_of(astronaut)), likeness_of(picture_of(np.ascontiguousarray(both)))
    assert alone @ beside > 0.95


def test_a_reference_picture_without_a_face_is_refused(picture_of: Callable) -> None:
    with pytest.raises(NoFaceError, match=r"a face in the reference picture.*none in a picture of 640x480"):
        likeness_of(picture_of(np.zeros((480, 640, 3), np.uint8)))


def test_a_reference_picture_in_the_dark_is_refused(picture_of: Callable, astronaut: NDArray) -> None:
    with pytest.raises(NoFaceError, match="almost black"):
        likeness_of(picture_of((astronaut * 0.08).astype(np.uint8)))


def test_a_reference_picture_finds_its_person_in_the_clip(
    picture_of: Callable, clip_of: Callable, astronaut: NDArray, shared: Path
) -> None:
    """Five people beside the astronaut; the reference is brighter and larger."""
    friends = Image.open(shared / "media" / "multi_face.jpg").convert("RGB")
    height = 512
    crowd = np.array(friends.resize((round(friends.width * height / friends.height), height)))
    clip = clip_of([np.concatenate([crowd, astronaut], axis=1)] * 2)
    found = find_faces(clip, FaceFinder(), PlainHost())
    lit = (np.array(Image.fromarray(astronaut).resize((800, 800))) * 1.1).clip(0, 255).astype(np.uint8)
    scores = found.likeness @ likeness_of(picture_of(lit))
    astronauts = int(np.argmax(scores))
    assert (found.boxes[found.people == astronauts, 0] > crowd.shape[1]).all()
    others = np.delete(scores, astronauts)
    assert len(others) >= 5
    assert scores[astronauts] > SAME > others.max()
