"""Who speaks: every rule, on made-up people; and that only trusted faces make a track."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError, NoFaceError
from lipsync_studio.pipelines.core.faces import TRUSTED, CropSettings, MotionSettings, SpeakerChoice, SpeakerFaces
from lipsync_studio.pipelines.core.rows import Rows
from lipsync_studio.pipelines.faces import pieces
from lipsync_studio.pipelines.faces.crop import plan_crops
from lipsync_studio.pipelines.faces.likeness import OTHER
from lipsync_studio.pipelines.faces.speaker import chosen_rows, speaker_track
from made_up_faces import HEIGHT, WIDTH, ClipFaces, box_at, clip_faces

# Two shots of ten frames. Person 0 is large, on the left, then on the right; person 1 is small, the other way round;
# person 2 looks in on the far left for two frames of the first shot.
SHOTS = [0] * 10 + [1] * 10
ROWS = [
    row
    for frame in range(20)
    for row in (
        (frame, 0, box_at(300 if frame < 10 else 700, side=120)),
        (frame, 1, box_at(600 if frame < 10 else 200, side=80)),
        *([(frame, 2, box_at(50, side=60))] if frame in (3, 4) else []),
    )
]
THREE = clip_faces(ROWS, SHOTS)
UNBRIDGED = MotionSettings(bridge=0)


def who(found: ClipFaces, choice: SpeakerChoice) -> list[int]:
    """The person in each frame, -1 where none."""
    track = speaker_track(SpeakerFaces(found, choice, UNBRIDGED))
    people = np.full(len(found), -1)
    for row, (frame, person) in enumerate(zip(found.frames, found.people, strict=True)):
        if track.present[frame] and (track.boxes[frame] == found.boxes[row]).all():
            people[frame] = person
            assert (track.landmarks[frame] == found.landmarks[row]).all()
    assert (people >= 0).tolist() == track.present.tolist()
    return people.tolist()


@pytest.mark.parametrize(
    ("choice", "first", "second"),
    [
        (SpeakerChoice("largest"), 0, 0),
        (SpeakerChoice("leftmost"), 0, 1),
        (SpeakerChoice("rightmost"), 1, 0),
        (SpeakerChoice("person", person=1), 1, 1),
        (SpeakerChoice("point", frame=0, point=(310, 410)), 0, 0),
        (SpeakerChoice("point", frame=0, point=(601, 320)), 1, 1),
        (SpeakerChoice("point", frame=15, point=(600, 400)), 0, 0),
    ],
    ids=["largest", "leftmost", "rightmost", "person 1", "on face 0", "above face 1", "beside face 0"],
)
def test_rules(choice: SpeakerChoice, first: int, second: int) -> None:
    assert who(THREE, choice) == [first] * 10 + [second] * 10


def test_a_person_is_present_only_where_seen() -> None:
    assert who(THREE, SpeakerChoice("person", person=2)) == [-1] * 3 + [2, 2] + [-1] * 15


def test_largest_counts_the_whole_shot_not_single_frames() -> None:
    rows = [(frame, 0, box_at(200)) for frame in range(10)] + [(9, 1, box_at(700, side=250))]
    assert who(clip_faces(rows, [0] * 10), SpeakerChoice()) == [0] * 10


def test_leftmost_is_told_by_the_middle_of_the_shot_not_by_a_moment() -> None:
    rows = [(frame, 0, box_at(100 if frame == 4 else 600)) for frame in range(9)]
    rows += [(frame, 1, box_at(400)) for frame in range(9)]
    found = clip_faces(sorted(rows, key=lambda row: row[0]), [0] * 9)
    assert who(found, SpeakerChoice("leftmost")) == [1] * 9


def test_of_two_that_are_equal_the_lower_number_speaks() -> None:
    found = clip_faces([(0, 1, box_at(200)), (0, 0, box_at(200, 600))], [0])
    for rule in ("largest", "leftmost", "rightmost"):
        assert who(found, SpeakerChoice(rule)) == [0]


def test_untrusted_faces_count_for_the_choice_but_are_cutaways() -> None:
    """The large person is seen in profile for half the shot: the small one may not take their place."""
    scores = [0.0 if person == 0 and frame < 5 else TRUSTED for frame, person, _ in ROWS]
    found = clip_faces(ROWS, SHOTS, scores)
    assert who(found, SpeakerChoice()) == [-1] * 5 + [0] * 15
    assert who(found, SpeakerChoice("person", person=1)) == [1] * 20


def test_of_faces_that_cross_a_point_takes_the_one_whose_middle_is_nearer() -> None:
    found = clip_faces([(0, 0, box_at(300, side=100)), (0, 1, box_at(340, side=100))], [0])
    assert who(found, SpeakerChoice("point", point=(315, 400))) == [0]
    assert who(found, SpeakerChoice("point", point=(325, 400))) == [1]


def test_a_reference_face_names_the_person_most_like_it() -> None:
    alike = np.array([[1, 0, 0], [0, 1, 0], [0, 0.6, 0.8]], np.float32)
    found = clip_faces(ROWS, SHOTS, likeness=alike)
    choice = SpeakerChoice("likeness", likeness=np.array([0.1, 0.9, 0.42], np.float32))
    assert who(found, choice) == [1] * 20


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (SpeakerChoice("person", person=3), "a person from 0 to 2; got person 3 of 3 people"),
        (SpeakerChoice("person", person=-1), "person -1 of 3"),
        (SpeakerChoice("point", frame=20), "a frame from 0 to 19; got frame 20"),
        (
            SpeakerChoice("point", frame=0, point=(900, 700)),
            r"a face at \(900, 700\) on frame 0; got faces at \(300, 400\), \(600, 400\)",
        ),
        (SpeakerChoice("likeness", likeness=np.array([0, 1], np.float32)), "3 values for the faces and 2"),
        (SpeakerChoice("likeness"), "3 values for the faces and 0"),
        (SpeakerChoice("likeness", likeness=np.array([-1, 0, 0], np.float32)), f"{OTHER} or more; got 0.00 at most"),
    ],
)
def test_a_choice_that_fits_nobody_says_what_there_is(choice: SpeakerChoice, message: str) -> None:
    found = clip_faces(ROWS, SHOTS, likeness=np.eye(3).tolist())
    with pytest.raises(InputError, match=message):
        speaker_track(SpeakerFaces(found, choice))


def test_faces_without_likeness_cannot_be_told_by_one() -> None:
    with pytest.raises(InputError, match="0 values for the faces and 4"):
        speaker_track(SpeakerFaces(THREE, SpeakerChoice("likeness", likeness=np.full(4, 0.5, np.float32))))


@pytest.mark.parametrize(("frame", "nearest"), [(0, "3"), (5, "3 and 8"), (9, "8")])
def test_a_point_on_a_frame_without_faces_names_the_nearest_with_some(frame: int, nearest: str) -> None:
    found = clip_faces([(3, 0, box_at(300)), (8, 0, box_at(300))], [0] * 10)
    with pytest.raises(InputError, match=f"a face: {nearest}[.]$"):
        speaker_track(SpeakerFaces(found, SpeakerChoice("point", frame=frame, point=(300, 400))))


def test_a_speaker_who_is_never_trusted_is_an_error_that_names_who_is() -> None:
    scores = [0.1 if person == 0 else 1.0 for _, person, _ in ROWS]
    with pytest.raises(NoFaceError, match=r"the largest face turned .* in 20 frames.* person 1, 2[.]"):
        speaker_track(SpeakerFaces(clip_faces(ROWS, SHOTS, scores)))
    with pytest.raises(NoFaceError, match="person 0 turned"):
        speaker_track(SpeakerFaces(clip_faces(ROWS, SHOTS, scores), SpeakerChoice("person")))


@pytest.mark.parametrize("rule", ["largest", "leftmost", "person", "point", "likeness"])
def test_a_clip_without_faces_is_an_error(rule: str) -> None:
    with pytest.raises(NoFaceError, match="none in 4 frames"):
        chosen_rows(clip_faces([], [0] * 4), SpeakerChoice(rule))


def test_the_motion_settings_apply() -> None:
    rows = [(frame, 0, box_at(300 + frame)) for frame in range(12) if frame not in (4, 5)]
    found = clip_faces(rows, [0] * 12)
    bridged = speaker_track(SpeakerFaces(found, motion=MotionSettings(bridge=2)))
    assert bridged.present.all()
    assert np.flatnonzero(bridged.bridged).tolist() == [4, 5]
    flash = clip_faces(rows, [0] * 12, flashes=[5])
    assert not speaker_track(SpeakerFaces(flash, motion=MotionSettings(bridge=2))).bridged.any()
    smoothed = speaker_track(SpeakerFaces(found, motion=MotionSettings(bridge=1, smoothing=1)))
    assert np.flatnonzero(~smoothed.present).tolist() == [4, 5]
    assert not smoothed.landmarks[4:6].any()


@given(st.data())
def test_any_table_gives_frames_of_one_person_a_shot(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    shot = np.repeat(np.arange(len(lengths)), lengths)
    sightings: Sequence[list[int]] = [
        data.draw(st.lists(st.integers(0, 3), max_size=4, unique=True)) for _ in range(len(shot))
    ]
    sightings[0].append(4)  # so that there is a face, and the highest number is known
    rows = [
        (frame, person, box_at(data.draw(st.integers(100, 900)), side=data.draw(st.integers(20, 90))))
        for frame, people in enumerate(sightings)
        for person in people
    ]
    rule = data.draw(st.sampled_from(["largest", "leftmost", "rightmost"]))
    found = clip_faces(rows, shot.tolist())
    chosen = chosen_rows(found, SpeakerChoice(rule))
    for number in range(len(lengths)):
        seen = found.shot[found.frames] == number
        people = np.unique(found.people[chosen][seen[chosen]])
        assert len(people) == bool(seen.any())
        assert seen[chosen].sum() == (found.people[seen] == people).sum() if seen.any() else True


def test_blocks_do_not_shift_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = np.random.RandomState(0).rand(len(ROWS)).tolist()
    faces = SpeakerFaces(clip_faces(ROWS, SHOTS, scores), motion=MotionSettings(bridge=3, smoothing=0.5))
    whole = speaker_track(faces)
    monkeypatch.setattr(pieces, "BLOCK", 3)
    piecewise = speaker_track(faces)
    assert (piecewise.present == whole.present).all()
    np.testing.assert_allclose(piecewise.landmarks, whole.landmarks, rtol=1e-6)
    np.testing.assert_allclose(piecewise.boxes, whole.boxes, rtol=1e-6)


def peak(count: int) -> int:
    """Bytes at most allocated while a track of `count` frames is made and its crops planned."""
    landmarks = Rows((68, 2), np.float32)
    for _ in range(0, count, 1000):
        landmarks.add(np.random.RandomState(0).uniform(300, 500, (1000, 68, 2)))
    found = ClipFaces(
        frames=np.arange(count, dtype=np.int32),
        people=np.zeros(count, np.int32),
        boxes=np.tile(np.array(box_at(400, side=200), np.float32), (count, 1)),
        landmarks=landmarks.table(),
        scores=np.where(np.arange(count) % 50, 1, 0).astype(np.float32),
        shot=np.zeros(count, np.int32),
        flash=np.zeros(count, bool),
        likeness=np.zeros((1, 0), np.float32),
        width=WIDTH,
        height=HEIGHT,
    )
    tracemalloc.start()
    plan_crops(speaker_track(SpeakerFaces(found, motion=MotionSettings(smoothing=0.5))), CropSettings())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_a_long_shot_takes_little_memory_for_each_frame() -> None:
    """All landmarks of a frame are 544 bytes; what stays in memory is boxes, flags and row numbers."""
    assert (peak(40_000) - peak(20_000)) / 20_000 < 150


def test_the_table_may_be_a_file_that_cannot_be_written() -> None:
    found = replace(THREE, landmarks=THREE.landmarks.copy())
    found.landmarks.flags.writeable = False
    assert not speaker_track(SpeakerFaces(found, motion=MotionSettings(smoothing=1))).landmarks.flags.writeable
