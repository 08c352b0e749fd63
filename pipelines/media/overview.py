"""What an input file holds, told before a run and without holding it in memory."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..core.errors import MediaError
from .container import Source, audio_stream, name_of, opened
from .sound import samples

BLOCK: Final = 64  # samples; an hour at 48 kHz makes 2.7 million blocks of 4 bytes


@dataclass(frozen=True)
class SoundOverview:
    """rate: Hz. seconds: of the first sound stream. loudest: float32 [n], 0-1, of equal parts of it, in order."""

    rate: int
    seconds: float
    loudest: NDArray[np.float32]


def sound_overview(source: Source, parts: int) -> SoundOverview:
    """Decode the sound once; fewer parts where it is too short. Raises MediaError when there is none."""
    with opened(source) as container:
        stream = audio_stream(container)
        blocks: list[NDArray[np.float32]] = []
        total = 0
        if stream is not None:
            for piece in samples(container, stream, Fraction(0), None):
                total += piece.shape[1]
                starts = np.arange(0, piece.shape[1], BLOCK)
                blocks.append(np.maximum.reduceat(np.abs(piece).max(axis=0), starts).astype(np.float32))
        if stream is None or not blocks:
            raise MediaError(
                expected="a file with sound",
                got=f"{name_of(source)}, which has none",
                next_step="Choose another file.",
            )
        loudest = np.concatenate(blocks).clip(0, 1)
        begins = np.unique(np.linspace(0, len(loudest), parts, endpoint=False, dtype=np.int64))
        return SoundOverview(stream.rate, total / stream.rate, np.maximum.reduceat(loudest, begins))
