"""Everyone in a clip: pass 1 of the pipeline."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..core import heap
from ..core.errors import NoFaceError
from ..core.faces import TRUSTED, ClipFaces, Face
from ..core.host import Host
from ..core.rows import Rows
from ..core.stages import ahead
from ..core.types import FrameChunk, FrameSource
from .detect import THUMBNAIL
from .finder import SMALLEST, Finder, thumbnails
from .likeness import unit_length
from .people import Cast, Shot
from .shots import miniatures, number_shots

# Frames that are read and searched at once.
BLOCK = 16

# Rows of the finished table that are renumbered at once.
_PIECE = 65536


def find_faces(source: FrameSource, finder: Finder, host: Host) -> ClipFaces:
    """Find and follow everybody in the whole clip; raise NoFaceError when no face can be trusted in any frame.

    Reads the clip once, block by block. The table goes to files in the system's temp folder, about 0.6 kB for each face
    in each frame (an hour with eight people at 25 frames per second: 0.4 GB), so memory does not grow with it. Each
    person, and be it a wrong detection in a single frame, takes about 6 kB of memory.
    """
    found = FoundFaces(len(source.clock), source.width, source.height)
    with closing(_read(source, finder, host)) as frames:
        for number, (shot, flash, faces) in enumerate(number_shots(frames)):
            found.add(number, shot, flash, faces)
    return found.finish()


def _read(
    source: FrameSource, finder: Finder, host: Host
) -> Generator[tuple[NDArray[np.float32], list[Face]], None, None]:
    """(miniature, faces) of every frame; decoding runs beside the network."""
    count = len(source.clock)
    blocks = [np.arange(start, min(start + BLOCK, count), dtype=np.int64) for start in range(0, count, BLOCK)]
    with closing(ahead(_with_thumbnails(source, blocks), host.check_interrupt)) as chunks:
        for chunk, small in chunks:
            host.check_interrupt()
            yield from zip(miniatures(small), finder.find(chunk, small), strict=True)
            done = int(chunk.indices[-1]) + 1
            host.progress(done, count, "Finding faces")
            if done % heap.EVERY == 0:  # a multiple of BLOCK
                heap.give_back()


def _with_thumbnails(source: FrameSource, blocks: Sequence[NDArray[np.int64]]) -> Iterator[tuple[FrameChunk, Tensor]]:
    for chunk in source.read(blocks):
        yield chunk, thumbnails(chunk)


class FoundFaces:
    """Builds a ClipFaces of `count` frames, frame by frame.

    Rows are written at once, under the number of a track: one person in one shot. Who that is over the clip is known
    when the shot ends, and how large they are when the clip ends.
    """

    def __init__(self, count: int, width: int, height: int) -> None:
        self._frames, self._tracks = Rows((), np.int32), Rows((), np.int32)
        self._boxes, self._landmarks = Rows((4,), np.float32), Rows((68, 2), np.float32)
        self._scores = Rows((), np.float32)
        self._shot, self._flash = np.zeros(count, np.int32), np.zeros(count, bool)
        self._size = (width, height)
        self._here, self._cast = Shot(), Cast()
        self._who: list[int] = []  # for each track of the shots that ended, who of the cast it is
        self._found, self._trusted = False, False

    def add(self, frame: int, shot: int, flash: bool, faces: Sequence[Face]) -> None:
        """The faces of the next frame; see `shots.number_shots`."""
        if frame and shot != self._shot[frame - 1]:
            self._end_shot()
        self._shot[frame], self._flash[frame] = shot, flash
        if not faces:
            return
        tracks = len(self._who) + np.array(self._here.follow(frame, faces))
        self._frames.add(np.full(len(faces), frame))
        self._tracks.add(tracks)
        self._boxes.add(np.stack([face.box for face in faces]))
        self._landmarks.add(np.stack([face.landmarks for face in faces]))
        self._scores.add(np.array([face.score for face in faces]))
        self._found = True
        self._trusted = self._trusted or any(face.score >= TRUSTED for face in faces)

    def _end_shot(self) -> None:
        self._who += self._cast.meet(self._here.people)
        self._here = Shot()

    def finish(self) -> ClipFaces:
        """Everyone found; raises NoFaceError when there is no face that can be trusted."""
        self._end_shot()
        if not self._trusted:
            raise self._nobody()
        ranked = sorted(range(len(self._cast.people)), key=lambda index: -self._cast.people[index].area)
        return ClipFaces(
            frames=self._frames.table(),
            people=self._people(ranked),
            boxes=self._boxes.table(),
            landmarks=self._landmarks.table(),
            scores=self._scores.table(),
            shot=self._shot,
            flash=self._flash,
            likeness=self._likeness(ranked),
            width=self._size[0],
            height=self._size[1],
        )

    def _people(self, ranked: Sequence[int]) -> NDArray[np.int32]:
        """Who each row is, the largest person first."""
        rank = np.argsort(ranked)[self._who]
        tracks, people = self._tracks.table(), Rows((), np.int32)
        for start in range(0, len(tracks), _PIECE):
            people.add(rank[tracks[start : start + _PIECE]])
        return people.table()

    def _likeness(self, ranked: Sequence[int]) -> NDArray[np.float32]:
        """float32 [people, d], unit length; zeros for whom it is unknown."""
        looks = [self._cast.people[index].looks for index in ranked]
        table = np.zeros((len(looks), max(each.size for each in looks)), np.float32)
        for row, each in zip(table, looks, strict=True):
            row[: each.size] = each
        return unit_length(table)

    def _nobody(self) -> NoFaceError:
        looked = f"{len(self._shot)} frames"
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
