"""The speaker through shots, gaps and other people, with made-up faces: only the bookkeeping is under test."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import Face, FaceTrack, FrameChunk
from lipsync_studio.pipelines.faces.tracks import BLOCK, SpeakerTrack, track_speaker
from torch import Tensor

WIDTH, HEIGHT = 1000, 800


def face(x: float, y: float = 400, side: float = 100, score: float = 1.0, mark: float = 0) -> Face:
    """A face centred on (x, y). mark: what its landmarks say, to know it again."""
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)
    return Face(box=box, landmarks=np.full((68, 2), mark, np.float32), score=score)


def track_of(frames: Sequence[Sequence[Face]], shots: Sequence[int] | None = None) -> FaceTrack:
    track = SpeakerTrack(len(frames), WIDTH, HEIGHT)
    for number, faces in enumerate(frames):
        track.add(number, shots[number] if shots else 0, faces)
    return track.finish()


@given(st.lists(st.booleans(), min_size=1, max_size=80).filter(any), st.data())
def test_each_frame_keeps_its_own_presence_and_landmarks(present: list[bool], data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 30), min_size=len(present), max_size=len(present)))
    shots = np.repeat(np.arange(len(lengths)), lengths)[: len(present)].tolist()
    frames = [[face(500, mark=number + 1)] if there else [] for number, there in enumerate(present)]

    track = track_of(frames, shots)

    assert track.present.tolist() == present
    assert track.shot.tolist() == shots
    for number, there in enumerate(present):
        assert (track.landmarks[number] == (number + 1 if there else 0)).all()
        assert track.boxes[number].tolist() == ([450, 350, 550, 450] if there else [0, 0, 0, 0])


def test_the_speaker_is_the_largest_face_over_the_shot() -> None:
    frames = [[face(200, side=80, mark=1), face(700, side=120, mark=2)] for _ in range(10)]
    assert (track_of(frames).landmarks == 2).all()


def test_somebody_large_for_a_moment_does_not_take_over() -> None:
    frames = [[face(300, side=100, mark=1)] for _ in range(20)]
    frames[10] = [face(800, side=300, mark=2), *frames[10]]
    track = track_of(frames)
    assert track.present.all()
    assert (track.landmarks == 1).all()


def test_the_speaker_stays_the_same_when_another_becomes_larger() -> None:
    frames = [[face(300, side=150, mark=1), face(700, side=60 + 5 * number, mark=2)] for number in range(20)]
    assert frames[-1][1].box[2] - frames[-1][1].box[0] > 150
    assert (track_of(frames).landmarks == 1).all()


def test_the_order_of_faces_in_a_frame_does_not_matter() -> None:
    pair = [face(300, side=120, mark=1), face(450, side=100, mark=2)]
    assert (track_of([pair[:: 1 if number % 2 else -1] for number in range(10)]).landmarks == 1).all()


def test_each_shot_has_its_own_speaker() -> None:
    frames = [[face(300, mark=1)]] * 5 + [[face(300, mark=2), face(600, side=200, mark=3)]] * 5
    track = track_of(frames, [0] * 5 + [1] * 5)
    assert track.landmarks[:, 0, 0].tolist() == [1] * 5 + [3] * 5


def test_a_person_who_leaves_and_comes_back_is_the_same() -> None:
    frames = [[face(120, mark=1)]] * 10 + [[]] * 30 + [[face(150, mark=1)]] * 10
    assert track_of(frames).present.tolist() == [True] * 10 + [False] * 30 + [True] * 10


def test_somebody_else_elsewhere_is_not_the_speaker_who_left() -> None:
    frames = [[face(120, mark=1)]] * 20 + [[]] * 3 + [[face(850, mark=2)]] * 10
    assert track_of(frames).present.tolist() == [True] * 20 + [False] * 13


def test_a_speaker_who_walks_across_is_followed() -> None:
    frames = [[face(100 + 40 * number, mark=1)] for number in range(20)]
    assert track_of(frames).present.all()


def test_two_people_who_pass_each_other_are_not_exchanged() -> None:
    frames = [
        [face(200 + 30 * number, y=350, side=120, mark=1), face(800 - 30 * number, y=450, mark=2)]
        for number in range(20)
    ]
    assert (track_of(frames).landmarks == 1).all()


def test_landmarks_that_cannot_be_trusted_are_absent_but_keep_the_place() -> None:
    frames = [[face(300, side=200, score=0.1 if 5 <= n < 15 else 0.9, mark=1), face(700, mark=2)] for n in range(20)]
    track = track_of(frames)
    assert track.present.tolist() == [True] * 5 + [False] * 10 + [True] * 5
    assert (track.landmarks[track.present] == 1).all()


def test_a_speaker_in_profile_all_through_a_shot_is_not_replaced_by_the_crowd() -> None:
    frames = [[face(300, side=200, score=0.1, mark=1), face(700, mark=2)]] * 5 + [[face(500, mark=3)]] * 5
    assert track_of(frames, [0] * 5 + [1] * 5).present.tolist() == [False] * 5 + [True] * 5


def test_nobody_at_all_says_what_was_looked_for() -> None:
    with pytest.raises(NoFaceError, match=r"none in 3 frames.*at least 23 px"):
        track_of([[], [], []])


def test_only_untrusted_faces_says_so() -> None:
    with pytest.raises(NoFaceError, match=r"only faces in profile.*2 frames.*both eyes"):
        track_of([[face(300, score=0.2)], []])


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


@given(st.lists(st.booleans(), min_size=1, max_size=3 * BLOCK).filter(any))
def test_blocks_do_not_shift_frames(clip_of: Callable, present: list[bool]) -> None:
    blank = np.zeros((36, 64, 3), np.uint8)
    frames = [[face(32, 18, 10, mark=number + 1)] if there else [] for number, there in enumerate(present)]
    track = track_speaker(clip_of([blank] * len(present)), Script(frames), PlainHost())
    assert track.present.tolist() == present
    marks = track.landmarks[:, 0, 0].tolist()
    assert marks == [number + 1 if there else 0 for number, there in enumerate(present)]


def test_cuts_in_the_picture_number_the_shots(clip_of: Callable) -> None:
    pictures = [np.full((36, 64, 3), 40, np.uint8)] * 20 + [np.full((36, 64, 3), 200, np.uint8)] * 20
    track = track_speaker(clip_of(pictures), Script([[face(32, 18, 10)]] * 40), PlainHost())
    assert track.shot.tolist() == [0] * 20 + [1] * 20


def test_progress_is_told_after_every_block(clip_of: Callable) -> None:
    count = 2 * BLOCK + 1
    host = CountingHost()
    track_speaker(clip_of([np.zeros((36, 64, 3), np.uint8)] * count), Script([[face(32, 18, 10)]] * count), host)
    assert host.steps == [(BLOCK, count), (2 * BLOCK, count), (count, count)]


def test_the_users_stop_ends_the_search(clip_of: Callable) -> None:
    count = 4 * BLOCK
    host = CountingHost(stop_before=1)
    with pytest.raises(Stop):
        track_speaker(clip_of([np.zeros((36, 64, 3), np.uint8)] * count), Script([[face(32, 18, 10)]] * count), host)
    assert len(host.steps) == 1
