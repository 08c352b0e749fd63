"""Whisper's log-mel spectrogram against the reference's, and against transformers'."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.audio.log_mel import log_mel
from lipsync_studio.pipelines.audio.resample import MonoReader
from lipsync_studio.pipelines.core.types import AudioClip
from safetensors.torch import load_file

TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, torch.Tensor]:
    return load_file(goldens / "whisper_stack.safetensors")


def test_equals_the_reference(golden: dict[str, torch.Tensor], goldens: Path) -> None:
    noise = seeded.floats("wav", (16000,))
    sound = 0.3 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000) + 0.05 * noise
    mel = log_mel(torch.from_numpy(sound.astype(np.float32))[None])[0]
    assert mel.shape == (80, 3000)
    assert (mel[:, :200] - golden["synthetic_mel"]).abs().max() < TOLERANCE
    assert (mel[:, -10:] - golden["synthetic_mel_tail"]).abs().max() < TOLERANCE


def test_a_48_khz_stereo_file_comes_close_to_what_the_reference_hears(
    golden: dict[str, torch.Tensor], shared: Path
) -> None:
    """The reference resamples with soxr. The filters differ near 8 kHz only: in the four uppermost bands."""
    from scipy.io import wavfile

    rate, samples = wavfile.read(shared / "media" / "yongen.wav")
    clip = AudioClip(np.ascontiguousarray(samples.T.astype(np.float32) / 32768), rate)
    reader = MonoReader(clip)
    mel = log_mel(torch.from_numpy(reader.read(0, len(reader)))[None])[0, :, :400:4]
    difference = (mel - golden["yongen_mel_first400"]).abs()
    assert difference[:70].max() < 2e-4
    assert difference.mean() < 1e-3


def test_equals_transformers_for_a_batch_of_different_levels() -> None:
    transformers = pytest.importorskip("transformers")
    sounds = np.random.default_rng(0).standard_normal((3, 100_000)).astype(np.float32)
    sounds *= np.array([[1.0], [0.01], [0.0]], dtype=np.float32)  # loud, soft and silent: each has its own floor
    extract = transformers.WhisperFeatureExtractor(feature_size=80)
    wanted = extract(list(sounds), sampling_rate=16000, return_tensors="pt").input_features
    assert (log_mel(torch.from_numpy(sounds)) - wanted).abs().max() < TOLERANCE


def test_more_than_30_seconds_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 480000"):
        log_mel(torch.zeros(1, 480_001))
