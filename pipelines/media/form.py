"""The one form that all frames of a clip are brought to: upright, one size, one pixel format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.buffer import Buffer
from av.sidedata.sidedata import Type
from numpy.typing import NDArray

from .colour import FULL_RANGE, ColourTags, tags_for_rgb
from .planes import WORKING_FORMATS, frame_format, planes
from .probe import Header
from .scale import from_rgb, to_layout
from .yuv_picture import YuvPicture


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is turned to be upright: first transposed, then mirrored."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def apply(self, plane: NDArray) -> NDArray:
        """The turned plane, a view."""
        turned = plane.T if self.transpose else plane
        return turned[:: -1 if self.mirror_y else 1, :: -1 if self.mirror_x else 1]


# Display matrices by the signs of their a, b, c, d (x' = a x + c y, y' = b x + d y; ISO/IEC 14496-12, 6.2.2).
_ORIENTATIONS: dict[tuple[int, int, int, int], Orientation] = {
    (1, 0, 0, 1): Orientation(),
    (-1, 0, 0, 1): Orientation(mirror_x=True),
    (1, 0, 0, -1): Orientation(mirror_y=True),
    (-1, 0, 0, -1): Orientation(mirror_x=True, mirror_y=True),
    (0, 1, 1, 0): Orientation(transpose=True),
    (0, 1, -1, 0): Orientation(transpose=True, mirror_x=True),
    (0, -1, 1, 0): Orientation(transpose=True, mirror_y=True),
    (0, -1, -1, 0): Orientation(transpose=True, mirror_x=True, mirror_y=True),
}


@dataclass(frozen=True)
class Form:
    """What every frame of a clip becomes.

    format: a name in `WORKING_FORMATS`. width, height: px, upright. orientation: how stored frames are turned.
    tags: as the file has them, to be passed on. colour: the same, resolved, to compute with.
    sample_aspect: width / height of a pixel. notes: sentences for the user.
    """

    format: str
    width: int
    height: int
    orientation: Orientation
    tags: ColourTags
    colour: ColourTags
    sample_aspect: Fraction
    notes: tuple[str, ...]

    @classmethod
    def of(cls, frame: av.VideoFrame, pixel_format: str, header: Header) -> Form:
        """The form for a clip that begins with `frame` and is to be worked on in `pixel_format`."""
        orientation = orientation_of(frame)
        width, height, sample_aspect = frame.width, frame.height, header.sample_aspect
        if orientation.transpose:
            width, height, sample_aspect = height, width, 1 / sample_aspect
        tags = tags_for_rgb(frame.height) if _is_rgb(frame) else tags_of(frame, header)
        name = frame_format(pixel_format, tags.full_range)
        return cls(
            format=name,
            width=width,
            height=height,
            orientation=orientation,
            tags=tags,
            colour=tags.resolved(frame.height),
            sample_aspect=sample_aspect,
            notes=_conversion_notes(frame, name, tags),
        )

    def fits(self, frame: av.VideoFrame) -> bool:
        """Whether the frame has the size that the clip began with."""
        return (frame.width, frame.height) == self._stored_size

    def picture(self, frame: av.VideoFrame) -> YuvPicture:
        """The frame in this form; its own planes where nothing has to change."""
        converted = self._converted(frame)
        if self.orientation != Orientation():
            converted = self._turned(converted)
        return YuvPicture(converted, self.colour)

    @property
    def _stored_size(self) -> tuple[int, int]:
        return (self.height, self.width) if self.orientation.transpose else (self.width, self.height)

    def _turned(self, frame: av.VideoFrame) -> av.VideoFrame:
        turned = av.VideoFrame(self.width, self.height, self.format)
        for target, source in zip(planes(turned), planes(frame), strict=True):
            target[:] = self.orientation.apply(source)
        return turned

    def _converted(self, frame: av.VideoFrame) -> av.VideoFrame:
        width, height = self._stored_size
        if self.fits(frame) and frame.format.name == self.format:
            return frame
        if _is_rgb(frame):
            return from_rgb(frame, width, height, self.format, self.colour)
        return to_layout(frame, width, height, self.format)


def tags_of(frame: av.VideoFrame, header: Header) -> ColourTags:
    """The tags of a decoded YUV frame and its file; FFmpeg's "yuvj" formats are full range by name."""
    full = frame.format.name.startswith("yuvj")
    return ColourTags(
        matrix=int(frame.colorspace),
        primaries=header.primaries,
        transfer=header.transfer,
        range=FULL_RANGE if full else int(frame.color_range),
    )


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """From the frame's display matrix; angles that are no multiple of 90 degrees count as upright."""
    side_data = cast("Mapping[Type, Buffer]", frame.side_data)  # PyAV's stubs take the keys for strings
    if Type.DISPLAYMATRIX not in side_data:
        return Orientation()
    a, b, _, c, d = np.frombuffer(bytes(side_data[Type.DISPLAYMATRIX]), np.int32)[:5] / 65536
    return _ORIENTATIONS.get((round(a), round(b), round(c), round(d)), Orientation())


def _is_rgb(frame: av.VideoFrame) -> bool:
    """RGB, a palette of RGB, or grey: full-range samples without a YUV matrix."""
    return frame.format.is_rgb or frame.format.has_palette or frame.format.name.startswith(("gray", "mono", "ya"))


def _conversion_notes(frame: av.VideoFrame, name: str, tags: ColourTags) -> tuple[str, ...]:
    notes = []
    source = frame.format.name
    if WORKING_FORMATS.get(source) != WORKING_FORMATS[name]:
        notes.append(f"The clip's pixel format {source} is converted to {name}.")
    if any(component.is_alpha for component in frame.format.components):
        notes.append("The clip's transparency is not kept.")
    if tags.is_hdr and WORKING_FORMATS[name][0] == 8:
        notes.append("The clip is HDR, and 8 bits may show bands; the pixel format yuv420p10le keeps 10.")
    return tuple(notes)
