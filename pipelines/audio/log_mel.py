"""The log-mel spectrogram that Whisper hears."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

SAMPLE_RATE = 16_000
BLOCK_SECONDS = 30
BLOCK_SAMPLES = BLOCK_SECONDS * SAMPLE_RATE
MEL_BANDS = 80

WINDOW = 400
HOP = 160


def log_mel(samples: Tensor) -> Tensor:
    """Whisper's input for pieces of up to 30 s, each on its own.

    samples: float32 [b, n], 16 kHz mono, n at most 480,000; shorter pieces are filled up with silence.
    Returns float32 [b, 80, 3000], about -1..1.5: 100 columns a second. Each piece is cut off 8 powers of ten below
    its own loudest point. Numbers: openai/whisper audio.py `log_mel_spectrogram`, transformers
    `WhisperFeatureExtractor`.
    """
    if samples.ndim != 2 or samples.shape[1] > BLOCK_SAMPLES:
        raise ValueError(f"samples must be [b, n] with n at most {BLOCK_SAMPLES}, got {tuple(samples.shape)}")
    filled = pad(samples, (0, BLOCK_SAMPLES - samples.shape[1]))
    loudness = mel_loudness(pad(filled, (WINDOW // 2, WINDOW // 2), mode="reflect"))[..., :-1]
    return scaled(loudness, loudness.amax(dim=(1, 2), keepdim=True))


def mel_loudness(samples: Tensor) -> Tensor:
    """float32 [b, 80, (n - 400) // 160 + 1]: log10 of the power in each band, at least -10.

    samples: float32 [b, n], 16 kHz mono, n at least 400. Column k hears samples 160 k to 160 k + 399.
    """
    window = torch.hann_window(WINDOW, device=samples.device)
    spectrum = torch.stft(samples, WINDOW, HOP, window=window, center=False, return_complex=True)
    mel = torch.as_tensor(mel_filters(), device=samples.device) @ spectrum.abs() ** 2
    return mel.clamp(min=1e-10).log10()


def scaled(loudness: Tensor, loudest: Tensor | float) -> Tensor:
    """`mel_loudness` as Whisper wants it: cut off 8 powers of ten below `loudest`, then (x + 4) / 4."""
    return (loudness.clamp(min=loudest - 8.0) + 4.0) / 4.0


@lru_cache(maxsize=2)
def mel_filters(window: int = WINDOW, lowest: float = 0.0, highest: float = SAMPLE_RATE / 2) -> NDArray[np.float32]:
    """float32 [80, window / 2 + 1]: triangles of equal area from `lowest` to `highest` Hz, evenly spaced on Slaney's
    mel scale, for the spectra of windows of so many samples."""
    corners = _mel_to_hertz(np.linspace(_hertz_to_mel(lowest), _hertz_to_mel(highest), MEL_BANDS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2, window // 2 + 1)
    left, centre, right = (corners[i : i + MEL_BANDS, None] for i in range(3))
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * 2.0 / (right - left)).astype(np.float32)


# Slaney's scale (Auditory Toolbox, 1998): 3 mel to 200 Hz up to 1 kHz, then 27 mel to a factor of 6.4.
_KNEE_HERTZ = 1000.0
_KNEE_MEL = 15.0
_LOG_STEP = np.log(6.4) / 27.0


def _hertz_to_mel(hertz: float) -> float:
    if hertz < _KNEE_HERTZ:
        return hertz * 3.0 / 200.0
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) / _LOG_STEP)


def _mel_to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_HERTZ * np.exp(_LOG_STEP * (np.maximum(mel, _KNEE_MEL) - _KNEE_MEL))
    return np.where(mel < _KNEE_MEL, mel * 200.0 / 3.0, above)
