"""The speaker through a clip: pass 1 of the pipeline."""

from __future__ import annotations

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
from .finder import SMALLEST, TRUSTED, Finder, thumbnails
from .shots import miniatures, number_shots

# Frames that are read and searched at once.
BLOCK = 16

# How far a face may have moved and still be the same person, in sides of the face: from one frame to the next, for each
# further frame it was not seen, and at most. A person who left comes back about where they went.
_STRIDE, _STRIDE_UNSEEN, _STRIDE_MOST = 0.75, 0.1, 2.0

# ... and how much larger or smaller it may have become.
_GROWTH = 2.0


def track_speaker(source: FrameSource, finder: Finder, host: Host) -> FaceTrack:
    """Follow the speaker, the largest face of each shot, over the whole clip; raise NoFaceError if there is none.

    Reads the clip once, block by block, keeping about 1 kB a frame. The speaker of a shot is the person whose faces
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
    with closing(ahead(_with_thumbnails(source, blocks))) as chunks:
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

    frames, rows: the frames with trusted landmarks, and float32 [140] each: box, then landmarks.
    """

    box: NDArray[np.float32]
    seen: int
    area: float = 0.0
    frames: list[int] = field(default_factory=list)
    rows: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, frame: int, face: Face) -> None:
        self.box, self.seen = face.box, frame
        self.area += float(np.prod(face.box[2:] - face.box[:2]))
        if face.score >= TRUSTED:
            self.frames.append(frame)
            self.rows.append(np.concatenate([face.box, face.landmarks.ravel()]))


class SpeakerTrack:
    """Builds a FaceTrack of `count` frames, frame by frame; holds the other persons of the current shot only."""

    def __init__(self, count: int, width: int, height: int) -> None:
        self._present = np.zeros(count, dtype=bool)
        self._rows = np.zeros((count, 4 + 68 * 2), dtype=np.float32)
        self._shot = np.zeros(count, dtype=np.int32)
        self._size = (width, height)
        self._people: list[Person] = []
        self._current = 0
        self._found = 0

    def add(self, frame: int, shot: int, faces: Sequence[Face]) -> None:
        """The faces of the next frame."""
        if shot != self._current:
            self._end_shot()
            self._current = shot
        self._shot[frame] = shot
        self._found += len(faces)
        for face, person in zip(faces, match(faces, self._people, frame), strict=True):
            if person is None:
                person = Person(face.box, frame)
                self._people.append(person)
            person.add(frame, face)

    def finish(self) -> FaceTrack:
        """The track; raises NoFaceError when nobody was ever present."""
        self._end_shot()
        if not self._present.any():
            raise self._nobody()
        return FaceTrack(
            present=self._present,
            boxes=self._rows[:, :4],
            landmarks=self._rows[:, 4:].reshape(-1, 68, 2),
            shot=self._shot,
            width=self._size[0],
            height=self._size[1],
        )

    def _end_shot(self) -> None:
        speaker = max(self._people, key=lambda person: person.area, default=None)
        if speaker is not None and speaker.frames:
            self._present[speaker.frames] = True
            self._rows[speaker.frames] = speaker.rows
        self._people = []

    def _nobody(self) -> NoFaceError:
        looked = f"{len(self._present)} frames"
        if self._found:
            return NoFaceError(
                expected="a face turned to the camera in at least one frame",
                got=f"only faces in profile, covered or cut off in {looked}",
                next_step="Use a clip in which both eyes and the mouth of the speaker can be seen.",
            )
        smallest = round(SMALLEST * max(self._size))
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
