"""Faces as they cross folders: found, chosen, followed, cropped. In pixels of the full picture, x right, y down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .types import Rect

Rule = Literal["largest", "leftmost", "rightmost", "person", "point", "likeness"]
CropRule = Literal["landmarks", "detector"]

# A face below this score is followed, but its landmarks are not to be used.
TRUSTED = 0.5


def _unknown() -> NDArray[np.float32]:
    return np.empty(0, np.float32)


@dataclass(frozen=True)
class Face:
    """One face in one frame.

    box: float32 [4] xyxy. landmarks: float32 [68, 2], the iBUG 68 points. score: 0-1, how far the landmarks can be
    trusted (see `TRUSTED`). likeness: float32 [d], unit length, alike for the same person; empty where unknown.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    likeness: NDArray[np.float32] = field(default_factory=_unknown)

    def __post_init__(self) -> None:
        if self.box.shape != (4,) or self.landmarks.shape != (68, 2) or self.likeness.ndim != 1:
            raise ValueError(
                "a face needs box [4], landmarks [68, 2] and likeness [d], "
                f"got {self.box.shape = } {self.landmarks.shape = } {self.likeness.shape = }"
            )
        if not (np.isfinite(self.box).all() and np.isfinite(self.landmarks).all()):
            raise ValueError("a face's box and landmarks must be finite")


@dataclass(frozen=True)
class ClipFaces:
    """Everyone found in a clip of N frames: a table of R rows, one for each face in each frame, frame by frame.

    frames: int32 [R], the source frame, rising. people: int32 [R], who it is: the same number is the same person all
    over the clip; 0 is the one whose faces cover the largest area over the clip, then 1, ... boxes: float32 [R, 4]
    xyxy. landmarks: float32 [R, 68, 2]. scores: float32 [R], as in `Face`. shot: int32 [N], the number of the shot
    each frame belongs to, rising from 0. flash: bool [N], frames inside a shot that for a moment show something else.
    likeness: float32 [people, d], of each person, unit length; d = 0 where
    unknown. width, height: of the clip.
    """

    frames: NDArray[np.int32]
    people: NDArray[np.int32]
    boxes: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    scores: NDArray[np.float32]
    shot: NDArray[np.int32]
    flash: NDArray[np.bool_]
    likeness: NDArray[np.float32]
    width: int
    height: int

    def __post_init__(self) -> None:
        rows = len(self.frames)
        columns = (self.people.shape, self.scores.shape, self.boxes.shape, self.landmarks.shape)
        if columns != ((rows,), (rows,), (rows, 4), (rows, 68, 2)):
            raise ValueError(f"a table of {rows} faces needs columns of as many rows, got {columns}")
        if rows and not 0 <= self.frames[0] <= self.frames[-1] < len(self.shot):
            raise ValueError(f"frames {self.frames[0]}-{self.frames[-1]} of a clip with {len(self.shot)}")
        if self.flash.shape != self.shot.shape:
            raise ValueError(f"{len(self.shot)} frames with a shot, but flash {self.flash.shape}")
        if (np.diff(self.frames) < 0).any():
            raise ValueError("the faces must be in the order of their frames")
        if self.likeness.ndim != 2 or len(self.likeness) != self.people.max(initial=-1) + 1:
            raise ValueError(f"likeness {self.likeness.shape} of {self.people.max(initial=-1) + 1} people")

    def __len__(self) -> int:
        """Frames of the clip."""
        return len(self.shot)


@dataclass(frozen=True)
class SpeakerChoice:
    """Who speaks.

    rule: "largest", "leftmost" or "rightmost" choose anew in each shot; the others name one person all over the clip:
    "person" by number (see `ClipFaces.people`), "point" the one whose face is at `point` (px) on `frame`, "likeness"
    the one most like `likeness` (as in `Face`).
    """

    rule: Rule = "largest"
    person: int = 0
    frame: int = 0
    point: tuple[float, float] = (0.0, 0.0)
    likeness: NDArray[np.float32] = field(default_factory=_unknown)


@dataclass(frozen=True)
class MotionSettings:
    """How a person's faces become a steady track.

    bridge: gaps of at most this many frames inside a shot are filled in. smoothing: 0-1; 0 leaves the landmarks as they
    were found, as the reference does.
    """

    bridge: int = 5
    smoothing: float = 0.5

    def __post_init__(self) -> None:
        if self.bridge < 0:
            raise InputError(
                expected="gaps of 0 frames or more", got=str(self.bridge), next_step="Raise `bridge_gaps` to 0."
            )
        if not 0 <= self.smoothing <= 1:
            raise InputError(
                expected="a smoothing from 0 to 1", got=str(self.smoothing), next_step="0 is off, 1 is the strongest."
            )


@dataclass(frozen=True)
class CropSettings:
    """How a track becomes crop boxes (MuseTalk's convention).

    shift: px, moves the crop's half line down (+) or up (-). margin: px added below the chin; None = the engine's own.
    upper: px, moves the crop's upper edge down (+) or up (-) from where it mirrors the lower one.
    """

    shift: int = 0
    margin: int | None = None
    upper: int = 0

    def __post_init__(self) -> None:
        if self.margin is not None and self.margin < 0:
            raise InputError(
                expected="a chin margin of 0 px or more", got=f"{self.margin} px", next_step="Raise `extra_margin`."
            )


@dataclass(frozen=True)
class SpeakerFaces:
    """The LIPSYNC_FACES socket: everyone that was found, and who of them speaks where. Settings never detect again."""

    found: ClipFaces
    choice: SpeakerChoice = field(default_factory=SpeakerChoice)
    motion: MotionSettings = field(default_factory=MotionSettings)
    crop: CropSettings = field(default_factory=CropSettings)


@dataclass(frozen=True)
class FaceTrack:
    """The speaker over a clip of N frames.

    present: bool [N]. bridged: bool [N], present, but filled in between two frames. landmarks: float32 [N, 68, 2] px,
    zeros where absent. boxes: float32 [N, 4] xyxy px, the detector's. shot: int32 [N], the number of the shot each
    frame belongs to, rising from 0. width, height: of the clip the track was made on.
    """

    present: NDArray[np.bool_]
    bridged: NDArray[np.bool_]
    landmarks: NDArray[np.float32]
    boxes: NDArray[np.float32]
    shot: NDArray[np.int32]
    width: int
    height: int

    def __post_init__(self) -> None:
        count = len(self.present)
        columns = (self.bridged.shape, self.landmarks.shape, self.boxes.shape, self.shot.shape)
        if columns != ((count,), (count, 68, 2), (count, 4), (count,)):
            raise ValueError(f"a track of {count} frames needs as many rows of each, got {columns}")

    def __len__(self) -> int:
        return len(self.present)


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
