"""The loudness of speech in time."""

from __future__ import annotations

import numpy as np
import pytest
from lipsync_studio.pipelines.audio.envelope import SpeechEnvelope
from lipsync_studio.pipelines.core.types import AudioClip


def tone(hertz: float, level: float, rate: int = 16000) -> AudioClip:
    """A second of silence, a second of sound, a second of silence."""
    time = np.arange(3 * rate) / rate
    wave = level * np.sin(2 * np.pi * hertz * time) * ((time >= 1) & (time < 2))
    return AudioClip(wave[None].astype(np.float32), rate)


def test_it_is_where_the_sound_is() -> None:
    envelope = SpeechEnvelope(tone(800, 0.5))
    values = envelope.at(np.array([-1.0, 0.5, 1.0, 1.5, 2.0, 2.5, 9.0]))
    assert values[[0, 1, 5, 6]].max() < 1e-4
    assert values[3] == pytest.approx(0.5 / np.sqrt(2), rel=0.02)
    np.testing.assert_allclose(values[[2, 4]], values[3] / 2, rtol=0.15)


def test_it_follows_the_level_and_hears_vowels_only() -> None:
    middle = np.array([1.5])
    loud, soft, hum, hiss = (
        float(SpeechEnvelope(tone(hertz, level)).at(middle)[0])
        for hertz, level in ((800, 0.5), (800, 0.05), (50, 0.5), (7000, 0.5))
    )
    assert loud == pytest.approx(10 * soft, rel=1e-3)
    assert max(hum, hiss) < 0.02 * loud
