"""The editor's picture of a sound shows what is there, and onsets are where sounds begin."""

from __future__ import annotations

import numpy as np
import pytest
from lipsync_studio.pipelines.audio.spectrogram import BANDS, HIGHEST, LOWEST, Picture, onsets, spectrogram
from lipsync_studio.pipelines.core.types import AudioClip

RATE = 22050


def picture(samples: np.ndarray) -> Picture:
    def part(start: float, stop: float) -> AudioClip:
        return AudioClip(samples[:, int(start * RATE) : max(1, round(stop * RATE))], RATE)

    return spectrogram(samples.shape[1] / RATE, part)


def tones(starts: list[float], seconds: float, hertz: float = 440, noise: float = 3e-4) -> np.ndarray:
    """Tones of 0.2 s that begin at once and fade away."""
    samples = np.random.default_rng(0).normal(0, noise, (1, int(seconds * RATE))).astype(np.float32)
    time = np.arange(int(0.2 * RATE)) / RATE
    for start in starts:
        first = round(start * RATE)
        tone = 0.3 * np.sin(2 * np.pi * hertz * time) * (1 - time / 0.2)
        samples[:, first : first + len(time)] += tone[: samples.shape[1] - first].astype(np.float32)
    return samples


@pytest.mark.parametrize("hertz", [200, 440, 1000, 4000])
def test_a_tone_is_brightest_in_its_band(hertz: float) -> None:
    seen = picture(np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32)[None])
    assert seen.shape == (100, BANDS)
    band = np.log(hertz / LOWEST) / np.log(HIGHEST / LOWEST) * BANDS
    assert abs(int(seen[50].argmax()) + 0.5 - band) < 2.5


def test_pieces_of_a_long_sound_fit_together() -> None:
    """Where a minute ends, the picture of steady noise goes on as before."""
    seen = picture(np.random.default_rng(0).normal(0, 0.1, (1, 65 * RATE)).astype(np.float32)).astype(float)
    assert seen.shape == (6500, BANDS)
    assert abs(seen[5997:6003].mean() - seen.mean()) < 8
    assert onsets(seen[5900:6100].astype(np.uint8)).tolist() == []


def test_onsets_are_where_tones_begin() -> None:
    starts = [0.5, 1.237, 2.0, 2.2, 59.99, 60.5, 61.104]
    found = onsets(picture(tones(starts, 63)))
    assert len(found) == len(starts)
    assert np.abs(found - starts).max() <= 0.015


@pytest.mark.parametrize("samples", [np.zeros((1, RATE), np.float32), tones([], 2), np.zeros((1, 10), np.float32)])
def test_silence_and_steady_noise_have_none(samples: np.ndarray) -> None:
    assert onsets(picture(samples)).tolist() == []
