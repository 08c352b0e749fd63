"""FFmpeg's scaler for whole frames, with every setting that PyAV leaves to chance said: matrix, range, rounding.

PyAV 16 ignores matrix and range when they are equal on both sides; the calls below come out the same in 16 to 18.
"""

from __future__ import annotations

import av

from .colour import SWSCALE_MATRIX, ColourTags
from .planes import rows

# libswscale: SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT. Without them RGB comes out 2 levels too dark.
_EXACT = 0x40000 | 0x2000
_AREA = 0x20 | _EXACT
_BICUBIC = 0x4 | _EXACT
_BT601, _BT709 = 5, 1


def to_rgb(frame: av.VideoFrame, width: int, height: int, colour: ColourTags) -> av.VideoFrame:
    """A YUV frame with these tags (resolved) as rgb24 of width x height, by area averaging."""
    matrix = SWSCALE_MATRIX[colour.matrix]
    return frame.reformat(
        width,
        height,
        "rgb24",
        src_colorspace=matrix,
        dst_colorspace=_BT601 if matrix != _BT601 else _BT709,  # RGB has none; but see above
        src_color_range="JPEG" if colour.full_range else "MPEG",
        dst_color_range="JPEG",
        interpolation=_AREA,
    )


def from_rgb(frame: av.VideoFrame, width: int, height: int, name: str, colour: ColourTags) -> av.VideoFrame:
    """An RGB, palette or grey frame as limited-range YUV `name` with the matrix of these tags."""
    matrix = SWSCALE_MATRIX[colour.matrix]
    return frame.reformat(
        width,
        height,
        name,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range="JPEG",
        dst_color_range="MPEG",
        interpolation=_BICUBIC,
    )


def to_layout(frame: av.VideoFrame, width: int, height: int, name: str) -> av.VideoFrame:
    """A YUV frame in another YUV layout and size; matrix and range stay what they are, whatever the names say."""
    plain = _plain(name)
    same = frame if _plain(frame.format.name) == frame.format.name else renamed(frame, _plain(frame.format.name))
    if (same.format.name, same.width, same.height) != (plain, width, height):
        same = same.reformat(
            width,
            height,
            plain,
            src_colorspace=_BT601,
            dst_colorspace=_BT601,
            src_color_range="MPEG",
            dst_color_range="MPEG",
            interpolation=_BICUBIC,
        )
    return same if same.format.name == name else renamed(same, name)


def renamed(frame: av.VideoFrame, name: str) -> av.VideoFrame:
    """The same samples under another format name of the same layout: "yuvj420p" is full-range "yuv420p"."""
    copy = av.VideoFrame(frame.width, frame.height, name)
    for target, source in zip(copy.planes, frame.planes, strict=True):
        shared = min(source.line_size, target.line_size)
        rows(target)[:, :shared] = rows(source)[:, :shared]
    return copy


def _plain(name: str) -> str:
    return name.replace("yuvj", "yuv")
