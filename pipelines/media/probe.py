"""Every frame of a video stream and its exact time, found without decoding."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
import av.error
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from ..core.errors import MediaError
from ..core.timing import FrameClock
from .container import Source, audio_stream, decoded, name_of, opened, packets, reason, tick_of, video_stream

log = logging.getLogger(__name__)

# A header that promises this much more than the file holds belongs to a file that was cut off.
MISSING_SECONDS = 1.0
# Only these containers state a duration; others estimate it.
_STATED_DURATION = ("mov", "matroska")
_TRACK_LENGTH_SECONDS = 0.002
_FALLBACK_RATE = Fraction(25)


@dataclass(frozen=True)
class Header:
    """What the file states about its video. sample_aspect: width / height of a pixel. primaries, transfer: H.273."""

    sample_aspect: Fraction
    primaries: int
    transfer: int
    has_sound: bool

    @classmethod
    def of(cls, container: InputContainer, stream: av.VideoStream) -> Header:
        context = stream.codec_context
        return cls(
            sample_aspect=Fraction(stream.sample_aspect_ratio or 1),
            primaries=int(context.color_primaries),
            transfer=int(context.color_trc),
            has_sound=audio_stream(container) is not None,
        )


@dataclass(frozen=True)
class PacketIndex:
    """The frames of one video stream in the order they are shown.

    stamps: int64 [N], rising, in `tick` seconds, as the container counts (need not start at 0). end: stamp at which the
    last frame ends. keyframes: (stamp, decoding stamp) of each place where decoding can begin, rising.
    counted: the file's own times are no use; frames are numbered as they come out of the decoder, and `tick` is one
    frame. breaks_off: second at which the file is cut off or unreadable, if it is.
    """

    stamps: NDArray[np.int64]
    end: int
    keyframes: tuple[tuple[int, int], ...]
    tick: Fraction
    rate: Fraction
    header: Header
    counted: bool = False
    breaks_off: float | None = None
    notes: tuple[str, ...] = ()

    def clock(self) -> FrameClock:
        """The frames' times from the first frame on."""
        first = int(self.stamps[0])
        return FrameClock(ticks=self.stamps - first, end=self.end - first, tick=self.tick, rate=self.rate)

    def between(self, start: float, duration: float) -> tuple[int, int]:
        """First and last + 1 of the frames in a trim window (seconds; duration 0: to the end).

        The rule is ComfyUI's: int(start / tick) <= stamp < int((start + duration) / tick).
        """
        first = int(np.searchsorted(self.stamps, int(start / self.tick)))
        if duration <= 0:
            return first, len(self.stamps)
        return first, int(np.searchsorted(self.stamps, int((start + duration) / self.tick)))

    def cut(self, first: int, last: int) -> PacketIndex:
        """The same with the frames first..last-1 only; they keep their durations."""
        end = self.end if last == len(self.stamps) else int(self.stamps[last])
        return replace(self, stamps=self.stamps[first:last], end=end)


@dataclass
class _Found:
    """What a walk through the packets has seen so far. ends: the last stamp of every stream, in its own ticks."""

    packets: int = 0
    stamps: list[int] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    keyframes: list[tuple[int, int]] = field(default_factory=list)
    untimed: bool = False
    ends: dict[int, int] = field(default_factory=dict)
    error: BaseException | None = None


def scan(source: Source) -> PacketIndex:
    """Walk through all packets of a video. Raises MediaError when there is no video or no frame in it."""
    with opened(source) as container:
        stream = video_stream(container, source)
        found = _walk(container, stream)
        if found.packets == 0:
            raise MediaError(
                expected="a video with at least one frame",
                got=f"{name_of(source)}, which has none" + (f" ({reason(found.error)})" if found.error else ""),
                next_step="Check that the file was written to its end.",
            )
        breaks_off = _breaks_off(container, found)
        if _untimed(container, stream, found):
            return _counted(source, container, stream, breaks_off)
        return _timed(container, stream, found, breaks_off)


def _walk(container: InputContainer, stream: av.VideoStream) -> _Found:
    """Other streams are read along, because a file ends where the last of them ends."""
    found = _Found()
    try:
        for packet in container.demux():
            if packet.size == 0 or packet.stream is None:
                continue
            if packet.pts is not None:
                end = packet.pts + (packet.duration or 0)
                found.ends[packet.stream_index] = max(end, found.ends.get(packet.stream_index, end))
            if packet.stream_index == stream.index:
                _note_packet(found, packet)
    except (av.error.FFmpegError, OSError) as error:
        log.warning("demuxing stopped: %s", reason(error))
        found.error = error
    return found


