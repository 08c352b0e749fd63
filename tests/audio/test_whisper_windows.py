"""Which Whisper features each frame hears."""

from __future__ import annotations

import json
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.log_mel import log_mel
from lipsync_studio.pipelines.audio.whisper_windows import WhisperWindows, window_rows
from lipsync_studio.pipelines.core.timing import FrameClock
from lipsync_studio.pipelines.core.types import AudioClip
from safetensors.numpy import load_file
from torch import Tensor

HOUR = 3600


def silence(samples: int) -> AudioClip:
    return AudioClip(np.zeros((1, samples), dtype=np.float32), 16000)


class Counting:
    """In place of an encoder: the k-th block it is asked for holds 1 + the number of the feature, five times."""

    def __init__(self, step: int = 1500) -> None:
        self.step = step
        self.calls = 0

    def __call__(self, mel: Tensor) -> Tensor:
        assert mel.shape == (1, 80, 3000)
        numbers = 1.0 + torch.arange(1500) + self.calls * self.step
        self.calls += 1
        return numbers[:, None, None].expand(1500, 5, 384)


def loudness(mel: Tensor) -> Tensor:
    """An encoder that hears nothing but the present: the mean of the two columns of each feature."""
    return mel[0].mean(dim=0).reshape(1500, 2).mean(dim=1)[:, None, None].expand(1500, 5, 384)


def heard_rows(clip: AudioClip, seconds: np.ndarray, context: float = 0.0) -> np.ndarray:
    """int [n, 10]: the features in the windows; -1 where there are zeros."""
    step = 1500 - 2 * round(context * 50)
    windows = WhisperWindows(clip, Counting(step), context_seconds=context).at(seconds)
    assert windows.shape == (len(seconds), 50, 384)
    assert windows.dtype == torch.float32
    rows = windows.reshape(len(seconds), 10, 5, 384)
    assert torch.equal(rows, rows[:, :, :1, :1].expand_as(rows))
    return rows[:, :, 0, 0].numpy().astype(int) - 1


CASES = [
    case
    for case in json.loads((Path(__file__).parents[1] / "goldens" / "audio_chunks.json").read_text())["cases"]
    if case["fps"] < 50
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_hears_what_the_reference_hears(case: dict[str, int | float | str], goldens: Path) -> None:
    """Equal from 25 fps on. Below, the reference looks further back; that shift is removed here, on purpose.

    The reference cuts rates to whole numbers. At 29 fps it loses a feature to rounding in 6 of 1000 frames.
    """
    golden = load_file(goldens / "audio_chunks.safetensors")[str(case["name"])]
    fps, samples = int(case["fps"]), int(case["n_samples"])
    frames = np.arange(len(golden))
    rounded = frames * 50 // fps - np.floor(frames * (50 / fps)).astype(int)
    shift = 2 * (ceil(50 / fps) - 2) + rounded[:, None]
    earlier = window_rows(frames / fps) - shift
    inside = (earlier >= 0) & (earlier < samples // 320)
    assert np.array_equal(np.where(inside, earlier, -1), golden)
    if fps >= 25:
        exact = rounded == 0
        assert np.array_equal(heard_rows(silence(samples), frames / fps)[exact], golden[exact])
        assert exact.mean() > 0.99


@pytest.mark.parametrize("fps", range(25, 50))
def test_every_whole_rate_has_the_reference_s_features_for_an_hour(fps: int) -> None:
    """floor(i * 50 / fps), without the reference's rounding (29 and 31 fps, see above)."""
    frames = np.arange(HOUR * fps)
    wanted = (frames * 50 // fps - 4)[:, None] + np.arange(10)
    assert np.array_equal(window_rows(frames / fps), wanted)
    assert np.array_equal(window_rows(FrameClock.constant(HOUR * fps, Fraction(fps)).seconds), wanted)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120)])
def test_nothing_drifts_over_an_hour(rate: Fraction) -> None:
    seconds = FrameClock.constant(int(HOUR * rate), rate).seconds
    late = seconds - (window_rows(seconds)[:, 4]) / 50
    assert late.min() > -1e-6
    assert late.max() < 0.02


@given(
    rate=st.fractions(1, 240, max_denominator=1001),
    frame=st.integers(0, 10**7),
    error=st.floats(-1e-9, 1e-9),
)
def test_rounding_of_frame_times_never_moves_a_window(rate: Fraction, frame: int, error: float) -> None:
    wanted = int(frame / rate * 50)
    assert window_rows(np.array([float(frame / rate) + error]))[0, 4] == wanted


def test_rows_run_feature_by_feature_with_the_five_states_inside() -> None:
    states = torch.arange(1500.0 * 5).reshape(1500, 5, 1).expand(1500, 5, 384)
    window = WhisperWindows(silence(480_000), lambda mel: states).at(np.array([1.0]))[0]
    assert window[:, 0].tolist() == list(range(46 * 5, 56 * 5))


@pytest.mark.parametrize("context", [0.0, 1.0])
def test_blocks_are_made_when_needed_and_only_two_are_kept(context: float) -> None:
    encode = Counting(1500 - round(100 * context))
    windows = WhisperWindows(silence(16000 * 150), encode, context_seconds=context)
    assert encode.calls == 0
    windows.at(np.arange(25) / 25)
    assert encode.calls == 1
    for second in range(150):
        windows.at(second + np.arange(25) / 25)
        assert len(windows._blocks) <= 2
    assert encode.calls == ceil((150 - 2 * context) / (30 - 2 * context))


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(100, 16000 * 95),
    context=st.sampled_from([0.0, 0.5, 1.0, 7.0]),
    frame=st.floats(0.01, 3.0),
)
def test_blocks_are_cut_so_that_no_feature_is_lost_or_doubled(samples: int, context: float, frame: float) -> None:
    seconds = np.arange(0, samples / 16000 + 1, frame)
    wanted = window_rows(seconds)
    wanted[(wanted < 0) | (wanted >= samples // 320)] = -1
    assert np.array_equal(heard_rows(silence(samples), seconds, context), wanted)


def test_context_changes_features_only_where_blocks_meet() -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 16000 * 70)).astype(np.float32)
    seconds = np.arange(70 * 25) / 25
    alone = WhisperWindows(AudioClip(noise, 16000), loudness, context_seconds=0).at(seconds)
    overlapping = WhisperWindows(AudioClip(noise, 16000), loudness, context_seconds=1).at(seconds)
    changed = seconds[(alone - overlapping).abs().amax(dim=(1, 2)).numpy() > 1e-5]
    seams = np.array([29.0, 30.0, 57.0, 60.0])  # of the one, of the other
    assert len(changed) > 0
    assert np.abs(changed[:, None] - seams).min(axis=1).max() < 0.15


def test_up_to_30_seconds_context_changes_nothing() -> None:
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, (1, 480_000)).astype(np.float32)
    seconds = np.arange(750) / 25
    wanted = loudness(log_mel(torch.from_numpy(noise)))
    for context in (0.0, 1.0, 5.0):
        windows = WhisperWindows(AudioClip(noise, 16000), loudness, context_seconds=context).at(seconds)
        for i in range(2, 747):
            assert torch.equal(windows[i, ::5], wanted[2 * i - 4 : 2 * i + 6, 0])


@pytest.mark.parametrize("context", [-0.1, 15.0, 40.0])
def test_impossible_context_is_refused(context: float) -> None:
    with pytest.raises(ValueError, match="context_seconds"):
        WhisperWindows(silence(16000), loudness, context_seconds=context)
