"""What a file holds, by its bytes: names and stated types may lie, and some formats make FFmpeg open other files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import av
import av.error

from ..core.errors import MediaError
from .container import audio_stream, is_cover, reason

Picture = Literal["none", "still", "moving"]

# FFmpeg's names. Playlists (hls, concat, dash, sdp) and numbered pictures (image2) are left out: they name other files
# and addresses, which would be opened.
STILL_FORMATS: Final = ("bmp_pipe", "jpeg_pipe", "png_pipe", "tiff_pipe", "webp_pipe")
MOVING_FORMATS: Final = ("asf", "avi", "flv", "matroska", "mov", "mpeg", "mpegts", "ogg", "webm")
SOUND_FORMATS: Final = ("aac", "ac3", "aiff", "amr", "au", "caf", "flac", "mp3", "w64", "wav")
_WHITELIST: Final = ",".join((*STILL_FORMATS, *MOVING_FORMATS, *SOUND_FORMATS))


@dataclass(frozen=True)
class Contents:
    """picture: a still one, a moving one or none; the cover of a song is none. sound: there is some to decode."""

    picture: Picture
    sound: bool


def sniff(path: Path) -> Contents:
    """Open the file and look at its streams; nothing is decoded beyond what tells them apart.

    Raises MediaError for all that is no picture, video or sound in a format that stands on its own.
    """
    options = {"format_whitelist": _WHITELIST, "protocol_whitelist": "file"}
    try:
        with av.open(str(path.absolute()), mode="r", metadata_errors="replace", container_options=options) as container:
            shown = any(not is_cover(video) and video.codec_context for video in container.streams.video)
            moving: Picture = "still" if container.format.name in STILL_FORMATS else "moving"
            return Contents(moving if shown else "none", audio_stream(container) is not None)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(
            expected="a picture, a video or sound in a common format",
            got=f"other bytes ({reason(error)})",
            next_step="Convert it to PNG, MP4 (H.264) or WAV.",
        ) from error
