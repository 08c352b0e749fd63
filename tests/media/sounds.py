"""Sounds that can be found again, and where they are."""

from __future__ import annotations

import numpy as np
from lipsync_studio.pipelines.core.types import AudioClip, Rect
from lipsync_studio.pipelines.media.decode import VideoClip


def clicks(rate: int, seconds: float, at: list[float]) -> AudioClip:
    """Faint noise with 10 ms of a loud tone at each of these seconds; mono."""
    samples = np.random.default_rng(0).normal(0, 0.01, (1, round(rate * seconds))).astype(np.float32)
    for second in at:
        begin = round(second * rate)
        samples[:, begin : begin + rate // 100] = 0.8 * np.sin(np.arange(rate // 100) * 0.7)
    return AudioClip(samples, rate)


def first_loud(samples: np.ndarray, rate: int) -> float:
    """Second of the first loud sample."""
    return int(np.argmax(np.abs(samples[0]) > 0.2)) / rate


def flash_in(clip: VideoClip) -> float:
    """Seconds at which the white frame is shown."""
    chunks = clip.read([np.arange(len(clip.clock))])
    bright = [picture.crop(Rect(0, 0, 32, 32)).mean() for chunk in chunks for picture in chunk.pictures]
    return float(clip.clock.seconds[int(np.argmax(bright))])


def best_lag(a: np.ndarray, b: np.ndarray) -> int:
    """By how many samples `a` is later than `b`."""
    size = 1 << (2 * len(a)).bit_length()
    correlation = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)))
    peak = int(np.argmax(correlation))
    return peak if peak < size // 2 else peak - size
