"""The mouth follows the loudness of speech, at its own moment, whatever the recording."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.band_power import BLOCK_SAMPLES, WINDOW_SECONDS
from lipsync_studio.pipelines.audio.mouth_shapes import MouthShapes
from lipsync_studio.pipelines.core.types import AudioClip
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

SPEECH = Path(__file__).parents[2] / "workflows" / "inputs" / "speech.flac"
RATE = 16000


def syllables(rate: int = RATE, level: float = 0.3) -> NDArray[np.float32]:
    """3 s: noise of a quiet room; voiced syllables of 0.2 s at 0.5, 1.0, 1.5 and 2.0 s."""
    random = np.random.default_rng(1)
    seconds = np.arange(3 * rate) / rate
    voice = sum(np.sin(2 * np.pi * pitch * seconds) / pitch for pitch in (350, 700, 1050, 2100)) * 350
    loud = sum(np.where(np.abs(seconds - start - 0.1) < 0.1, 1.0, 0.0) for start in (0.5, 1.0, 1.5, 2.0))
    return (level * loud * voice + 1e-4 * random.standard_normal(len(seconds))).astype(np.float32)


def heard(samples: NDArray[np.float32], times: NDArray[np.float64], rate: int = RATE) -> NDArray[np.float32]:
    return MouthShapes(AudioClip(np.atleast_2d(samples), rate)).at(times).numpy()


FRAMES = np.arange(75) / 25


def test_opens_on_syllables_and_closes_between_them() -> None:
    shapes = heard(syllables(), FRAMES)
    for start in (0.5, 1.0, 1.5, 2.0):
        assert heard(syllables(), np.array([start + 0.1]))[0, 0] > 0.9
    pauses = np.all([np.abs(FRAMES - start - 0.1) > 0.17 for start in (0.5, 1.0, 1.5, 2.0)], axis=0)
    assert pauses.sum() > 20
    assert np.all(shapes[pauses] == 0)


def test_is_centred_on_the_sound() -> None:
    around = heard(syllables(), 1.1 + np.linspace(-0.2, 0.2, 41))[:, 0]
    np.testing.assert_allclose(around, around[::-1], atol=0.06)


@pytest.mark.parametrize("samples", [np.zeros(16000), np.zeros(1), np.full(16000, 0.5), np.full(16000, 1e-5)])
def test_silence_is_exactly_closed(samples: NDArray[np.float64]) -> None:
    assert not heard(samples.astype(np.float32), FRAMES).any()


def test_outside_the_clip_the_mouth_is_closed() -> None:
    loud = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    assert heard(loud, np.array([0.5]))[0, 0] > 0.9
    assert not heard(loud, np.array([-0.1, 1.1, 50.0])).any()


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000, 96000])
def test_any_rate_gives_the_same_mouth(rate: int) -> None:
    np.testing.assert_allclose(heard(syllables(rate), FRAMES, rate)[:, 0], heard(syllables(), FRAMES)[:, 0], atol=0.12)


@pytest.mark.parametrize("rate", [1, 60, 400])
def test_rates_without_a_speech_band_are_silent(rate: int) -> None:
    noise = np.random.default_rng(0).standard_normal(4 * rate).astype(np.float32)
    assert not heard(noise, FRAMES, rate).any()


def test_opposite_phases_do_not_cancel() -> None:
    one = syllables()
    np.testing.assert_allclose(heard(np.stack([one, -one]), FRAMES), heard(one, FRAMES), atol=1e-5)


def test_width_tells_bright_from_dark_vowels() -> None:
    seconds = np.arange(RATE) / RATE
    low, high = (np.sin(2 * np.pi * hertz * seconds) for hertz in (300, 2400))
    vowels = [low + brightness * high for brightness in (0.1, 0.3, 0.9)]
    shapes = heard(np.concatenate(vowels).astype(np.float32) / 3, np.array([0.5, 1.5, 2.5]))
    assert shapes[0, 1] < -0.9
    assert abs(shapes[1, 1]) < 0.1
    assert shapes[2, 1] > 0.9


@given(st.floats(-40, 20))
@settings(max_examples=15, deadline=None)
def test_the_recording_level_does_not_matter(decibels: float) -> None:
    quiet = syllables() * np.float32(10 ** (decibels / 20))
    np.testing.assert_allclose(heard(quiet, FRAMES), heard(syllables(), FRAMES), atol=1e-3)


@given(st.integers(0, 300))
@settings(max_examples=15, deadline=None)
def test_delayed_sound_is_a_delayed_mouth(hundredths: int) -> None:
    delay = hundredths * RATE // 100
    padded = np.pad(syllables(), (delay, 300 * RATE // 100 - delay))
    first = np.pad(syllables(), (0, 300 * RATE // 100))
    np.testing.assert_allclose(heard(padded, FRAMES + hundredths / 100), heard(first, FRAMES), atol=1e-4)


@given(st.integers(1, 5000), st.integers(0, 40), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_any_length_gives_one_shape_per_frame_in_range(samples: int, frames: int, channels: int) -> None:
    noise = np.random.default_rng(samples).uniform(-1, 1, (channels, samples)).astype(np.float32)
    shapes = heard(noise, np.arange(frames) / 25)
    assert shapes.shape == (frames, 2)
    assert shapes.dtype == np.float32
    assert np.all((shapes[:, 0] >= 0) & (shapes[:, 0] <= 1) & (np.abs(shapes[:, 1]) <= 1))


def test_blocks_leave_no_seam() -> None:
    seconds = 2.5 * BLOCK_SAMPLES / (WINDOW_SECONDS * 8000) / 100
    tone = np.sin(np.arange(int(seconds * 8000)) * 0.8).astype(np.float32)
    inside = heard(tone, np.arange(0.1, seconds - 0.1, 0.01), 8000)
    np.testing.assert_allclose(inside[:, 0], 1, atol=0.02)


def envelope(clip: AudioClip, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sound pressure in the speech band over 80 ms around each time, by another way than the code under test."""
    band = butter(3, (200, 3800), "bandpass", fs=clip.rate, output="sos")
    power = np.cumsum(sosfiltfilt(band, clip.samples.mean(axis=0)) ** 2)
    ends = [np.clip(((times + side) * clip.rate).astype(int), 0, len(power) - 1) for side in (-0.04, 0.04)]
    return np.sqrt(np.maximum(power[ends[1]] - power[ends[0]], 0))


def test_follows_the_envelope_of_real_speech() -> None:
    with av.open(str(SPEECH)) as file:
        rate = file.streams.audio[0].codec_context.sample_rate
        samples = np.concatenate([frame.to_ndarray() for frame in file.decode(audio=0)], axis=1)
    clip = AudioClip((samples / 32768).astype(np.float32), rate)
    times = np.arange(int(clip.seconds * 25)) / 25
    opening = MouthShapes(clip).at(times).numpy()[:, 0]
    lags = np.arange(-3, 4)
    agreement = [np.corrcoef(opening, envelope(clip, times - lag / 25))[0, 1] for lag in lags]
    assert lags[int(np.argmax(agreement))] == 0
    assert max(agreement) > 0.85
