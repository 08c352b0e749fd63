"""Where somebody may be speaking, told from the loudness, for as long a sound as there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..listener import Sound

RATE: Final = 16_000
POINTS_PER_SECOND: Final = 100

_HOP = RATE // POINTS_PER_SECOND
_WINDOW = 400
_BLOCK = 3000  # points that are computed at once
_NEAR = 1000  # points that share a threshold, made from them and as many to each side
_SPEECH = (150.0, 6000.0)  # Hz

# Seconds.
_AVERAGED = 0.1  # evens out noise, and is shorter than a syllable
_SHORTEST_PAUSE = 0.5
_MARGIN = 0.15  # soft beginnings and ends of words are below the threshold

# dB.
_FAINTEST = -90.0  # below full scale: 16 bits hold little that is softer
_ABOVE_NOISE = 3.0
_BELOW_SPEECH = (10.0, 40.0)  # the threshold lies so far below the speech, at least and at most
_STEADY = 12.0  # what varies less than this, noise to speech, may be speech all along


class Voice:
    """What of a sound may be speech, and how loud it is.

    level: float32 [points], dB of full scale between 150 Hz and 6 kHz, 100 points a second. spans: float64 [k, 2],
    seconds from and to which somebody may be speaking, in order, at least half a second apart.
    """

    def __init__(self, sound: Sound, everywhere: bool = False) -> None:
        """everywhere: take the whole sound for speech, as in songs: music does not pause."""
        self.level = np.concatenate([np.zeros(0, np.float32), *_levels(sound)])
        whole = np.array([[0.0, len(sound) / RATE]])
        self.spans = whole if everywhere else _spans(self.level, len(sound) / RATE)

    def next_start(self, seconds: float) -> float:
        """The first moment from `seconds` on at which somebody may be speaking; infinity when nobody does."""
        later = self.spans[self.spans[:, 1] > seconds]
        return float(max(later[0, 0], seconds)) if len(later) else np.inf

    def heard(self, start: float, end: float) -> float:
        """Seconds between `start` and `end` in which somebody may be speaking."""
        overlaps = np.minimum(self.spans[:, 1], end) - np.maximum(self.spans[:, 0], start)
        return float(overlaps.clip(min=0).sum())

    def pause_between(self, start: float, end: float) -> float | None:
        """The middle of the longest silence between `start` and `end`, or None when there is none."""
        gaps = np.stack([np.r_[0.0, self.spans[:, 1]], np.r_[self.spans[:, 0], np.inf]], axis=1).clip(start, end)
        lengths = gaps[:, 1] - gaps[:, 0]
        longest = int(lengths.argmax())
        return float(gaps[longest].mean()) if lengths[longest] > 0 else None


def _levels(sound: Sound) -> Iterator[NDArray[np.float32]]:
    for first in range(0, -(-len(sound) // _HOP), _BLOCK):
        count = min(_BLOCK, -(-len(sound) // _HOP) - first)
        start = first * _HOP - _WINDOW // 2
        samples = sound.read(start, start + (count - 1) * _HOP + _WINDOW)
        pieces = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
        spectrum = np.fft.rfft(pieces * np.hanning(_WINDOW).astype(np.float32), axis=1)
        frequencies = np.fft.rfftfreq(_WINDOW, 1 / RATE)
        band = spectrum[:, (frequencies >= _SPEECH[0]) & (frequencies <= _SPEECH[1])]
        power = (np.abs(band) ** 2).sum(axis=1) * (2 / (_WINDOW * np.square(np.hanning(_WINDOW)).sum()))
        yield (10 * np.log10(power + 10 ** (_FAINTEST / 10))).astype(np.float32)


def _spans(level: NDArray[np.float32], duration: float) -> NDArray[np.float64]:
    """Louder than the threshold, with the margin around it; shorter pauses than `_SHORTEST_PAUSE` do not count."""
    from scipy.ndimage import uniform_filter1d

    smooth = uniform_filter1d(level, round(_AVERAGED * POINTS_PER_SECOND), mode="nearest")
    loud = smooth > _thresholds(smooth)
    edges = np.flatnonzero(np.diff(loud, prepend=False, append=False)).reshape(-1, 2) / POINTS_PER_SECOND
    if len(edges) == 0:
        return np.zeros((0, 2))
    grown = (edges + np.array([-_MARGIN, _MARGIN])).clip(0, duration)
    apart = np.flatnonzero(grown[1:, 0] - grown[:-1, 1] >= _SHORTEST_PAUSE)
    return np.stack([grown[np.r_[0, apart + 1], 0], grown[np.r_[apart, -1], 1]], axis=1)


def _thresholds(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """dB at each point: lower where somebody speaks softly than where somebody else is loud."""
    whole = _threshold(level)
    thresholds = np.full_like(level, np.inf if whole is None else whole)
    for first in range(0, len(level), _NEAR):
        near = _threshold(level[max(first - _NEAR, 0) : first + 2 * _NEAR])
        here = thresholds[first : first + _NEAR]
        np.minimum(here, np.inf if near is None else near, out=here)
    if whole is None and (level > _FAINTEST + 3).any():  # noise or speech all along, and no telling which
        thresholds = thresholds.clip(max=_FAINTEST + 3)
    return thresholds


def _threshold(level: NDArray[np.float32]) -> float | None:
    """dB: between the noise and the speech; None where the two cannot be told apart."""
    recorded = level[level > _FAINTEST + 3]
    if len(recorded) == 0:
        return None
    noise, speech = np.percentile(recorded, (10, 95))
    if speech - noise < _STEADY:
        return None
    return float(np.clip(noise + _ABOVE_NOISE, speech - _BELOW_SPEECH[1], speech - _BELOW_SPEECH[0]))
