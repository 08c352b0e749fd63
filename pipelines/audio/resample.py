"""A clip as mono at another sample rate, read piece by piece."""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

from ..core.types import AudioClip

WHISPER_RATE = 16_000

# A Kaiser-windowed sinc: 32 zero crossings to each side, about 100 dB down in the stop band, -6 dB at 0.96 of the
# lower Nyquist frequency. Kaiser & Schafer (1980) give beta = 0.1102 * (dB - 8.7).
_ZERO_CROSSINGS = 32
_KAISER_BETA = 10.0
_ROLL_OFF = 0.96


class MonoReader:
    """`clip` as mono at `rate` Hz; only the piece asked for is ever made, so an hour costs no second copy.

    Pieces fit together: reading in blocks gives the samples that one reading of the whole gives (up to float32
    rounding). Channels are averaged.
    """

    def __init__(self, clip: AudioClip, rate: int = WHISPER_RATE) -> None:
        common = gcd(clip.rate, rate)
        self._clip = clip
        self._up, self._down = rate // common, clip.rate // common
        self._taps = _low_pass(max(self._up, self._down)) if clip.rate != rate else None
        # How far the filter reaches to each side, in samples of the clip.
        self._reach = ceil(_ZERO_CROSSINGS * max(self._up, self._down) / self._up)

    def __len__(self) -> int:
        """Samples at the new rate: the clip's duration, rounded up."""
        return ceil(self._clip.samples.shape[1] * self._up / self._down)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [stop - start]: samples `start` to `stop` at the new rate, zeros where the clip has none."""
        piece = np.zeros(stop - start, dtype=np.float32)
        first, last = max(start, 0), min(stop, len(self))
        if first < last:
            piece[first - start : last - start] = self._inside(first, last)
        return piece

    def _inside(self, start: int, stop: int) -> NDArray[np.float32]:
        if self._taps is None:
            return self._mono(start, stop)
        from scipy.signal import resample_poly  # slow to import, and not needed by clips that have the rate already

        # Every `up` new samples coincide with a sample of the clip: begin at such a place, `reach` or more before.
        cycle = max(0, start // self._up - ceil(self._reach / self._down))
        heard = self._mono(cycle * self._down, ceil(stop * self._down / self._up) + self._reach + 1)
        offset = cycle * self._up
        return resample_poly(heard, self._up, self._down, window=self._taps)[start - offset : stop - offset]

    def _mono(self, start: int, stop: int) -> NDArray[np.float32]:
        return self._clip.samples[:, start:stop].mean(axis=0, dtype=np.float32)


def _low_pass(steepness: int) -> NDArray[np.float32]:
    """The anti-aliasing filter's taps at `steepness` times the lower rate."""
    from scipy.signal import firwin

    taps = firwin(2 * _ZERO_CROSSINGS * steepness + 1, _ROLL_OFF / steepness, window=("kaiser", _KAISER_BETA))
    return taps.astype(np.float32)