def _note_packet(found: _Found, packet: av.Packet) -> None:
    found.packets += 1
    if packet.pts is None:
        found.untimed = True
        return
    if packet.is_keyframe:
        found.keyframes.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
    # Pictures that an edit list discards are decoded but not shown. Pictures shown before the first keyframe refer to
    # what came before the file began; no decoder can make them.
    if not packet.is_discard and found.keyframes and packet.pts >= found.keyframes[0][0]:
        found.stamps.append(packet.pts)
        found.durations.append(packet.duration or 0)


def _untimed(container: InputContainer, stream: av.VideoStream, found: _Found) -> bool:
    """Whether the times are missing, double, or made up: AVI stores none, so with B-frames they come in coded order."""
    if found.untimed or not found.keyframes or len(set(found.stamps)) < len(found.stamps):
        return True
    return container.format.name == "avi" and bool(stream.codec_context.has_b_frames)


def _breaks_off(container: InputContainer, found: _Found) -> float | None:
    """The second at which the file ends although more was promised, or cannot be read on."""
    ticks = {stream.index: stream.time_base for stream in container.streams}
    reached = max((float(end * (ticks[number] or 0)) for number, end in found.ends.items()), default=0.0)
    if found.error is not None:
        return reached
    if container.duration is None or not any(name in container.format.name for name in _STATED_DURATION):
        return None
    promised = ((container.start_time or 0) + container.duration) / av.time_base
    return reached if promised - reached > MISSING_SECONDS else None


def _timed(container: InputContainer, stream: av.VideoStream, found: _Found, breaks_off: float | None) -> PacketIndex:
    order = np.argsort(np.array(found.stamps, dtype=np.int64), kind="stable")
    stamps = np.array(found.stamps, dtype=np.int64)[order]
    tick = tick_of(stream)
    rate = _nominal_rate(stream, stamps, tick)
    return PacketIndex(
        stamps=stamps,
        end=_end(container, stream, int(stamps[-1]), found.durations[order[-1]] or round(1 / (rate * tick))),
        keyframes=tuple(sorted(found.keyframes)),
        tick=tick,
        rate=rate,
        header=Header.of(container, stream),
        breaks_off=breaks_off,
    )


def _end(container: InputContainer, stream: av.VideoStream, last: int, duration: int) -> int:
    """The stamp at which the last frame, at `last`, ends.

    MP4 stores durations in decoding order, so with B-frames the last picture's may be another one's. Then the length
    of the track counts, which is known to the millisecond.
    """
    end = last + max(1, duration)
    if "mov" in container.format.name and stream.duration is not None and stream.start_time is not None:
        track_end = int(stream.start_time + stream.duration)
        if track_end > last and abs(track_end - end) * tick_of(stream) > _TRACK_LENGTH_SECONDS:
            return track_end
    return end


def _counted(
    source: Source, container: InputContainer, stream: av.VideoStream, breaks_off: float | None
) -> PacketIndex:
    """For files without usable times: only decoding everything tells how many frames there are."""
    rate = Fraction(stream.average_rate or stream.guessed_rate or _FALLBACK_RATE)
    with opened(source) as again:
        count = sum(len(decoded(packet)) for packet in packets(again, video_stream(again, source)))
    if count == 0:
        raise MediaError(
            expected="a video with at least one frame",
            got=f"{name_of(source)}, of which none can be decoded",
            next_step="Convert the file to MP4 (H.264).",
        )
    return PacketIndex(
        stamps=np.arange(count),
        end=count,
        keyframes=((0, 0),),
        tick=1 / rate,
        rate=rate,
        header=Header.of(container, stream),
        counted=True,
        breaks_off=breaks_off,
        notes=(f"The file does not say when each frame is shown; taken as {float(rate):.5g} frames per second.",),
    )


def _nominal_rate(stream: av.VideoStream, stamps: NDArray[np.int64], tick: Fraction) -> Fraction:
    """The rate of evenly spaced frames; else the one the file states, unless its frame times contradict it."""
    stated = [Fraction(rate) for rate in (stream.average_rate, stream.guessed_rate) if rate]
    steps = np.diff(stamps)
    if len(steps) == 0:
        return stated[0] if stated else _FALLBACK_RATE
    if steps.min() == steps.max():
        return 1 / (int(steps[0]) * tick)
    measured = len(steps) / (int(steps.sum()) * tick)
    near = (rate for rate in stated if measured / 2 < rate < measured * 2)
    return next(near, measured.limit_denominator(1001))
