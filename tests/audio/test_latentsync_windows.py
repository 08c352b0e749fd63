"""Which Whisper features LatentSync hears, against the reference's.

Tolerances are the golden's: log-mel 2e-5 absolute, features relative L2 1e-4, tables exact.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pytest
import seeded
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.latentsync_windows import LatentSyncWindows
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.networks.whisper_encoder import WhisperEncoder
from safetensors.torch import load_file
from torch import Tensor
from whisper_of_goldens import latentsync_whisper

if TYPE_CHECKING:
    from numpy.typing import NDArray

CRC_41 = 3026922447  # of the golden's 41 s, as int16


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "latentsync_audio.safetensors")


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    return latentsync_whisper()


def clip(samples: NDArray[np.int16]) -> AudioClip:
    return AudioClip((samples / np.float32(32768)).astype(np.float32)[None], 16000)


def sound_of_41_seconds() -> NDArray[np.int16]:
    """As the golden's json says: loud for 30 s, then softer by 50 dB."""
    seconds = np.arange(656_000) / 16000
    noise = seeded.floats("clip_wave_41.0", (656_000,)).astype(np.float64)
    wave = 0.3 * np.sin(2 * np.pi * 220 * seconds) + 0.05 * noise
    wave += 0.1 * np.sin(2 * np.pi * 1870 * seconds * (1 + 0.02 * seconds / 41.0))
    wave[480_000:] *= 0.003
    samples = np.rint(np.clip(wave, -1, 1) * 32767).astype(np.int16)
    assert crc32(samples.tobytes()) == CRC_41
    return samples


class Remembering:
    """An encoder that keeps what it was given; its features are their own numbers, over all pieces."""

    def __init__(self) -> None:
        self.mels: list[Tensor] = []

    def __call__(self, mel: Tensor) -> Tensor:
        assert mel.shape == (1, 80, 3000)
        self.mels.append(mel[0])
        numbers = torch.arange(1500.0) + 1500 * (len(self.mels) - 1)
        return numbers[:, None, None].expand(1500, 5, 384)


def distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def test_the_spectrogram_is_the_references(golden: dict[str, Tensor]) -> None:
    encode = Remembering()
    LatentSyncWindows(clip(golden["c1.3.wave_i16"].numpy()), encode).at(np.zeros(1))
    (mel,) = encode.mels
    assert (mel[:, :130] - golden["c1.3.mel"]).abs().max() < 2e-5
    assert not mel[:, 130:].any(), "filled up with zeros, which is not silence"


def test_the_windows_are_the_references(golden: dict[str, Tensor], encoder: WhisperEncoder) -> None:
    windows = LatentSyncWindows(clip(golden["c1.3.wave_i16"].numpy()), encoder.unnormalised)
    found = windows.at(golden["c1.3.chunk_frames"].numpy() / 25)
    assert distance(found[..., ::4], golden["c1.3.chunks"]) < 1e-4


def test_a_long_clip_has_one_loudest_point_and_pieces_of_30_seconds(
    golden: dict[str, Tensor], encoder: WhisperEncoder
) -> None:
    mels: list[Tensor] = []

    def encode(mel: Tensor) -> Tensor:
        mels.append(mel[0])
        return encoder.unnormalised(mel)

    rows = golden["c41.feat_rows"].numpy()
    heard = LatentSyncWindows(clip(sound_of_41_seconds()), encode).at(rows / 50).unflatten(1, (10, 5))
    assert len(mels) == 2
    mel = torch.cat(mels, dim=1)[:, golden["c41.mel_cols"].long()]
    assert (mel - golden["c41.mel"]).abs().max() < 2e-5
    for state in range(5):  # the fifth of ten rows is the frame's own
        assert distance(heard[:, 4, state, ::4], golden["c41.feat"][:, state]) < 1e-4


@pytest.mark.parametrize(
    ("rows", "fps"),
    [(65, 25), (350, 25), (2050, 25), (12, 25), (1, 25), (65, 23.976), (65, 24), (65, 29.97), (65, 30), (65, 50)],
)
def test_the_rows_are_the_references_at_any_rate(golden: dict[str, Tensor], rows: int, fps: float) -> None:
    wanted = golden[f"idx_L{rows}_fps{fps:g}"]
    windows = LatentSyncWindows(clip(np.zeros(rows * 320, np.int16)), Remembering())
    found = windows.at(np.arange(len(wanted)) / fps)
    assert torch.equal(found[:, ::5, 0].int(), wanted)


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(1, 16000 * 65), seconds=st.lists(st.floats(0, 100), min_size=1, max_size=5))
def test_any_sound_at_any_time(samples: int, seconds: list[float]) -> None:
    """Pieces are asked for out of order here, so only that there is a row for every time is asserted."""
    windows = LatentSyncWindows(clip(np.ones(samples, np.int16)), lambda mel: mel.mean() * torch.ones(1500, 5, 384))
    found = windows.at(np.array(seconds))
    assert found.shape == (len(seconds), 50, 384)
    assert found.isfinite().all()


def test_only_two_pieces_are_kept() -> None:
    encode = Remembering()
    windows = LatentSyncWindows(clip(np.zeros(16000 * 100, np.int16)), encode)
    assert not encode.mels
    for second in range(100):
        windows.at(second + np.arange(25) / 25)
    assert len(encode.mels) == 4
    windows.at(np.array([0.0]))
    assert len(encode.mels) == 5
