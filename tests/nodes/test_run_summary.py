"""The waveform that the samplers show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.nodes.run_summary import peaks
from lipsync_studio.pipelines.core.types import AudioClip


def clip(*channels: list[float]) -> AudioClip:
    return AudioClip(np.array(channels, np.float32), 16000)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (clip([0, 0, 0.5, -1]), [0, 100]),  # the loudest of each half, whatever its sign
        (clip([0, 0, 0, 0], [0, -0.25, 0, 0]), [25, 0]),  # of any channel
        (clip([2, -3]), [100, 100]),  # beyond full scale
        (clip([0.001]), [1]),  # shorter than the parts; never drawn as silence
    ],
)
def test_peaks(samples: AudioClip, expected: list[int]) -> None:
    assert peaks(samples, 2) == expected


@given(st.integers(1, 1000), st.integers(1, 250))
def test_one_peak_for_each_part_and_the_loudest_is_among_them(length: int, count: int) -> None:
    samples = np.random.default_rng(length).uniform(-1, 1, (2, length)).astype(np.float32)
    found = peaks(AudioClip(samples, 8000), count)
    assert len(found) == min(length, count)
    assert max(found) == np.ceil(np.abs(samples).max() * 100)
