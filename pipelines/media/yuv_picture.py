"""A picture that stays YUV: only crops become RGB, and a patch is blended into the planes."""

from __future__ import annotations

from functools import lru_cache

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.types import Rect
from .chroma import ChromaGrid, upsampled, window
from .colour import ColourTags, Conversion, Floats
from .patch import inside_picture
from .planes import WORKING_FORMATS, copied, planes, rows
from .scale import to_rgb

_conversion = lru_cache(maxsize=16)(Conversion.build)


class YuvPicture:
    """A `core.types.Picture` over the planes of a video frame (4:2:0 or 4:4:4, 8 or 10 bits).

    The frame is never written to: it may belong to a decoder that still refers to it. "Identical where the mask
    is 0" holds for the samples themselves and for the colours that `crop` reads out of them.
    """

    def __init__(self, frame: av.VideoFrame, colour: ColourTags) -> None:
        """frame: in one of `WORKING_FORMATS`. colour: resolved (`ColourTags.resolved`)."""
        bits, self._half_chroma = WORKING_FORMATS[frame.format.name]
        self._frame = frame
        self._colour = colour
        self._conversion = _conversion(colour, bits)

    @classmethod
    def of_rgb(cls, rgb: Floats, name: str, colour: ColourTags) -> YuvPicture:
        """A picture in the format `name`, made of float32 RGB [height, width, 3], 0-1."""
        height, width, _ = rgb.shape
        picture = cls(av.VideoFrame(width, height, name), colour)
        conversion = picture._conversion
        codes = conversion.codes(rgb.clip(0, 1))
        grid = ChromaGrid(Rect(0, 0, width, height), width, height)
        for channel, plane in enumerate(planes(picture._frame)):
            values = codes[..., channel]
            if channel > 0 and picture._half_chroma:
                values = grid.mean(values)
            plane[:] = np.clip(np.rint(values), 0, conversion.peak)
        return picture

    @property
    def frame(self) -> av.VideoFrame:
        """The frame, to be read only."""
        return self._frame

    @property
    def width(self) -> int:
        return int(self._frame.width)

    @property
    def height(self) -> int:
        return int(self._frame.height)

    def thumbnail(self, width: int, height: int) -> Tensor:
        """uint8 RGB [height, width, 3]: the whole picture, scaled by area averaging."""
        small = to_rgb(self._frame, width, height, self._colour)
        return torch.from_numpy(rows(small.planes[0])[:, : 3 * width].reshape(height, width, 3))

    def crop(self, rect: Rect) -> Tensor:
        """float32 RGB [rect.height, rect.width, 3], 0-1. Outside the picture, the edge pixels are repeated."""
        inside = _nearest(rect, self.width, self.height)
        luma, blue, red = planes(self._frame)
        read_chroma = upsampled if self._half_chroma else window
        codes = np.empty((inside.height, inside.width, 3), np.float32)
        codes[..., 0] = window(luma, inside)
        codes[..., 1] = read_chroma(blue, inside)
        codes[..., 2] = read_chroma(red, inside)
        rgb = self._conversion.rgb(codes)
        if inside != rect:
            down = np.arange(rect.y0, rect.y1).clip(inside.y0, inside.y1 - 1) - inside.y0
            across = np.arange(rect.x0, rect.x1).clip(inside.x0, inside.x1 - 1) - inside.x0
            rgb = rgb[down][:, across]
        return torch.from_numpy(rgb)

    def patched(self, rect: Rect, rgb: Tensor, mask: Tensor) -> YuvPicture:
        """A new picture with `rgb` laid over `rect` through `mask` (see `core.types.Picture.patched`)."""
        part = inside_picture(rect, rgb, mask, self.width, self.height)
        if part is None:
            return self
        inside, rgb, mask = part
        frame = copied(self._frame)
        self._blend(planes(frame), inside, self._conversion.codes(rgb.numpy()), mask.numpy())
        return YuvPicture(frame, self._colour)

    def _blend(self, views: tuple[NDArray, ...], inside: Rect, codes: Floats, mask: Floats) -> None:
        luma, blue, red = codes[..., 0], codes[..., 1], codes[..., 2]
        peak = self._conversion.peak
        _lay_over(views[0], inside, luma, mask, peak)
        if self._half_chroma:
            grid = ChromaGrid(inside, self.width, self.height)
            inside, mask, blue, red = grid.cells, grid.weight(mask), grid.mean(blue), grid.mean(red)
        _lay_over(views[1], inside, blue, mask, peak)
        _lay_over(views[2], inside, red, mask, peak)


def _nearest(rect: Rect, width: int, height: int) -> Rect:
    """The pixels of the picture that `rect` shows: its part inside, or the edge that it lies beyond."""
    x0, y0 = min(max(rect.x0, 0), width - 1), min(max(rect.y0, 0), height - 1)
    return Rect(x0, y0, max(min(rect.x1, width), x0 + 1), max(min(rect.y1, height), y0 + 1))


def _lay_over(plane: NDArray, rect: Rect, codes: Floats, mask: Floats, peak: int) -> None:
    """Blend `codes` [h, w] into the plane under `rect`; a sample whose mask is 0 keeps its exact value."""
    under = plane[rect.y0 : rect.y1, rect.x0 : rect.x1]
    mixed = under + mask * (codes - under)
    np.rint(mixed, out=mixed)
    under[:] = np.clip(mixed, 0, peak, out=mixed)
