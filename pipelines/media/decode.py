"""A video file as a `core.types.FrameSource`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..core.errors import MediaError
from ..core.timing import FrameClock
from ..core.types import FrameChunk
from .colour import ColourTags
from .container import Source, name_of
from .form import Form
from .probe import PacketIndex, scan
from .reader import FrameReader, Mishaps, frames_near
from .sound import SourceSound

# Frames. Each stretch of a counted clip that is played backward is decoded from the file's beginning.
LONGEST_COUNTED_BACKWARD = 1500


@dataclass(frozen=True)
class VideoClip:
    """A video file, or a trimmed part of one. Make it with `open_video`.

    Reading never changes it, except that `notes` grows when damage comes to light.
    """

    source: Source
    index: PacketIndex
    form: Form
    clock: FrameClock
    sound: SourceSound | None
    mishaps: Mishaps = field(default_factory=Mishaps)

    @property
    def width(self) -> int:
        """px, upright."""
        return self.form.width

    @property
    def height(self) -> int:
        """px, upright."""
        return self.form.height

    @property
    def tags(self) -> ColourTags:
        """To be passed on to `encode.VideoWriter`."""
        return self.form.tags

    @property
    def sample_aspect(self) -> Fraction:
        """Width / height of a pixel, to be passed on to `encode.VideoWriter`."""
        return self.form.sample_aspect

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file; complete once all frames were read."""
        return self.index.notes + self.form.notes + self.mishaps.notes()

    def read(self, blocks: Sequence[NDArray[np.int64]]) -> Iterator[FrameChunk]:
        """Yield one chunk for each block of frame numbers (see `core.types.FrameSource.read`).

        Raises MediaError where the file cannot be decoded for more than a second.
        """
        reader = FrameReader(self.source, self.index, self.form, self.mishaps)
        self._check_order(blocks)
        try:
            for block in blocks:
                if len(block) and not 0 <= block.min() <= block.max() < len(self.clock):
                    raise ValueError(f"the clip has frames 0..{len(self.clock) - 1}, asked for {block}")
                yield FrameChunk(tuple(reader.picture(int(number)) for number in block), block)
        finally:
            reader.close()

    def _check_order(self, blocks: Sequence[NDArray[np.int64]]) -> None:
        """Where frames can only be counted from the beginning, playing a long clip backward would take for ever."""
        backward = any((np.diff(block) < 0).any() for block in blocks)
        if self.index.counted and backward and len(self.clock) > LONGEST_COUNTED_BACKWARD:
            raise MediaError(
                expected="a video with frame times, so that it can play backward",
                got=f"{name_of(self.source)}, which has none",
                next_step="Convert it to MP4 (H.264), or set `audio_longer` to loop, hold or stop.",
            )


def open_video(source: Source, start: float = 0, duration: float = 0, pixel_format: str = "yuv420p") -> VideoClip:
    """Find every frame of a video between `start` and `start + duration` (seconds; duration 0: to the end).

    pixel_format: what the frames are worked on and written in (`EncodeSettings.pixel_format`). The source is a path or
    a file in memory; it is opened anew by each reader. Raises MediaError when it is no video, when it breaks off inside
    the wanted part, and when that part is empty.
    """
    whole = scan(source)
    first, last = whole.between(start, duration)
    _check_intact(source, whole, start + duration if duration > 0 else None)
    if first == last:
        raise MediaError(
            expected="a trim window with frames in it",
            got=f"{start:g} s to {f'{start + duration:g} s' if duration > 0 else 'the end'} of {name_of(source)}, "
            f"which has frames from {_second(whole, 0):.2f} s to {_second(whole, -1):.2f} s",
            next_step="Change the trim.",
        )
    index = whole.cut(first, last)
    form, missing = _first_form(source, index, pixel_format)
    index = index.cut(missing, len(index.stamps))
    clock = index.clock()
    begin = Fraction(int(index.stamps[0])) * index.tick
    end = begin + clock.end * clock.tick if duration > 0 else None
    sound = SourceSound(source, begin, end) if index.header.has_sound else None
    return VideoClip(source, index, form, clock, sound)


def _check_intact(source: Source, index: PacketIndex, end: float | None) -> None:
    if index.breaks_off is None or (end is not None and end <= index.breaks_off):
        return
    raise MediaError(
        expected="a complete video",
        got=f"{name_of(source)}, which breaks off at second {index.breaks_off:.2f}",
        next_step="Use a complete copy, or trim the clip to end before that.",
    )


def _first_form(source: Source, index: PacketIndex, pixel_format: str) -> tuple[Form, int]:
    """The form of the first frame, and how many frames before it cannot be shown at all."""
    start = int(index.stamps[0])
    has_earlier = False
    for stamp, frame in frames_near(source, index, start):
        if stamp > index.stamps[-1]:
            break
        if stamp >= start:
            missing = 0 if has_earlier else int(np.searchsorted(index.stamps, stamp))
            return Form.of(frame, pixel_format, index.header), missing
        has_earlier = True
    raise MediaError(
        expected="a video that can be decoded",
        got=f"{name_of(source)}, from second {_second(index, 0):.2f} on of which nothing can be",
        next_step="Play it in a media player; if it plays there, convert it to MP4 (H.264).",
    )


def _second(index: PacketIndex, number: int) -> float:
    return float(int(index.stamps[number]) * index.tick)
