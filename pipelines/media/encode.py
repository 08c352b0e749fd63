"""Writing the result: one encode, exact times, the sound muxed in the same pass, a whole file or none."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import av.error
import numpy as np

from ..core.errors import MediaError
from ..core.timing import Timeline
from ..core.types import AudioClip, EncodeSettings, Picture
from .canvas import Canvas
from .colour import ColourTags
from .container import reason
from .sound import SourceSound, attach

log = logging.getLogger(__name__)

_NO_SPACE = "Free some space on the disk of ComfyUI's temp folder, or raise the limit on the size of files."
_ADVICE = {
    errno.ENOSPC: _NO_SPACE,
    errno.EFBIG: _NO_SPACE,
    errno.EACCES: "Let ComfyUI write to its temp folder.",
    errno.EROFS: "Let ComfyUI write to its temp folder.",
}
_ENCODERS = {"h264": "libx264", "hevc": "libx265"}
_CODEC_TAGS = {"h264": "avc1", "hevc": "hvc1"}  # what QuickTime and Safari want to see
_UNTAGGED = ColourTags()
_SQUARE = Fraction(1)


class VideoWriter:
    """Writes an MP4 with exactly the frames of a timeline. Use it in a `with`.

        with VideoWriter(path, clip.width, clip.height, timeline, settings, sound, clip.tags) as writer:
            for chunk in chunks:
                writer.write(chunk.pictures)

    The file appears at `path` when the `with` ends well and all frames were written. On any failure or interrupt
    nothing is left behind, and a file that was there before stays. Raises MediaError when it cannot be written.
    """

    def __init__(
        self,
        path: Path,
        width: int,
        height: int,
        timeline: Timeline,
        settings: EncodeSettings,
        sound: AudioClip | SourceSound | None = None,
        tags: ColourTags = _UNTAGGED,
        sample_aspect: Fraction = _SQUARE,
    ) -> None:
        """width, height: px, of the pictures. sound: cut where the timeline ends. tags: the source's own."""
        self._path = path
        self._part = path.with_name(f"{path.stem}.part.mp4")
        self._timeline = timeline
        self._durations = np.diff(timeline.ticks, append=timeline.end)
        self._settings = settings
        self._sound = sound
        self._tags = tags
        self._sample_aspect = sample_aspect
        self._canvas = Canvas.of(width, height, settings.pixel_format, tags)
        self._notes = self._canvas.notes
        self._written = 0
        self._held: av.Packet | None = None
        self._first_decoded = 0
        self._open_files = ExitStack()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file; complete inside the `with`."""
        return self._notes

    def __enter__(self) -> VideoWriter:
        with self._whole_or_nothing():
            # No faststart: it would write the whole file twice, and Save Video moves the index to the front anyway.
            self._container = av.open(str(self._part.absolute()), "w", format="mp4")
            self._open_files.enter_context(self._container)
            self._stream = self._add_video()
            self._sound_packets = self._add_sound()
            self._container.start_encoding()
            self._next_sound = next(self._sound_packets, None)
        return self

    def write(self, pictures: Iterable[Picture]) -> None:
        """Append pictures, in the order they are shown, and the sound up to there."""
        with self._failures_named():
            for picture in pictures:
                if self._written == len(self._timeline):
                    raise ValueError(f"more pictures than the {len(self._timeline)} of the timeline")
                frame = self._canvas.frame(picture)
                frame.pts = int(self._timeline.ticks[self._written])
                frame.time_base = self._timeline.tick
                frame.pict_type = 0  # else the encoder would repeat the source's choice of keyframes
                self._mux_pictures(frame)
                self._mux_sound(until=frame.pts * self._timeline.tick)
                self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._discard()
            return
        with self._whole_or_nothing():
            if self._written != len(self._timeline):
                raise ValueError(f"{self._written} pictures were written, the timeline has {len(self._timeline)}")
            self._mux_pictures(None)
            self._mux_sound(until=None)
            self._open_files.close()
            os.replace(self._part, self._path)

    def _add_video(self) -> av.VideoStream:
        settings = self._settings
        encoder = _ENCODERS[settings.codec]
        if encoder not in av.codecs_available:
            raise MediaError(
                expected=f"the encoder {encoder}",
                got="a PyAV built without it",
                next_step="Choose the other codec, or install PyAV from PyPI.",
            )
        options = {"crf": str(settings.crf), "preset": settings.preset}
        if settings.codec == "hevc":
            options["x265-params"] = "log-level=error"
        stream = cast(av.VideoStream, self._container.add_stream(encoder, rate=self._timeline.rate, options=options))
        context = stream.codec_context
        context.width, context.height = self._canvas.coded_size
        context.pix_fmt = self._canvas.format
        context.time_base = self._timeline.tick
        context.thread_type = "FRAME"  # PyAV's own default, slices, makes x264 slower and its files larger
        context.codec_tag = _CODEC_TAGS[settings.codec]
        context.sample_aspect_ratio = self._sample_aspect
        context.colorspace, context.color_range = self._tags.matrix, self._tags.range
        context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        return stream

    def _add_sound(self) -> Iterator[av.Packet]:
        if self._sound is None:
            return iter(())
        kbps, seconds = self._settings.audio_kbps, self._timeline.duration
        track = attach(self._container, self._sound, seconds, kbps, self._open_files)
        self._notes += track.notes
        return track.packets

    def _mux_pictures(self, frame: av.VideoFrame | None) -> None:
        """Encode one more frame; None: the end. The last packet is held back until its duration is known."""
        for packet in self._stream.encode(frame):
            shown = int(np.searchsorted(self._timeline.ticks, cast(int, packet.pts)))
            packet.duration = int(self._durations[shown])
            if self._held is None:
                self._first_decoded = cast(int, packet.dts)
            else:
                self._container.mux(self._held)
            self._held = packet
        if frame is None and self._held is not None:
            # MP4 stores differences of decoding times, so this makes the track exactly as long as the timeline.
            self._held.duration = self._timeline.end - (cast(int, self._held.dts) - self._first_decoded)
            self._container.mux(self._held)

    def _mux_sound(self, until: Fraction | None) -> None:
        """Write the sound beside the pictures, up to second `until` (None: all), so that neither waits in memory."""
        while self._next_sound is not None and (until is None or _start(self._next_sound) <= until):
            self._container.mux(self._next_sound)
            self._next_sound = next(self._sound_packets, None)

    @contextmanager
    def _whole_or_nothing(self) -> Iterator[None]:
        try:
            with self._failures_named():
                yield
        except BaseException:
            self._discard()
            raise

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            width, height = self._canvas.coded_size
            raise MediaError(
                expected=f"{self._path.name} to be writable with {self._settings.codec}, {self._settings.preset}, "
                f"{self._canvas.format}, {width}x{height}",
                got=reason(error),
                next_step=_ADVICE.get(error.errno or 0, "Choose the codec h264 and the pixel format yuv420p."),
            ) from error

    def _discard(self) -> None:
        """Close everything and delete the unfinished file."""
        try:
            self._open_files.close()
        except (av.error.FFmpegError, OSError) as error:
            log.debug("closing the unfinished %s: %s", self._part.name, reason(error))
        self._part.unlink(missing_ok=True)


def _start(packet: av.Packet) -> Fraction:
    return Fraction(cast(int, packet.pts) * packet.time_base)
