"""Everyone through shots, gaps and other people, with made-up faces: only the bookkeeping is under test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.faces import ClipFaces, Face
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import FrameChunk
from lipsync_studio.pipelines.faces import tracks
from lipsync_studio.pipelines.faces.finder import FaceFinder
from lipsync_studio.pipelines.faces.tracks import BLOCK, FoundFaces, find_faces
from torch import Tensor

WIDTH, HEIGHT = 1000, 800


def face(x: float, y: float = 400, side: float = 100, score: float = 1.0, mark: float = 0, look: int = -1) -> Face:
    """A face centred on (x, y). mark: what its landmarks say, to know it again. look: which of four likenesses."""
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)
    likeness = np.eye(4, dtype=np.float32)[look] if look >= 0 else np.empty(0, np.float32)
    return Face(box=box, landmarks=np.full((68, 2), mark, np.float32), score=score, likeness=likeness)


def found_in(
    frames: Sequence[Sequence[Face]], shots: Sequence[int] | None = None, flashes: Sequence[int] = ()
) -> ClipFaces:
    found = FoundFaces(len(frames), WIDTH, HEIGHT)
    for number, faces in enumerate(frames):
        found.add(number, shots[number] if shots else 0, number in flashes, faces)
    return found.finish()


def marks_of(found: ClipFaces, person: int) -> list[float]:
    """What the landmarks of this person's faces say."""
    return found.landmarks[found.people == person, 0, 0].tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60).filter(any), st.data())
def test_every_face_of_every_frame_is_a_row(counts: list[int], data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 30), min_size=len(counts), max_size=len(counts)))
    shots = np.repeat(np.arange(len(lengths)), lengths)[: len(counts)].tolist()
    frames = [[face(300 * n + 200, mark=10 * number + n) for n in range(count)] for number, count in enumerate(counts)]

    flashes = sorted(data.draw(st.sets(st.integers(0, len(counts) - 1))))

    found = found_in(frames, shots, flashes)

    every = [each for faces in frames for each in faces]
    assert found.frames.tolist() == [number for number, count in enumerate(counts) for _ in range(count)]
    assert found.shot.tolist() == shots
    assert np.flatnonzero(found.flash).tolist() == flashes
    np.testing.assert_array_equal(found.landmarks, [each.landmarks for each in every])
    np.testing.assert_array_equal(found.boxes, [each.box for each in every])
    for number in range(len(counts)):
        here = found.people[found.frames == number].tolist()
        assert len(set(here)) == len(here), "nobody is twice in one frame"


def test_people_are_numbered_by_their_area_over_the_clip() -> None:
    frames = [[face(200, side=60, mark=1), face(500, side=120, mark=2), face(800, side=90, mark=3)]] * 10
    frames[5] = [*frames[5], face(500, 100, side=110, mark=4)]
    found = found_in(frames)
    assert [marks_of(found, person)[0] for person in range(4)] == [2, 3, 1, 4]
    assert found.people[:3].tolist() == [2, 0, 1]


def test_scores_are_kept_and_untrusted_faces_are_followed() -> None:
    scores = [0.9] * 5 + [0.125] * 10 + [0.9] * 5
    found = found_in([[face(300, score=score), face(700, side=50)] for score in scores])
    np.testing.assert_array_equal(found.scores[found.people == 0], np.float32(scores))


def test_a_person_is_known_again_in_a_later_shot_by_looks() -> None:
    frames = [[face(300, look=0, mark=1)]] * 5 + [[face(300, look=1, mark=2)]] * 9 + [[face(700, look=0, mark=1)]] * 5
    found = found_in(frames, [0] * 5 + [1] * 9 + [2] * 5)
    assert marks_of(found, 0) == [1] * 10
    assert marks_of(found, 1) == [2] * 9
    np.testing.assert_allclose(found.likeness, np.eye(4)[:2])


def test_a_person_is_known_again_in_a_later_shot_by_place_and_size() -> None:
    left, right, close = face(200, mark=1), face(800, mark=2), face(500, side=400, mark=3)
    found = found_in([[left, right]] * 5 + [[close]] * 5 + [[right, left]] * 5, [0] * 5 + [1] * 5 + [2] * 5)
    assert [marks_of(found, person) for person in range(3)] == [[3] * 5, [1] * 10, [2] * 10]
    assert found.likeness.shape == (3, 0)


