"""What the encoder takes: any picture as a frame of one size and format."""

from __future__ import annotations

from dataclasses import dataclass

import av

from ..core.types import Picture
from .colour import ColourTags
from .image_picture import ImagePicture
from .planes import WORKING_FORMATS, frame_format, planes
from .scale import to_layout
from .yuv_picture import YuvPicture


@dataclass(frozen=True)
class Canvas:
    """width, height: px, of the pictures. coded_size: px, of the file: even sides where chroma is half-size.

    format: the frames' format. colour: resolved, for pictures that are still RGB.
    """

    width: int
    height: int
    coded_size: tuple[int, int]
    format: str
    colour: ColourTags

    @classmethod
    def of(cls, width: int, height: int, pixel_format: str, tags: ColourTags) -> Canvas:
        name = frame_format(pixel_format, tags.full_range)
        half_chroma = WORKING_FORMATS[name][1]
        coded = (width + width % 2, height + height % 2) if half_chroma else (width, height)
        return cls(width, height, coded, name, tags.resolved(height))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        if self.coded_size == (self.width, self.height):
            return ()
        wide, high = self.coded_size
        return (
            f"4:2:0 video has even sides: {self.width}x{self.height} is written as {wide}x{high}, its edge repeated.",
        )

    def frame(self, picture: Picture) -> av.VideoFrame:
        """The picture for the encoder, without copying where it fits already. Raises ValueError for another clip's."""
        if isinstance(picture, ImagePicture):
            picture = picture.as_yuv(self.format, self.colour)
        if not isinstance(picture, YuvPicture):
            raise TypeError(f"cannot encode a {type(picture).__name__}")
        frame = picture.frame
        if (frame.width, frame.height) != (self.width, self.height):
            raise ValueError(f"a picture of {frame.width}x{frame.height} in a video of {self.width}x{self.height}")
        if frame.format.name != self.format:
            frame = to_layout(frame, self.width, self.height, self.format)
        return frame if self.coded_size == (self.width, self.height) else self._padded(frame)

    def _padded(self, frame: av.VideoFrame) -> av.VideoFrame:
        """One more column or row, like the last; half-size chroma has them already."""
        larger = av.VideoFrame(*self.coded_size, self.format)
        for target, source in zip(planes(larger), planes(frame), strict=True):
            height, width = source.shape
            target[:height, :width] = source
            target[:height, width:] = source[:, -1:]
            target[height:] = target[height - 1]
        return larger
