"""The speaker through a clip: pass 1 of the pipeline."""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from ..core.errors import NoFaceError
from ..core.host import Host
from ..core.stages import ahead
from ..core.types import Face, FaceTrack, FrameChunk, FrameSource
from .finder import SMALLEST, THUMBNAIL, TRUSTED, Finder, thumbnails
from .shots import miniatures, number_shots

# Frames that are read and searched at once.
BLOCK = 16

# How far a face may have moved and still be the same person, in sides of the face: from one frame to the next, for each
# further frame it was not seen, and at most. A person who left comes back about where they went.
_STRIDE, _STRIDE_UNSEEN, _STRIDE_MOST = 0.75, 0.1, 2.0

# ... and how much larger or smaller it may have become.
_GROWTH = 2.0

# Every so many frames of a long shot, people with less than this part of the largest one's area are forgotten.
_LOOK_BACK, _BYSTANDER = 1000, 0.25


def track_speaker(source: FrameSource, finder: Finder, host: Host) -> FaceTrack:
    """Follow the speaker, the largest face of each shot, over the whole clip; raise NoFaceError if there is none.

    Reads the clip once, block by block, keeping about 0.6 kB a frame. The speaker of a shot is the person whose faces
    cover the largest area over the shot; only that person is present, and only where the landmarks can be trusted.
    """
    track = SpeakerTrack(len(source.clock), source.width, source.height)
    with closing(_find_faces(source, finder, host)) as found:
        for number, (shot, faces) in enumerate(number_shots(found)):
            track.add(number, shot, faces)
    return track.finish()


def _find_faces(
    source: FrameSource, finder: Finder, host: Host
) -> Generator[tuple[NDArray[np.float32], list[Face]], None, None]:
    """(miniature, faces) of every frame; decoding runs beside the network."""
    count = len(source.clock)
    blocks = [np.arange(start, min(start + BLOCK, count), dtype=np.int64) for start in range(0, count, BLOCK)]
    with closing(ahead(_with_thumbnails(source, blocks), host.check_interrupt)) as chunks:
        for chunk, small in chunks:
            host.check_interrupt()
            yield from zip(miniatures(small), finder.find(chunk, small), strict=True)
            host.progress(int(chunk.indices[-1]) + 1, count, "Finding the speaker")


def _with_thumbnails(source: FrameSource, blocks: Sequence[NDArray[np.int64]]) -> Iterator[tuple[FrameChunk, Tensor]]:
    for chunk in source.read(blocks):
        yield chunk, thumbnails(chunk)


@dataclass
class Person:
    """One person in one shot. box: float32 [4], where last seen. seen: that frame. area: px, over all frames.

    frames: those with trusted landmarks. rows: for each of them 140 floats, box and landmarks.
    """

    box: NDArray[np.float32]
    seen: int
    area: float = 0.0
    frames: array[int] = field(default_factory=lambda: array("q"))
    rows: array[float] = field(default_factory=lambda: array("f"))

    def see(self, frame: int, face: Face) -> None:
        self.box, self.seen = face.box, frame
        self.area += float(np.prod(face.box[2:] - face.box[:2]))