def test_whose_looks_are_unknown_has_none_beside_others_who_have() -> None:
    found = found_in([[face(200, side=120, look=2), face(700)]] * 3)
    np.testing.assert_array_equal(found.likeness, [np.eye(4)[2], np.zeros(4)])


def test_long_tables_are_numbered_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [[face(200, mark=1), face(700, side=150, mark=2)]] * 10
    monkeypatch.setattr(tracks, "_PIECE", 3)
    assert found_in(frames).people.tolist() == [1, 0] * 10


def test_nobody_at_all_says_what_was_looked_for() -> None:
    with pytest.raises(NoFaceError, match=r"none in 3 frames.*at least 23 px"):
        found_in([[], [], []])


def test_only_untrusted_faces_says_so() -> None:
    with pytest.raises(NoFaceError, match=r"only faces in profile.*2 frames.*both eyes"):
        found_in([[face(300, score=0.2)], []])


class Script:
    """A finder that says what a list tells it to."""

    def __init__(self, frames: Sequence[Sequence[Face]]) -> None:
        self.frames = frames

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        assert thumbnails.shape[0] == len(chunk.pictures)
        return [list(self.frames[index]) for index in chunk.indices]


class Stop(BaseException):
    pass


class CountingHost(PlainHost):
    """Remembers progress; interrupts before the block of that number."""

    def __init__(self, stop_before: int | None = None) -> None:
        self.steps: list[tuple[int, int]] = []
        self.stop_before = stop_before

    def progress(self, done: int, total: int, text: str) -> None:
        self.steps.append((done, total))

    def check_interrupt(self) -> None:
        if len(self.steps) == self.stop_before:
            raise Stop


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=3 * BLOCK).filter(any))
def test_blocks_do_not_shift_frames(clip_of: Callable, present: list[bool]) -> None:
    blank = np.zeros((36, 64, 3), np.uint8)
    frames = [[face(32, 18, 10, mark=number + 1)] if there else [] for number, there in enumerate(present)]
    found = find_faces(clip_of([blank] * len(present)), Script(frames), PlainHost())
    assert found.frames.tolist() == np.flatnonzero(present).tolist()
    assert found.landmarks[:, 0, 0].tolist() == (np.flatnonzero(present) + 1).tolist()


def test_cuts_in_the_picture_number_the_shots(clip_of: Callable) -> None:
    pictures = [np.full((36, 64, 3), 40, np.uint8)] * 20 + [np.full((36, 64, 3), 200, np.uint8)] * 20
    found = find_faces(clip_of(pictures), Script([[face(32, 18, 10)]] * 40), PlainHost())
    assert found.shot.tolist() == [0] * 20 + [1] * 20


def test_progress_is_told_after_every_block(clip_of: Callable) -> None:
    count = 2 * BLOCK + 1
    host = CountingHost()
    find_faces(clip_of([np.zeros((36, 64, 3), np.uint8)] * count), Script([[face(32, 18, 10)]] * count), host)
    assert host.steps == [(BLOCK, count), (2 * BLOCK, count), (count, count)]


def test_the_users_stop_ends_the_search(clip_of: Callable) -> None:
    count = 4 * BLOCK
    host = CountingHost(stop_before=1)
    with pytest.raises(Stop):
        find_faces(clip_of([np.zeros((36, 64, 3), np.uint8)] * count), Script([[face(32, 18, 10)]] * count), host)
    assert len(host.steps) == 1


def test_a_singer_far_and_near_is_one_person(read_clip: Callable, clip_of: Callable) -> None:
    """Two shots of a concert, joined: the singer is seen small beside the pianist, then large and alone."""
    name = "clips/short_hamilton_clip.mp4"
    far, near = read_clip(name, 0, 20).frames, read_clip(name, 82, 102).frames
    found = find_faces(clip_of([*far, *near]), FaceFinder(), PlainHost())
    assert found.shot.tolist() == [0] * 20 + [1] * 20
    singer = found.people == 0
    assert found.frames[singer].tolist() == list(range(40))
    width = (found.boxes[:, 2] - found.boxes[:, 0])[singer]
    assert np.median(width[20:]) > 1.2 * np.median(width[:20])
    assert (found.frames[found.people == 1] < 20).sum() >= 18, "the pianist"
