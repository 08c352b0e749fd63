"""Video frames as numpy planes: the one place that knows how PyAV lays out samples."""

from __future__ import annotations

from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

# The formats that pictures are processed in, by what `EncodeSettings.pixel_format` may ask for: (bits, 4:2:0).
WORKING_FORMATS: dict[str, tuple[int, bool]] = {
    "yuv420p": (8, True),
    "yuvj420p": (8, True),
    "yuv444p": (8, False),
    "yuvj444p": (8, False),
    "yuv420p10le": (10, True),
}

# FFmpeg still names full-range 8-bit YUV apart; the samples lie the same way.
_FULL_RANGE_NAMES = {"yuv420p": "yuvj420p", "yuv444p": "yuvj444p"}


def frame_format(pixel_format: str, full_range: bool) -> str:
    """The name that FFmpeg gives to `pixel_format` in that range."""
    return _FULL_RANGE_NAMES.get(pixel_format, pixel_format) if full_range else pixel_format


def planes(frame: av.VideoFrame) -> tuple[NDArray, ...]:
    """Y, Cb, Cr as writable views [H, W], uint8 or uint16, without copying; they keep the frame alive."""
    sample = "u1" if WORKING_FORMATS[frame.format.name][0] == 8 else "<u2"
    return tuple(rows(plane, sample)[:, : plane.width] for plane in frame.planes)


def rows(plane: av.video.plane.VideoPlane, sample: str = "u1") -> NDArray:
    """A plane [height, row] as it lies in memory, with the padding at the end of each row; writable, not copied."""
    buffer = cast(memoryview, plane)
    return np.frombuffer(buffer, sample).reshape(plane.height, -1)


def copied(frame: av.VideoFrame) -> av.VideoFrame:
    """A frame of its own with the same samples and nothing else (no time, no side data)."""
    copy = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for target, source in zip(planes(copy), planes(frame), strict=True):
        target[:] = source
    return copy
