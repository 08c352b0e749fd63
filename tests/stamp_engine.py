"""An engine whose paint tells which frame it painted, and clips and faces of no picture for it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import torch
from lipsync_studio.pipelines.core.faces import ClipFaces, MotionSettings, SpeakerFaces
from lipsync_studio.pipelines.core.types import AudioClip, FaceBatch
from lipsync_studio.pipelines.engines.base import EngineSpec
from lipsync_studio.pipelines.media.image_picture import ImageClip
from torch import Tensor

HEIGHT, WIDTH = 72, 64


class StampEngine:
    """Paints every crop in a colour that tells its source frame, and remembers what it was asked."""

    spec = EngineSpec(
        id="stamp",
        label="Stamp",
        hears="mouth shapes",
        crop_sides=(32,),
        block=4,
        commercial_use="yes",
    )

    def __init__(self) -> None:
        self.batches: list[FaceBatch] = []

    def start(self) -> StampEngine:
        """Itself: it keeps nothing."""
        return self

    def paint(self, batch: FaceBatch) -> Tensor:
        self.batches.append(batch)
        colour = torch.tensor([stamp(int(index)) for index in batch.indices])
        return colour[:, None, None, None].expand(batch.crops.shape).contiguous()


def stamp(index: int) -> float:
    return 0.5 + index / 200


def clip_of(count: int) -> ImageClip:
    generator = torch.Generator().manual_seed(7)
    return ImageClip(torch.rand((count, HEIGHT, WIDTH, 3), generator=generator), Fraction(25))


def face_landmarks() -> np.ndarray:
    """A plain frontal face in the middle of the picture: 68 points at their usual places."""
    points = np.zeros((68, 2), np.float32)
    angle = np.linspace(0, np.pi, 17)
    points[:17] = np.stack([32 - 20 * np.cos(angle), 30 + 26 * np.sin(angle)], axis=1)
    points[17:27] = np.stack([np.linspace(16, 48, 10), np.full(10, 22)], axis=1)
    points[27:31] = np.stack([np.full(4, 32), np.linspace(26, 38, 4)], axis=1)
    points[31:36] = np.stack([np.linspace(28, 36, 5), np.full(5, 40)], axis=1)
    points[36:48] = np.stack([np.linspace(20, 44, 12), np.full(12, 26)], axis=1)
    turn = np.linspace(-np.pi, np.pi, 12, endpoint=False)
    points[48:60] = np.stack([32 + 9 * np.cos(turn), 46 + 4 * np.sin(turn)], axis=1)
    turn = np.linspace(-np.pi, np.pi, 8, endpoint=False)
    points[60:68] = np.stack([32 + 6 * np.cos(turn), 46 + 1 * np.sin(turn)], axis=1)
    return points


def faces_at(present: list[bool], shots: list[int] | None = None, bridge: int = 0) -> SpeakerFaces:
    frames = np.flatnonzero(present).astype(np.int32)
    count = len(frames)
    found = ClipFaces(
        frames=frames,
        people=np.zeros(count, np.int32),
        boxes=np.tile(np.array([12, 12, 52, 56], np.float32), (count, 1)),
        landmarks=np.tile(face_landmarks(), (count, 1, 1)),
        scores=np.ones(count, np.float32),
        shot=np.array(shots if shots is not None else [0] * len(present), np.int32),
        flash=np.zeros(len(present), bool),
        likeness=np.empty((min(count, 1), 0), np.float32),
        width=WIDTH,
        height=HEIGHT,
    )
    return SpeakerFaces(found, motion=MotionSettings(bridge=bridge))


def tone(seconds: float) -> AudioClip:
    wave = np.sin(2 * np.pi * 300 * np.arange(round(seconds * 16000)) / 16000)
    return AudioClip(wave[None].astype(np.float32), 16000)
