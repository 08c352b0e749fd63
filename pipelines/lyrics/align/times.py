"""Times of many words as arrays, some of them unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Times:
    """Of each known word: starts, ends float64 [words] in seconds, NaN where unknown; confidence float64 [words], 0-1,
    0 where unknown.
    """

    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    confidence: NDArray[np.float64]

    @classmethod
    def unknown(cls, words: int) -> Times:
        """Nothing known of `words` words."""
        return cls(np.full(words, np.nan), np.full(words, np.nan), np.zeros(words))

    @property
    def known(self) -> NDArray[np.bool_]:
        """bool [words]"""
        return ~np.isnan(self.starts)

    def take(self, source: Times, words: NDArray[np.intp]) -> None:
        """Write here what `source` says of `words`."""
        self.starts[words], self.ends[words] = source.starts[words], source.ends[words]
        self.confidence[words] = source.confidence[words]
