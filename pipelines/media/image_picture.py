"""Pictures of an IMAGE batch: RGB floats in memory, behind the same protocol as frames of a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import InputError
from ..core.timing import FrameClock
from ..core.types import FrameChunk, Rect
from .colour import ColourTags, tags_for_rgb
from .patch import inside_picture
from .yuv_picture import YuvPicture


class ImagePicture:
    """A `core.types.Picture` over float32 [H, W, 3 or 4], 0-1. A fourth channel is kept and never changed."""

    def __init__(self, pixels: Tensor) -> None:
        self._pixels = pixels

    @property
    def pixels(self) -> Tensor:
        """float32 [H, W, 3 or 4], to be read only: it may be a row of the batch that came in."""
        return self._pixels

    @property
    def width(self) -> int:
        return self._pixels.shape[1]

    @property
    def height(self) -> int:
        return self._pixels.shape[0]

    def thumbnail(self, width: int, height: int) -> Tensor:
        """uint8 RGB [height, width, 3]: the whole picture, scaled with a bilinear filter as wide as the reduction."""
        channels_first = self._pixels[..., :3].permute(2, 0, 1)[None]
        small = nnf.interpolate(channels_first, (height, width), mode="bilinear", antialias=True)
        return (small[0].permute(1, 2, 0) * 255).round_().clamp_(0, 255).to(torch.uint8)

    def crop(self, rect: Rect) -> Tensor:
        """float32 RGB [rect.height, rect.width, 3], 0-1, of its own. Outside, the edge pixels are repeated."""
        rows = np.arange(rect.y0, rect.y1).clip(0, self.height - 1)
        columns = np.arange(rect.x0, rect.x1).clip(0, self.width - 1)
        return torch.from_numpy(self._pixels.numpy()[rows[:, None], columns, :3])

    def patched(self, rect: Rect, rgb: Tensor, mask: Tensor) -> ImagePicture:
        """A new picture with `rgb` laid over `rect` through `mask` (see `core.types.Picture.patched`)."""
        pixels = self._pixels.clone()
        part = inside_picture(rect, rgb, mask, self.width, self.height)
        if part is not None:
            inside, rgb, mask = part
            under = pixels[inside.y0 : inside.y1, inside.x0 : inside.x1, :3]
            under += mask[..., None] * (rgb - under)
        return ImagePicture(pixels)

    def as_yuv(self, name: str, colour: ColourTags) -> YuvPicture:
        """The picture for a file, in the format `name`. A fourth channel is left out."""
        return YuvPicture.of_rgb(self._pixels[..., :3].numpy(), name, colour)


@dataclass(frozen=True)
class ImageClip:
    """An IMAGE batch as a `core.types.FrameSource`. images: float [N, H, W, 3 or 4], 0-1. rate: frames per second."""

    images: Tensor
    rate: Fraction

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.shape[3] not in (3, 4) or 0 in self.images.shape:
            raise InputError(
                expected="images of shape [frames, height, width, 3 or 4] with at least one frame",
                got=str(list(self.images.shape)),
                next_step="Check the node that makes the IMAGE.",
            )
        if self.rate <= 0:
            raise InputError(
                expected="a frame rate above 0", got=f"{self.rate} fps", next_step="Set the frame rate of the images."
            )

    @property
    def width(self) -> int:
        return self.images.shape[2]

    @property
    def height(self) -> int:
        return self.images.shape[1]

    @property
    def clock(self) -> FrameClock:
        return FrameClock.constant(len(self.images), self.rate)

    @property
    def tags(self) -> ColourTags:
        """How a file made of the images is tagged (see `encode.VideoWriter`)."""
        return tags_for_rgb(self.height)

    @property
    def sample_aspect(self) -> Fraction:
        """Images have square pixels."""
        return Fraction(1)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know once the images are a video."""
        return ("The images' fourth channel is not kept in a video.",) if self.images.shape[3] == 4 else ()

    def read(self, blocks: Sequence[NDArray[np.int64]]) -> Iterator[FrameChunk]:
        """Yield one chunk for each block; pictures are views of the batch."""
        for block in blocks:
            rows = (self.images[int(index)].to("cpu", torch.float32) for index in block)
            yield FrameChunk(tuple(ImagePicture(row) for row in rows), block)
