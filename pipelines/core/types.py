"""Values that cross folders. Frozen, and checked when made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import InputError
from .timing import FrameClock

PixelFormat = Literal["yuv420p", "yuv420p10le", "yuv444p"]
Codec = Literal["h264", "hevc"]
Hearing = Literal["whisper windows", "latentsync windows", "wav2lip mel", "mouth shapes"]


@dataclass(frozen=True)
class Rect:
    """A rectangle of whole pixels: x0, y0 inside, x1, y1 outside. It may reach beyond the picture."""

    x0: int
    y0: int
    x1: int
    y1: int

    def __post_init__(self) -> None:
        if self.x1 <= self.x0 or self.y1 <= self.y0:
            raise ValueError(f"a rectangle needs x1 > x0 and y1 > y0, got {self}")

    @property
    def width(self) -> int:
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        return self.y1 - self.y0


class Picture(Protocol):
    """One frame at the quality it came in (YUV planes of a file, or a row of an IMAGE batch).

    Only the parts that are needed are ever converted to RGB; what is not patched stays bit-identical.
    """

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def thumbnail(self, width: int, height: int) -> Tensor:
        """uint8 RGB [height, width, 3]: the whole picture, scaled."""

    def crop(self, rect: Rect) -> Tensor:
        """float32 RGB [rect.height, rect.width, 3], 0-1. Outside the picture, the edge pixels are repeated."""

    def patched(self, rect: Rect, rgb: Tensor, mask: Tensor) -> Picture:
        """A new picture with `rgb` laid over `rect` through `mask`; this one stays as it is.

        rgb: float32 [rect.height, rect.width, 3], 0-1. mask: float32 [rect.height, rect.width], 0 = keep, 1 = replace.
        Where the mask is 0 the result is bit-identical; what lies outside the picture is ignored.
        """


@dataclass(frozen=True)
class FrameChunk:
    """A few frames, in the order they are shown. pictures: n frames. indices: int64 [n], their source frame numbers."""

    pictures: tuple[Picture, ...]
    indices: NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.pictures) != len(self.indices):
            raise ValueError(f"{len(self.pictures)} pictures but {len(self.indices)} indices")


class FrameSource(Protocol):
    """A clip that can be read again and again: a video file or an IMAGE batch. Never changed by reading."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    @property
    def clock(self) -> FrameClock: ...

    def read(self, blocks: Sequence[NDArray[np.int64]]) -> Iterator[FrameChunk]:
        """Yield one chunk for each block of source frame numbers, in that order, holding few frames in memory.

        Numbers may run forward, backward or repeat (ping-pong, loop, hold).
        """


@dataclass(frozen=True)
class AudioClip:
    """Sound as it came. samples: float32 [channels, n], full scale -1..1. rate: Hz."""

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(f"samples must be float32 [channels, n], got {self.samples.dtype} {self.samples.shape}")
        if self.samples.shape[0] == 0 or self.samples.shape[1] == 0:
            raise InputError(
                expected="audio with at least one sample",
                got=f"{self.samples.shape[0]} channels of {self.samples.shape[1]} samples",
                next_step="Check the node that makes the AUDIO; its clip is empty.",
            )
        if self.rate <= 0:
            raise InputError(
                expected="a sample rate above 0 Hz",
                got=f"{self.rate} Hz",
                next_step="Check the node that makes the AUDIO.",
            )

    @property
    def seconds(self) -> float:
        return self.samples.shape[1] / self.rate


@dataclass(frozen=True)
class Attachment:
    """A file in memory, to be sent. suffix: with the dot. kind: MIME type. notes: what was changed to make it fit."""

    content: bytes
    suffix: str
    kind: str
    notes: tuple[str, ...] = ()


class AudioFeatures(Protocol):
    """What an engine hears: looked up by time, so any frame rate is exact."""

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, ...]: one window for each frame start in seconds."""


@dataclass(frozen=True)
class FaceBatch:
    """Contiguous output frames of one person in one shot, as an engine sees them.

    crops: float32 RGB [n, S, S, 3], 0-1. landmarks: float32 [n, 68, 2] in crop pixels (0..S).
    heard: float32 [n, ...], the engine's audio windows. indices: int64 [n], source frame of each (equal index,
    equal crop). sizes: float32 [n, 2], width and height of each crop in the picture, px; as it is when left out.
    shot: the number of the shot.
    """

    crops: Tensor
    landmarks: NDArray[np.float32]
    heard: Tensor
    indices: NDArray[np.int64]
    sizes: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 2), np.float32))
    shot: int = 0

    def __post_init__(self) -> None:
        count = len(self.indices)
        if self.crops.ndim != 4 or self.crops.shape[0] != count or self.crops.shape[3] != 3:
            raise ValueError(f"crops must be [{count}, S, S, 3], got {tuple(self.crops.shape)}")
        if self.crops.dtype != torch.float32:
            raise ValueError(f"crops must be float32, got {self.crops.dtype}")
        if self.landmarks.shape != (count, 68, 2) or self.heard.shape[0] != count:
            raise ValueError(f"{count} crops but landmarks {self.landmarks.shape} and heard {tuple(self.heard.shape)}")
        if len(self.sizes) == 0:
            height, width = self.crops.shape[1:3]
            object.__setattr__(self, "sizes", np.tile(np.array([width, height], np.float32), (count, 1)))
        if self.sizes.shape != (count, 2):
            raise ValueError(f"{count} crops but sizes {self.sizes.shape}")


@dataclass(frozen=True)
class EncodeSettings:
    """How the result is written. crf: lower is better and larger (0-51). preset: x264/x265 speed name."""

    codec: Codec = "h264"
    crf: int = 17
    preset: str = "veryfast"
    pixel_format: PixelFormat = "yuv420p"
    audio_kbps: int = 192

    def __post_init__(self) -> None:
        if not 0 <= self.crf <= 51:
            raise InputError(expected="a crf from 0 to 51", got=str(self.crf), next_step="17 looks lossless to most.")
