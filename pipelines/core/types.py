"""Values that cross folders. Frozen, and checked when made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .errors import InputError
from .timing import FrameClock

PixelFormat = Literal["yuv420p", "yuv420p10le", "yuv444p"]
Codec = Literal["h264", "hevc"]
Hearing = Literal["whisper windows", "mouth shapes"]


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


class AudioFeatures(Protocol):
    """What an engine hears: looked up by time, so any frame rate is exact."""

    def at(self, seconds: NDArray[np.float64]) -> Tensor:
        """float32 [n, ...]: one window for each frame start in seconds."""


@dataclass(frozen=True)
class Face:
    """One face in one frame, in pixels of the full picture, x right, y down.

    box: float32 [4] xyxy. landmarks: float32 [68, 2], the iBUG 68 points. score: 0-1.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or self.landmarks.shape != (68, 2):
            raise ValueError(
                f"a face needs box [4] and landmarks [68, 2], got {self.box.shape = } {self.landmarks.shape = }"
            )
        if not (np.isfinite(self.box).all() and np.isfinite(self.landmarks).all()):
            raise ValueError("a face's box and landmarks must be finite")


@dataclass(frozen=True)
class FaceTrack:
    """One person over a clip of N frames.

    present: bool [N]. landmarks: float32 [N, 68, 2] px, zeros where absent. boxes: float32 [N, 4] xyxy px, the
    detector's. shot: int32 [N], the number of the shot each frame belongs to, rising from 0.
    width, height: of the clip the track was made on.
    """

    present: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    boxes: NDArray[np.float32]
    shot: NDArray[np.int32]
    width: int
    height: int

    def __post_init__(self) -> None:
        count = len(self.present)
        if self.landmarks.shape != (count, 68, 2) or self.boxes.shape != (count, 4) or self.shot.shape != (count,):
            raise ValueError(
                f"a track of {count} frames needs landmarks [{count}, 68, 2], boxes [{count}, 4] and shot [{count}], "
                f"got {self.landmarks.shape = }, {self.boxes.shape = }, {self.shot.shape = }"
            )

    def __len__(self) -> int:
        return len(self.present)


@dataclass(frozen=True)
class CropSettings:
    """How a track becomes crop boxes (MuseTalk's convention).

    shift: px, moves the crop's half line down (+) or up (-). margin: px added below the chin; None = the engine's own.
    """

    shift: int = 0
    margin: int | None = None

    def __post_init__(self) -> None:
        if self.margin is not None and self.margin < 0:
            raise InputError(
                expected="a chin margin of 0 px or more", got=f"{self.margin} px", next_step="Raise `extra_margin`."
            )


@dataclass(frozen=True)
class SpeakerFaces:
    """The LIPSYNC_FACES socket: who speaks, and how the crop is cut. Other settings never detect again."""

    track: FaceTrack
    crop: CropSettings = CropSettings()


@dataclass(frozen=True)
class CropPlan:
    """Where the engine works in every source frame.

    valid: bool [N]. boxes: int32 [N, 4] xyxy px; zeros where not valid. They may reach beyond the picture, as the
    reference's do, but some of each valid one lies inside.
    shift_range: (lowest, highest) bbox shift worth trying on this clip, as the reference computes it.
    """

    valid: NDArray[np.bool_]
    boxes: NDArray[np.int32]
    shift_range: tuple[int, int]

    def __post_init__(self) -> None:
        if self.boxes.shape != (len(self.valid), 4):
            raise ValueError(f"boxes must be [{len(self.valid)}, 4], got {self.boxes.shape}")

    def rect(self, index: int) -> Rect:
        """The crop of source frame `index`; raises ValueError where the plan has none."""
        return Rect(*(int(v) for v in self.boxes[index]))

    def to_crop(self, landmarks: NDArray[np.float32], indices: NDArray[np.int64], side: int) -> NDArray[np.float32]:
        """float32 [n, 68, 2] in crop pixels (0..side) from picture pixels, for source frames `indices`."""
        boxes = self.boxes[indices].astype(np.float32)
        scale = side / (boxes[:, None, 2:] - boxes[:, None, :2])
        return ((landmarks - boxes[:, None, :2]) * scale).astype(np.float32)


@dataclass(frozen=True)
class FaceBatch:
    """Contiguous output frames of one person in one shot, as an engine sees them.

    crops: float32 RGB [n, S, S, 3], 0-1. landmarks: float32 [n, 68, 2] in crop pixels (0..S).
    heard: float32 [n, ...], the engine's audio windows. indices: int64 [n], source frame of each (equal index,
    equal crop).
    """

    crops: Tensor
    landmarks: NDArray[np.float32]
    heard: Tensor
    indices: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.indices)
        if self.crops.ndim != 4 or self.crops.shape[0] != count or self.crops.shape[3] != 3:
            raise ValueError(f"crops must be [{count}, S, S, 3], got {tuple(self.crops.shape)}")
        if self.crops.dtype != torch.float32:
            raise ValueError(f"crops must be float32, got {self.crops.dtype}")
        if self.landmarks.shape != (count, 68, 2) or self.heard.shape[0] != count:
            raise ValueError(f"{count} crops but landmarks {self.landmarks.shape} and heard {tuple(self.heard.shape)}")


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
