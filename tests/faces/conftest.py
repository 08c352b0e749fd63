"""Pictures and clips in memory, as the pipeline sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.timing import FrameClock
from lipsync_studio.pipelines.core.types import FrameChunk, Rect
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

ASTRONAUT = Path(__file__).resolve().parents[2] / "workflows" / "inputs" / "astronaut.jpg"

Pixels = NDArray[np.uint8]


class RgbPicture:
    """uint8 RGB [h, w, 3] as a Picture that is only looked at."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]

    def thumbnail(self, width: int, height: int) -> torch.Tensor:
        planes = torch.from_numpy(self.pixels).permute(2, 0, 1)[None].float()
        small = functional.interpolate(planes, size=(height, width), mode="bilinear", antialias=True)
        return small[0].permute(1, 2, 0).round().byte()

    def crop(self, rect: Rect) -> torch.Tensor:
        rows = np.clip(np.arange(rect.y0, rect.y1), 0, self.height - 1)
        columns = np.clip(np.arange(rect.x0, rect.x1), 0, self.width - 1)
        return torch.from_numpy(self.pixels[rows[:, None], columns] / np.float32(255))


class RgbClip:
    """A list of uint8 RGB frames as a FrameSource."""

    def __init__(self, frames: Sequence[Pixels]) -> None:
        self.frames = frames
        self.height, self.width = frames[0].shape[:2]
        self.clock = FrameClock.constant(len(frames), Fraction(25))

    def read(self, blocks: Sequence[NDArray[np.int64]]) -> Iterator[FrameChunk]:
        for block in blocks:
            yield FrameChunk(tuple(RgbPicture(self.frames[index]) for index in block), block)


@pytest.fixture(scope="session")
def astronaut() -> Pixels:
    """uint8 RGB [512, 512, 3]: one face, upright, 90 x 113 px."""
    return np.array(Image.open(ASTRONAUT).convert("RGB"))


@pytest.fixture(scope="session")
def picture_of() -> Callable[[Pixels], RgbPicture]:
    return RgbPicture


@pytest.fixture(scope="session")
def clip_of() -> Callable[[Sequence[Pixels]], RgbClip]:
    return RgbClip


@pytest.fixture(scope="session")
def read_clip(shared: Path) -> Callable[..., RgbClip]:
    """`read_clip(name, first, stop, step)`: frames of one of the shared clips."""

    def read(name: str, first: int = 0, stop: int | None = None, step: int = 1) -> RgbClip:
        with av.open(shared / "media" / name) as container:
            frames = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]
        return RgbClip(frames[first:stop:step])

    return read
