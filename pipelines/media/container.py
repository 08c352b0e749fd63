"""Opening files: one place for what a source may be and for what a failure says."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition

from ..core.errors import MediaError

log = logging.getLogger(__name__)

_MILLISECOND = Fraction(1, 1000)

# Files that come from others must not make FFmpeg open addresses, nor show other files of this machine.
_LOCAL = {"protocol_whitelist": "file"}
_PLAYLISTS = {"concat", "dash", "hls", "imf", "sdp"}  # FFmpeg's names

# A path, or a file in memory (ComfyUI hands both over).
Source: TypeAlias = str | Path | io.BytesIO


def name_of(source: Source) -> str:
    """What messages call it: the file's name, without its folders."""
    return "the video in memory" if isinstance(source, io.BytesIO) else Path(source).name


@contextmanager
def opened(source: Source) -> Iterator[InputContainer]:
    """The source as a container of its own, closed at the end. Raises MediaError when it cannot be opened."""
    try:
        container = av.open(_handle(source), mode="r", metadata_errors="replace", container_options=_LOCAL)
    except FileNotFoundError as error:
        raise MediaError(
            expected="a video file",
            got=f"no file named {name_of(source)}",
            next_step="Check that it was not moved or deleted.",
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(
            expected="a video or audio file",
            got=f"{name_of(source)}, which cannot be opened ({reason(error)})",
            next_step="Play it in a media player; if it plays there, convert it to MP4 (H.264).",
        ) from error
    with container:
        if _PLAYLISTS & set(container.format.name.split(",")):
            raise MediaError(
                expected="a video or audio file",
                got=f"{name_of(source)}, a playlist that names other files",
                next_step="Choose the video itself, or join the files into one MP4.",
            )
        yield container


def reason(error: BaseException) -> str:
    """The bare cause of a failure, without paths."""
    return getattr(error, "strerror", None) or type(error).__name__


def is_cover(stream: av.VideoStream) -> bool:
    """A still picture attached to a file, such as the cover of a song."""
    return bool(stream.disposition & Disposition.attached_pic)


def video_stream(container: InputContainer, source: Source) -> av.VideoStream:
    """The first moving picture in the file, set to decode on all cores. Raises MediaError when there is none."""
    stream = next((stream for stream in container.streams.video if not is_cover(stream)), None)
    if stream is None:
        raise MediaError(
            expected="a file with a video stream",
            got=f"{name_of(source)}, which has none",
            next_step="Choose a video; sound goes into the audio input.",
        )
    if stream.codec_context is None:
        raise MediaError(
            expected="a video codec that this ComfyUI can decode",
            got=f"an unknown one in {name_of(source)}",
            next_step="Convert the file to MP4 (H.264).",
        )
    stream.thread_type = "AUTO"
    return stream


def audio_stream(container: InputContainer) -> av.AudioStream | None:
    """The first sound in the file that can be decoded."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def packets(container: InputContainer, stream: av.VideoStream | av.AudioStream) -> Iterator[av.Packet]:
    """The stream's packets from here on, and a last empty one. Ends early, with a warning, where the file is broken."""
    try:
        yield from container.demux(stream)
    except (av.error.FFmpegError, OSError) as error:
        log.warning("the file is damaged, reading stops: %s", reason(error))


def tick_of(stream: av.VideoStream | av.AudioStream) -> Fraction:
    """Seconds per unit of the stream's times."""
    return Fraction(stream.time_base or _MILLISECOND)


def decoded(packet: av.Packet) -> list[av.VideoFrame]:
    """The pictures that come out of the decoder after `packet`; none where it is damaged."""
    return _decoded(packet)


def decoded_sound(packet: av.Packet) -> list[av.AudioFrame]:
    """The sound that comes out of the decoder after `packet`; none where it is damaged."""
    return _decoded(packet)


def _decoded(packet: av.Packet) -> list[Any]:
    try:
        return packet.decode()
    except (av.error.FFmpegError, OSError) as error:
        log.debug("a packet at %s cannot be decoded: %s", packet.pts, reason(error))
        return []


def _handle(source: Source) -> str | io.BytesIO:
    if isinstance(source, io.BytesIO):
        return io.BytesIO(source.getvalue())  # a reading position of its own; the bytes are shared, not copied
    return str(Path(source).absolute())  # absolute, so that a name such as "a:b.mp4" is no network address
