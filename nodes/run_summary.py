"""What went into a sampler and what came out, for web/run_summary.js to show in the node after a run."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from ..pipelines.core.report import Report
from ..pipelines.core.types import AudioClip
from ..pipelines.media.decode import VideoClip
from ..pipelines.media.image_picture import ImageClip

PEAKS: Final = 200  # parts of the waveform; the node is about 400 px wide
FULL_SCALE: Final = 100


def run_summary(clip: VideoClip | ImageClip, audio: AudioClip, report: Report) -> dict[str, list[Any]]:
    """The `ui` of the node: {"lipsync_run": [{"lines": sentences, "peaks": see `peaks`}]}."""
    clock, made, size = clip.clock, report.timeline, f"{clip.width}x{clip.height}"
    moving = f"clip: {len(clock)} frames, {clock.duration:.2f} s, {float(clock.rate):.5g} fps, {size}"
    lines = [
        moving if len(clock) > 1 else f"picture: {size}",
        f"audio: {audio.seconds:.2f} s, {audio.rate} Hz",
        f"result: {len(made)} frames, {made.duration:.2f} s; {report.summary()}",
        *report.notes,
    ]
    return {"lipsync_run": [{"lines": lines, "peaks": peaks(audio)}]}


def peaks(audio: AudioClip, count: int = PEAKS) -> list[int]:
    """The loudest sample of each of `count` equal parts of the audio, 0 to 100 (full scale); fewer for a short one."""
    total = audio.samples.shape[1]
    starts = np.unique(np.linspace(0, total, count, endpoint=False, dtype=np.int64))
    # Not of abs(), which would copy an hour of sound.
    highest = np.maximum.reduceat(audio.samples, starts, axis=1).max(axis=0)
    lowest = np.minimum.reduceat(audio.samples, starts, axis=1).min(axis=0)
    loudest = np.maximum(highest, -lowest).clip(0, 1)
    return np.ceil(loudest * FULL_SCALE).astype(int).tolist()
