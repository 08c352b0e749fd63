"""MFCC against python_speech_features 0.6: 1e-6 relative, in float64."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.measure.mfcc import STEP, mfcc
from safetensors.numpy import load_file


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, np.ndarray]:
    return load_file(goldens / "syncnet_mfcc.safetensors")


@pytest.mark.parametrize(
    ("name", "samples"), [("mfcc", slice(None)), ("mfcc_300samples", slice(300))], ids=["2 s", "one short frame"]
)
def test_a_sound_is_the_references(golden: dict[str, np.ndarray], name: str, samples: slice) -> None:
    np.testing.assert_allclose(mfcc(golden["wave_i16"][samples]), golden[name], rtol=1e-6)


def test_silence_is_the_references(golden: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(mfcc(np.zeros(1600)), golden["mfcc_silence"], rtol=1e-6, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_pieces_are_parts_of_the_whole(seed: int, first: int, count: int) -> None:
    sound = np.random.default_rng(seed).normal(0, 3000, 400 + STEP * (first + count))
    piece = sound[first * STEP : first * STEP + 400 + STEP * (count - 1)]
    before = float(sound[first * STEP - 1])
    np.testing.assert_allclose(mfcc(piece, before), mfcc(sound)[first : first + count], rtol=1e-9)


@given(st.integers(1, 3000))
@settings(deadline=None)
def test_every_length_has_its_frames(length: int) -> None:
    assert mfcc(np.ones(length)).shape == (1 + max(0, -(-(length - 400) // 160)), 13)