class SpeakerTrack:
    """Builds a FaceTrack of `count` frames, frame by frame, in about 0.6 kB a frame.

    The first person of a shot, its largest at first, goes straight into the track. The others are kept aside until the
    shot ends, in case one of them turns out to be the speaker.
    """

    def __init__(self, count: int, width: int, height: int) -> None:
        self._present = np.zeros(count, dtype=bool)
        self._boxes = np.zeros((count, 4), dtype=np.float32)
        self._landmarks = np.zeros((count, 68, 2), dtype=np.float32)
        self._shot = np.zeros(count, dtype=np.int32)
        self._size = (width, height)
        self._people: list[Person] = []
        self._current = 0
        self._found = 0

    def add(self, frame: int, shot: int, faces: Sequence[Face]) -> None:
        """The faces of the next frame, the largest first."""
        if shot != self._current:
            self._end_shot()
            self._current = shot
        self._shot[frame] = shot
        self._found += len(faces)
        for face, person in zip(faces, match(faces, self._people, frame), strict=True):
            if person is None:
                person = Person(face.box, frame)
                self._people.append(person)
            person.see(frame, face)
            if face.score >= TRUSTED:
                self._keep(person, frame, face)
        if frame % _LOOK_BACK == 0:
            self._forget_bystanders()

    def _keep(self, person: Person, frame: int, face: Face) -> None:
        person.frames.append(frame)
        if person is self._people[0]:
            self._put([frame], face.box[None], face.landmarks[None])
        else:
            person.rows.frombytes(face.box.tobytes() + face.landmarks.tobytes())

    def _put(self, frames: Sequence[int], boxes: NDArray[np.float32], landmarks: NDArray[np.float32]) -> None:
        self._present[frames], self._boxes[frames], self._landmarks[frames] = True, boxes, landmarks

    def _forget_bystanders(self) -> None:
        most = max((person.area for person in self._people), default=0.0)
        self._people[1:] = [person for person in self._people[1:] if person.area >= _BYSTANDER * most]

    def _end_shot(self) -> None:
        speaker = max(self._people, key=lambda person: person.area, default=None)
        if speaker is not None and speaker is not self._people[0]:
            first = self._people[0].frames
            self._present[first], self._boxes[first], self._landmarks[first] = False, 0, 0
            rows = np.frombuffer(speaker.rows, np.float32).reshape(-1, 4 + 68 * 2)
            self._put(speaker.frames, rows[:, :4], rows[:, 4:].reshape(-1, 68, 2))
        self._people = []

    def finish(self) -> FaceTrack:
        """The track; raises NoFaceError when nobody was ever present."""
        self._end_shot()
        if not self._present.any():
            raise self._nobody()
        return FaceTrack(
            present=self._present,
            boxes=self._boxes,
            landmarks=self._landmarks,
            shot=self._shot,
            width=self._size[0],
            height=self._size[1],
        )

    def _nobody(self) -> NoFaceError:
        looked = f"{len(self._present)} frames"
        if self._found:
            return NoFaceError(
                expected="a face turned to the camera in at least one frame",
                got=f"only faces in profile, covered or cut off in {looked}",
                next_step="Use a clip in which both eyes and the mouth of the speaker can be seen.",
            )
        smallest = max(round(SMALLEST * max(*self._size, THUMBNAIL)), 1)
        return NoFaceError(
            expected="a face in at least one frame",
            got=f"none in {looked}",
            next_step=f"Faces must be upright and at least {smallest} px high in this clip; "
            "crop or enlarge it around the speaker.",
        )


def match(faces: Sequence[Face], people: Sequence[Person], frame: int) -> list[Person | None]:
    """Who each face of `frame` is: the person that was nearest, each person once; None for somebody new."""
    who: list[Person | None] = [None] * len(faces)
    if not faces or not people:
        return who
    far = np.array([[_strides(face, person, frame) for person in people] for face in faces])
    for index, other in zip(*linear_sum_assignment(np.minimum(far, 1.0)), strict=True):
        if far[index, other] < 1.0:
            who[index] = people[other]
    return who


def _strides(face: Face, person: Person, frame: int) -> float:
    """How far `face` is from where `person` was, in parts of how far they may have gone; infinite if too unlike."""
    here, there = _centre_and_side(face.box), _centre_and_side(person.box)
    if not 1 / _GROWTH < here[2] / there[2] < _GROWTH:
        return float("inf")
    allowed = min(_STRIDE + _STRIDE_UNSEEN * (frame - person.seen - 1), _STRIDE_MOST)
    return float(np.hypot(here[0] - there[0], here[1] - there[1]) / (allowed * max(here[2], there[2])))


def _centre_and_side(box: NDArray[np.float32]) -> tuple[float, float, float]:
    x0, y0, x1, y1 = box.tolist()
    return (x0 + x1) / 2, (y0 + y1) / 2, float(np.sqrt(max((x1 - x0) * (y1 - y0), 1.0)))
