"""What goes into a sampler and what came out, in words and as a waveform, for web/run_summary.js to show."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..pipelines.core.report import Report
from ..pipelines.core.types import AudioClip
from ..pipelines.media.decode import VideoClip
from ..pipelines.media.image_picture import ImageClip

PEAKS: Final = 200  # parts of the waveform; the node is about 400 px wide
FULL_SCALE: Final = 100


def run_summary(clip: VideoClip | ImageClip, audio: AudioClip, report: Report) -> dict[str, list[Any]]:
    """The `ui` of the node: {"lipsync_run": [{"lines": sentences, "peaks": see `peaks`}]}."""
    made = report.timeline
    lines = [
        clip_line(clip),
        audio_line(audio.seconds, audio.rate),
        f"result: {len(made)} frames, {made.duration:.2f} s; {report.summary()}",
        *report.notes,
    ]
    return {"lipsync_run": [{"lines": lines, "peaks": peaks(audio)}]}


def clip_line(clip: VideoClip | ImageClip) -> str:
    """Length, rate and size in words."""
    clock, size = clip.clock, f"{clip.width}x{clip.height}"
    moving = f"clip: {len(clock)} frames, {clock.duration:.2f} s, {float(clock.rate):.5g} fps, {size}"
    return moving if len(clock) > 1 else f"picture: {size}"


def audio_line(seconds: float, rate: int) -> str:
    """Length and rate in words."""
    return f"audio: {seconds:.2f} s, {rate} Hz"


def peaks(audio: AudioClip, count: int = PEAKS) -> list[int]:
    """The loudest sample of each of `count` equal parts of the audio, 0 to 100 (full scale); fewer for a short one."""
    total = audio.samples.shape[1]
    starts = np.unique(np.linspace(0, total, count, endpoint=False, dtype=np.int64))
    # Not of abs(), which would copy an hour of sound.
    highest = np.maximum.reduceat(audio.samples, starts, axis=1).max(axis=0)
    lowest = np.minimum.reduceat(audio.samples, starts, axis=1).min(axis=0)
    return percent(np.maximum(highest, -lowest).clip(0, 1))


def percent(loudest: NDArray[np.float32]) -> list[int]:
    """0 to 100, never 0 where there is sound."""
    return np.ceil(loudest * FULL_SCALE).astype(int).tolist()
