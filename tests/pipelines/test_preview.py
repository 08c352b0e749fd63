"""What is drawn on a frame of the preview, and what is said about the people in a clip."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import ClipFaces, CropSettings, SpeakerFaces
from lipsync_studio.pipelines.faces.speaker import speaker_track
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.preview import preview_frame
from lipsync_studio.pipelines.roster import MOST_LISTED, describe_people
from numpy.typing import NDArray

GOLDEN = Path(__file__).resolve().parent.parent / "goldens" / "astronaut_landmarks.json"
FACE = np.array(json.loads(GOLDEN.read_text())["landmarks"], np.float32)  # spans about 180-250 x 60-178 px
SIDE = 320
SPEAKER, PERSON, CROP, HALF_LINE = (255, 190, 0), (225, 225, 225), (0, 210, 255), (255, 70, 190)


def clip_faces(rows: list[tuple[int, int, float]], shots: list[int], score: float = 1.0) -> ClipFaces:
    """rows: (frame, person, px to the right of the golden face)."""
    landmarks = np.stack([FACE + np.float32([dx, 0]) for _, _, dx in rows])
    people = np.array([person for _, person, _ in rows], np.int32)
    return ClipFaces(
        frames=np.array([frame for frame, _, _ in rows], np.int32),
        people=people,
        boxes=np.concatenate([landmarks.min(axis=1), landmarks.max(axis=1)], axis=1),
        landmarks=landmarks,
        scores=np.full(len(rows), score, np.float32),
        shot=np.array(shots, np.int32),
        flash=np.zeros(len(shots), bool),
        likeness=np.zeros((people.max() + 1, 0), np.float32),
        width=SIDE,
        height=SIDE,
    )


def grey_clip(count: int, level: float, side: int = SIDE) -> ImageClip:
    return ImageClip(torch.full((count, side, side, 3), level), Fraction(25))


def drawn(faces: SpeakerFaces, frame: int = 0, source: ImageClip | None = None, side: int = SIDE) -> NDArray[np.uint8]:
    return np.asarray(preview_frame(source, faces, speaker_track(faces), frame, side))


def has(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return (picture == colour).all(axis=-1)


@pytest.fixture
def two() -> SpeakerFaces:
    """Two people in frame 0, the first alone in frames 1 and 3, nobody in 2 and 4."""
    return SpeakerFaces(clip_faces([(0, 0, -150), (0, 1, 40), (1, 0, -150), (3, 0, -150)], [0, 0, 0, 0, 1]))


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0], ids=["black", "grey", "white"])
def test_the_speaker_and_the_others_are_boxed_on_any_footage(two: SpeakerFaces, level: float) -> None:
    picture = drawn(two, source=grey_clip(5, level))
    left, right = picture[:, : SIDE // 2], picture[:, SIDE // 2 :]
    assert has(left, SPEAKER).any()
    assert not has(right, SPEAKER).any()
    assert has(right, PERSON).any()
    x0, y0, x1, y1 = two.found.boxes[0].round().astype(int)
    for y, x in ((y0, (x0 + x1) // 2), (y1, (x0 + x1) // 2), ((y0 + y1) // 2, x0), ((y0 + y1) // 2, x1)):
        around = picture[y - 4 : y + 5, x - 4 : x + 5]
        assert has(around, SPEAKER).any() or has(around, CROP).any()
        assert has(around, (0, 0, 0)).any(), "the dark edge that sets the line off"


def test_the_half_line_moves_with_the_shift(two: SpeakerFaces) -> None:
    def height(shift: int) -> float:
        picture = drawn(replace(two, crop=CropSettings(shift=shift)))
        return float(np.flatnonzero(has(picture, HALF_LINE).any(axis=1)).mean())

    assert height(12) - height(0) == pytest.approx(12, abs=0.5)


def test_the_mask_is_a_tint_below_the_nose(two: SpeakerFaces) -> None:
    plain, tinted = np.full((SIDE, SIDE, 3), 128), drawn(two, source=grey_clip(5, 128 / 255)).astype(int)
    mouth, eye = FACE[66] - [150, 0], FACE[37] - [150, 0]
    for (x, y), is_tinted in ((mouth, True), (eye, False)):
        spot = (slice(int(y) - 2, int(y) + 3), slice(int(x) - 2, int(x) + 3))
        assert (tinted[spot] != plain[spot]).any() == is_tinted


def test_nothing_is_cropped_where_nobody_is(two: SpeakerFaces) -> None:
    picture = drawn(two, frame=4)
    for colour in (SPEAKER, CROP, HALF_LINE, PERSON):
        assert not has(picture[: SIDE - 30], colour).any()


def test_every_state_has_its_own_caption(two: SpeakerFaces) -> None:
    """Shown, bridged, absent, and in another shot; the caption is all that can differ on the lower edge."""
    captions = [drawn(two, frame)[-24:].tobytes() for frame in (1, 2, 4)]
    captions.append(drawn(two, 1, grey_clip(5, 28 / 255))[-24:].tobytes())
    assert len(set(captions)) == len(captions)


def test_a_bridged_face_is_drawn_where_it_was_filled_in(two: SpeakerFaces) -> None:
    below_the_label = int(two.found.boxes[0, 1]) + 4
    bridged, found = (has(drawn(two, frame), SPEAKER)[below_the_label:] for frame in (2, 1))
    assert bridged.any()
    assert np.array_equal(bridged, found)


def test_large_pictures_are_scaled_down_and_small_ones_at_most_doubled(two: SpeakerFaces) -> None:
    wide = SpeakerFaces(replace(two.found, width=1920, height=1080))
    assert drawn(wide, side=768).shape == (432, 768, 3)
    assert drawn(two, side=768).shape == (2 * SIDE, 2 * SIDE, 3)
    assert drawn(two, side=480).shape == (480, 480, 3)


def test_the_picture_comes_from_the_source(two: SpeakerFaces) -> None:
    levels = torch.arange(5).reshape(5, 1, 1, 1).expand(5, SIDE, SIDE, 3) / 255
    picture = drawn(two, 4, ImageClip(levels, Fraction(25)))
    assert (picture[:100] == 4).all()


@pytest.mark.parametrize("box", [(-1e6, -1e6, 1e6, 1e6), (300, 300, 5e5, 5e5), (-4e4, 0, -10, 50)])
def test_wild_boxes_are_drawn_without_harm(box: tuple[float, float, float, float]) -> None:
    """Other nodes may find faces anywhere."""
    found = clip_faces([(0, 0, 0)], [0])
    x0, y0, x1, y1 = box
    spread = (FACE - FACE.min(axis=0)) / np.ptp(FACE, axis=0) * [x1 - x0, y1 - y0] + [x0, y0]
    wild = replace(found, boxes=np.array([box], np.float32), landmarks=spread[None].astype(np.float32))
    assert drawn(SpeakerFaces(wild)).shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("frame", [-1, 5])
def test_a_frame_that_is_not_there_is_refused(two: SpeakerFaces, frame: int) -> None:
    with pytest.raises(ValueError, match="clip with 5 frames"):
        drawn(two, frame)


@pytest.mark.parametrize("other", [grey_clip(4, 0), grey_clip(5, 0, SIDE + 2)], ids=["shorter", "larger"])
def test_another_clip_is_refused(two: SpeakerFaces, other: ImageClip) -> None:
    with pytest.raises(InputError, match="5 frames, 320x320"):
        drawn(two, source=other)


def test_only_the_row_of_the_frame_is_read(two: SpeakerFaces) -> None:
    """So that a frame of an hour is drawn as fast as one of a second."""
    track = speaker_track(two)
    others = np.arange(len(track)) != 1
    scrambled = np.where(others[:, None, None], np.float32(7), track.landmarks)
    expected = np.asarray(preview_frame(None, two, track, 1, SIDE))
    same = preview_frame(None, two, replace(track, landmarks=scrambled), 1, SIDE)
    assert np.array_equal(np.asarray(same), expected)


def test_people_are_described_by_what_helps_to_choose_them(two: SpeakerFaces) -> None:
    head, *people = describe_people(two.found).splitlines()
    assert head == "5 frames in 2 shots, 2 people"
    box = two.found.boxes[1]
    assert people == [
        f"person 0: 3 frames, shot 0, about {np.ptp(FACE[:, 1]):.0f} px high, first in frame 0 "
        f"at x {two.found.boxes[0][[0, 2]].mean():.0f}, y {box[[1, 3]].mean():.0f}",
        f"person 1: 1 frame, shot 0, about {np.ptp(FACE[:, 1]):.0f} px high, first in frame 0 "
        f"at x {box[[0, 2]].mean():.0f}, y {box[[1, 3]].mean():.0f}",
    ]


@pytest.mark.parametrize(
    ("shots", "words"), [([0, 1, 2], "shot 0-2"), ([0, 2, 3], "shot 0, 2-3"), ([1, 1, 3], "shot 1, 3")]
)
def test_shots_are_listed_as_runs(shots: list[int], words: str) -> None:
    """The shots of the three frames with a face; frames of shots between have none."""
    rows = [(shot, 0, 0.0) for shot in sorted(set(shots))]
    assert f", {words}, " in describe_people(clip_faces(rows, list(range(4))))


def test_a_crowd_is_counted_and_nobody_is_nobody() -> None:
    crowd = clip_faces([(0, person, 0) for person in range(MOST_LISTED + 14)], [0])
    lines = describe_people(crowd).splitlines()
    assert len(lines) == MOST_LISTED + 2
    assert lines[-1] == "... and 14 more"
    empty = ClipFaces(
        *(column[:0] for column in (crowd.frames, crowd.people, crowd.boxes, crowd.landmarks, crowd.scores)),
        shot=crowd.shot,
        flash=crowd.flash,
        likeness=crowd.likeness[:0],
        width=SIDE,
        height=SIDE,
    )
    assert describe_people(empty) == "1 frame in 1 shot, 0 people"
