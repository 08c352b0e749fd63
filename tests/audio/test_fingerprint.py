"""The fingerprint is the same for the same recording, and another for what a person would call another one."""

from __future__ import annotations

import numpy as np
import pytest
from lipsync_studio.pipelines.audio.fingerprint import audio_fingerprint
from lipsync_studio.pipelines.core.types import AudioClip

RATE = 11025  # a tenth of a second is no whole number of samples


def speech(seconds: float = 70, rate: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Noise whose loudness goes up and down."""
    random = np.random.default_rng(seed)
    count = int(seconds * rate)
    envelope = np.interp(np.arange(count) / rate, np.arange(0, seconds + 1, 0.25), random.random(4 * int(seconds + 1)))
    return (random.normal(0, 0.2, (channels, count)) * envelope).astype(np.float32)


def fingerprint(samples: np.ndarray) -> str:
    return audio_fingerprint(AudioClip(np.ascontiguousarray(samples), RATE))


SAMPLES = speech()
NOISE = np.random.default_rng(1).normal(0, 1e-7, SAMPLES.shape).astype(np.float32)


@pytest.mark.parametrize(
    "same", [SAMPLES.copy(), SAMPLES * np.float32(0.5), SAMPLES + NOISE, np.concatenate([SAMPLES, SAMPLES])]
)
def test_volume_decoder_noise_and_channels_do_not_matter(same: np.ndarray) -> None:
    assert fingerprint(same) == fingerprint(SAMPLES)


@pytest.mark.parametrize(
    "other",
    [
        SAMPLES[:, RATE // 10 :],
        SAMPLES[:, : -RATE // 5],
        np.roll(SAMPLES, RATE // 10, axis=1),
        speech(seed=1),
        np.where(np.arange(SAMPLES.shape[1]) // (RATE // 2) == 40, 0, SAMPLES).astype(np.float32),
        np.zeros_like(SAMPLES),
    ],
    ids=["cut at the start", "cut at the end", "moved", "another take", "a gap", "silence"],
)
def test_what_moves_words_matters(other: np.ndarray) -> None:
    assert fingerprint(other) != fingerprint(SAMPLES)


@pytest.mark.parametrize("count", [1, 5, RATE // 10, RATE * 60, RATE * 60 + 1])
def test_any_length_has_one(count: int) -> None:
    assert len(fingerprint(speech(61)[:, :count])) == 16
    assert len(fingerprint(np.zeros((2, count), np.float32))) == 16
