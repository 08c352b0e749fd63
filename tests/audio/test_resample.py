"""Resampling to mono, piece by piece."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.resample import MonoReader
from lipsync_studio.pipelines.core.types import AudioClip

RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 44101, 48000, 96000]


def tone(hertz: float, rate: int, seconds: float) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def noise(rate: int, seconds: float, channels: int = 1) -> AudioClip:
    samples = np.random.default_rng(rate).uniform(-1, 1, (channels, round(rate * seconds)))
    return AudioClip(samples.astype(np.float32), rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_keeps_its_pitch_phase_and_level(rate: int) -> None:
    reader = MonoReader(AudioClip(tone(440, rate, 1.0)[None], rate))
    heard = reader.read(0, len(reader))
    inside = slice(200, -200)  # the filter rings at both ends
    assert np.abs(heard - tone(440, 16000, 1.0))[inside].max() < 1e-4


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
def test_what_16_khz_cannot_hold_is_removed(rate: int) -> None:
    reader = MonoReader(AudioClip(tone(9000, rate, 1.0)[None], rate))
    level = np.abs(reader.read(200, len(reader) - 200)).max()
    assert 20 * np.log10(level / 0.5) < -80


@settings(max_examples=40, deadline=None)
@given(rate=st.sampled_from(RATES), cuts=st.lists(st.integers(-50, 5000), min_size=2, max_size=5, unique=True))
def test_pieces_fit_together(rate: int, cuts: list[int]) -> None:
    reader = MonoReader(noise(rate, 0.25))
    cuts = sorted(cuts)
    whole = reader.read(cuts[0], cuts[-1])
    pieces = [reader.read(start, stop) for start, stop in pairwise(cuts)]
    assert np.abs(np.concatenate(pieces) - whole).max() < 2e-6


@pytest.mark.parametrize("rate", RATES)
def test_the_length_is_the_duration_rounded_up(rate: int) -> None:
    clip = noise(rate, 0.1003)
    assert len(MonoReader(clip)) == ceil(clip.samples.shape[1] * 16000 / rate)


def test_beyond_the_clip_there_is_silence() -> None:
    reader = MonoReader(noise(48000, 0.01))
    assert not reader.read(-30, 0).any()
    assert not reader.read(len(reader), len(reader) + 30).any()
    assert reader.read(-30, 30)[30:].tolist() == reader.read(0, 30).tolist()


def test_channels_are_averaged() -> None:
    clip = noise(16000, 0.1, channels=3)
    assert np.allclose(MonoReader(clip).read(0, 1600), clip.samples.mean(axis=0), atol=1e-7)


def test_an_hour_is_never_held_a_second_time() -> None:
    hour = AudioClip(np.zeros((2, 44100 * 3600), dtype=np.float32), 44100)
    tracemalloc.start()
    reader = MonoReader(hour)
    reader.read(16000 * 1800, 16000 * 1830)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 30 * 44100 * 4  # a few copies of the 30 s that were read
