"""Frames by number, in any order, decoding each stretch of a file as seldom as memory allows."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from itertools import repeat

import av
import av.error
import numpy as np

from ..core.errors import MediaError
from .container import Source, decoded, name_of, opened, packets, reason, video_stream
from .form import Form
from .planes import WORKING_FORMATS
from .probe import PacketIndex
from .yuv_picture import YuvPicture

log = logging.getLogger(__name__)

# Decoded pictures kept while reading backward.
WINDOW_BYTES = 256 * 2**20
# Opening and seeking costs about as much as decoding this many frames.
RESTART_FRAMES = 32
# Damage up to this long shows the picture before it; more is an error.
LONGEST_HOLE_SECONDS = 1.0


@dataclass
class Mishaps:
    """What went wrong while frames were read, shared by all readers of a clip: frames that never came, and the first
    one of another size."""

    missing: set[int] = field(default_factory=set)
    resized: int | None = None

    def notes(self) -> tuple[str, ...]:
        """Sentences for the user."""
        notes = []
        if self.missing:
            notes.append(
                f"{len(self.missing)} damaged frame(s), the first is number {min(self.missing)}: each shows the "
                "picture before it."
            )
        if self.resized is not None:
            notes.append(f"The clip changes its size at frame {self.resized}; scaled to the size it began with.")
        return tuple(notes)


def frames_near(source: Source, index: PacketIndex, stamp: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """(stamp, frame) in the order they are shown, from the last keyframe at or before `stamp` on.

    Where a seek lands too late, or the keyframe is damaged, begins at an earlier one, at last at the file's beginning.
    """
    nearest = max(0, bisect_right(index.keyframes, stamp, key=lambda keyframe: keyframe[0]) - 1)
    for number in sorted({nearest, max(nearest - 1, 0), 0}, reverse=True):
        with opened(source) as container:
            frames = _run(container, video_stream(container, source), index, number)
            first = next(frames, None)
            if first is not None and (first[0] <= stamp or number == 0):
                yield first
                yield from frames
                return


def _run(
    container: av.container.InputContainer, stream: av.VideoStream, index: PacketIndex, keyframe: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode from a keyframe on (0: from the beginning of the file)."""
    if index.counted:
        yield from enumerate(frame for packet in packets(container, stream) for frame in decoded(packet))
        return
    if keyframe > 0:
        try:
            container.seek(index.keyframes[keyframe][1], stream=stream)
        except (av.error.FFmpegError, OSError) as error:
            log.debug("%s cannot be sought in: %s", container.format.name, reason(error))
            return
    landed: int | None = None
    for packet in packets(container, stream):
        if landed is None and packet.is_keyframe:
            landed = packet.pts
        if landed is None:
            continue
        for frame in decoded(packet):
            # Pictures shown before the keyframe but stored after it refer to what was not decoded.
            if frame.pts is not None and frame.pts >= landed:
                yield frame.pts, frame


class FrameReader:
    """Pictures of one clip by frame number. Forward reading never seeks; used by one thread at a time.

    Going backward, it decodes from a keyframe on and keeps as many pictures before the wanted one as fit into
    `WINDOW_BYTES`, so a long group of pictures is decoded a few times, not once for each frame.
    """

    def __init__(self, source: Source, index: PacketIndex, form: Form, mishaps: Mishaps) -> None:
        self._source = source
        self._index = index
        self._form = form
        self._mishaps = mishaps
        bits, half_chroma = WORKING_FORMATS[form.format]
        picture_bytes = form.width * form.height * (bits + 7) // 8 * (1.5 if half_chroma else 3)
        self._window_size = max(1, int(WINDOW_BYTES // picture_bytes))
        self._window: dict[int, YuvPicture] = {}
        self._keyframes = np.searchsorted(index.stamps, [shown for shown, _ in index.keyframes])
        self._next = 0
        self._frames = self._numbered(0)

    def picture(self, number: int) -> YuvPicture:
        """The picture of frame `number`. Raises MediaError where the file is damaged for longer than a moment."""
        if number not in self._window:
            self._fetch(number)
        return self._window[number]

    def close(self) -> None:
        """Let go of the file."""
        self._frames.close()

    def _fetch(self, number: int) -> None:
        keep = 1
        if number < self._next:
            keep = self._window_size
            behind = max(0, number - min(keep, RESTART_FRAMES) + 1)
            self._restart(max(self._keyframe_at(behind), number - keep + 1))
        elif number - self._next > RESTART_FRAMES and self._keyframe_at(number) - self._next > RESTART_FRAMES:
            self._restart(number)
        self._window.clear()
        while self._next <= number:
            frame = next(self._frames)
            if not self._form.fits(frame):
                known = self._mishaps.resized
                self._mishaps.resized = self._next if known is None else min(known, self._next)
            if self._next > number - keep:
                self._window[self._next] = self._form.picture(frame)
            self._next += 1

    def _restart(self, number: int) -> None:
        self._frames.close()
        self._next = number
        self._frames = self._numbered(number)

    def _keyframe_at(self, number: int) -> int:
        """The last frame at or before `number` where decoding can begin; 0 where that is before the clip."""
        place = int(np.searchsorted(self._keyframes, number, side="right")) - 1
        return int(self._keyframes[max(place, 0)])

    def _numbered(self, first: int) -> Generator[av.VideoFrame]:
        """The frames `first`, first + 1, ... to the last, each exactly once; the one before it for a missing one."""
        stamps = self._index.stamps
        due = first
        shown: av.VideoFrame | None = None
        for stamp, frame in frames_near(self._source, self._index, int(stamps[first])):
            number = int(np.searchsorted(stamps, stamp))
            if number == len(stamps):
                break
            if stamps[number] == stamp and number >= due:
                yield from self._held(frame if shown is None else shown, due, number)
                yield frame
                due = number + 1
            if stamps[number] == stamp or number == 0:
                shown = frame
        yield from self._held(shown, due, len(stamps))

    def _held(self, shown: av.VideoFrame | None, first: int, last: int) -> Iterator[av.VideoFrame]:
        """`shown` in the place of the frames first..last-1, which never came out of the decoder."""
        if first == last:
            return
        if shown is None or last - first > max(1, LONGEST_HOLE_SECONDS * self._index.rate):
            raise MediaError(
                expected="a video that can be decoded throughout",
                got=f"{name_of(self._source)}, which is damaged from second "
                f"{float(self._index.stamps[first] * self._index.tick):.2f} on for {last - first} frames",
                next_step="Use an intact copy, or trim the clip to the part before or after the damage.",
            )
        self._mishaps.missing.update(range(first, last))
        yield from repeat(shown, last - first)
