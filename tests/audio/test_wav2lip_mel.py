"""Wav2Lip's mel spectrogram and windows against the reference's, with the librosa 0.7.0 that it pins.

Tolerance: 1e-4 absolute, of values from -4 to 4; the windows' places are exact.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio import wav2lip_mel
from lipsync_studio.pipelines.audio.wav2lip_mel import SEEN, Wav2LipMel, first_columns, mirrored
from lipsync_studio.pipelines.core.types import AudioClip
from numpy.typing import NDArray
from safetensors.numpy import load_file
from torch import Tensor

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def golden(goldens: Path) -> Arrays:
    return load_file(goldens / "wav2lip_mel.safetensors")


def clip(samples: NDArray[np.int16]) -> AudioClip:
    return AudioClip((samples / np.float32(32768))[None].astype(np.float32), 16000)


def whole(features: Wav2LipMel, columns: int) -> Tensor:
    """float32 [80, columns]: the spectrogram, of windows that begin with each of its columns."""
    windows = features.at(np.arange(columns - SEEN + 1) / 80)
    return torch.cat([windows[:-1, :, 0].T, windows[-1]], dim=1)


@pytest.mark.parametrize(("name", "samples"), [("mel", 32000), ("mel_0.25s", 4000)])
def test_the_spectrogram_is_the_references(golden: Arrays, name: str, samples: int) -> None:
    wanted = torch.from_numpy(golden[name])
    found = whole(Wav2LipMel(clip(golden["wave_i16"][:samples])), wanted.shape[1])
    assert (found - wanted).abs().max() < 1e-4


@pytest.mark.parametrize("size", [1, 7, 160, 161])
def test_pieces_fit_together(golden: Arrays, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    at_once = whole(Wav2LipMel(clip(golden["wave_i16"])), 161)
    monkeypatch.setattr(wav2lip_mel, "PIECE_COLUMNS", size)
    assert (whole(Wav2LipMel(clip(golden["wave_i16"])), 161) - at_once).abs().max() < 1e-6


@pytest.mark.parametrize(
    ("columns", "fps"),
    [(241, 23.976), (241, 24), (241, 25), (241, 29.97), (241, 30), (241, 50), (241, 60), (161, 25), (16, 25), (17, 25)],
)
def test_windows_begin_where_the_references_do_at_any_rate(goldens: Path, columns: int, fps: float) -> None:
    wanted = load_file(goldens / "wav2lip_pipeline.safetensors")[f"start_L{columns}_fps{fps:g}"]
    assert first_columns(np.arange(len(wanted)) / fps, columns).tolist() == wanted.tolist()
    assert first_columns(np.arange(len(wanted), len(wanted) + 100) / fps, columns).tolist() == [columns - SEEN] * 100


def test_a_frame_hears_the_fifth_of_a_second_that_begins_with_it(golden: Arrays) -> None:
    features = Wav2LipMel(clip(golden["wave_i16"]))
    (window,) = features.at(np.array([0.5]))
    assert torch.equal(window, whole(features, 161)[:, 40:56])


@settings(max_examples=30, deadline=None)
@given(
    samples=st.integers(1, 16000 * 12),
    rate=st.sampled_from([8000, 16000, 44100]),
    seconds=st.lists(st.floats(0, 100), min_size=1, max_size=5),
)
def test_any_sound_at_any_time(samples: int, rate: int, seconds: list[float]) -> None:
    sound = AudioClip(np.sin(np.arange(samples, dtype=np.float32))[None].repeat(2, axis=0), rate)
    windows = Wav2LipMel(sound).at(np.array(seconds))
    assert windows.shape == (len(seconds), 80, 16)
    assert windows.dtype == torch.float32
    assert windows.abs().max() <= 4


def test_silence_is_the_least() -> None:
    assert (Wav2LipMel(clip(np.zeros(16000, np.int16))).at(np.array([0.3])) == -4).all()


def test_of_a_short_sound_the_last_column_is_repeated(golden: Arrays) -> None:
    (window,) = Wav2LipMel(clip(golden["wave_i16"][:1000])).at(np.array([0.0]))
    assert torch.equal(window[:, 6:], window[:, 5:6].expand(-1, 10))
    assert not torch.equal(window[:, 4], window[:, 5])


def test_only_two_pieces_are_kept() -> None:
    features = Wav2LipMel(clip(np.zeros(16000 * 60, np.int16)))
    for second in range(60):
        features.at(second + np.arange(25) / 25)
    kept = features._piece.cache_info()
    assert (kept.currsize, kept.misses) == (2, 13)  # 4801 columns, 400 at once


@given(st.integers(1, 50), st.lists(st.integers(-200, 200), min_size=1))
def test_mirrored_places_are_numpys_reflection(length: int, places: list[int]) -> None:
    if length > 1:
        line = np.pad(np.arange(length), 200 + length, mode="reflect")
        assert mirrored(np.array(places), length).tolist() == line[np.array(places) + 200 + length].tolist()
    else:
        assert mirrored(np.array(places), length).tolist() == [0] * len(places)
