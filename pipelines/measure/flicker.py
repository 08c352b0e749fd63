"""Whether the mouth flickers: brightness that goes up and down from frame to frame."""

from __future__ import annotations

from collections import deque

import numpy as np
from PIL import Image

from .regions import Floats

_CELLS = 8  # across and down: flicker is of areas; what moves is mostly finer
_STILL = 0.05  # levels of 255; below, the source does not change and a ratio says nothing


class Flicker:
    """The root mean square of b[t-1] - 2 b[t] + b[t+1] over 2, b being the brightness of 8 x 8 cells of the mouth.

    The second difference is 0 for a mouth that stays or changes evenly; brightness that alternates by +-a gives 2 a.
    In levels of 255. Speech itself makes some, so a result that speaks has more than a source that does not.
    """

    def __init__(self) -> None:
        self._held: deque[tuple[Floats, Floats]] = deque(maxlen=3)
        self._sums, self._count = np.zeros(2), 0

    def add(self, result: Floats, source: Floats) -> None:
        """The next frame's mouth: luma [h, w], 0-255, of both."""
        self._held.append((_cells(result), _cells(source)))
        if len(self._held) == 3:
            before, now, after = (np.stack(pair) for pair in self._held)
            self._sums += np.square((before - 2 * now + after) / 2).mean(axis=(1, 2))
            self._count += 1

    def interrupt(self) -> None:
        """The next frame does not follow the last one: a cut, or no face in between."""
        self._held.clear()

    def numbers(self) -> dict[str, float | None]:
        """result, source (levels of 255) and their ratio, None where the source stands still."""
        if not self._count:
            return {"result": None, "source": None, "ratio": None}
        result, source = np.sqrt(self._sums / self._count).tolist()
        return {"result": result, "source": source, "ratio": result / source if source >= _STILL else None}


def _cells(luma: Floats) -> Floats:
    small = Image.fromarray(np.ascontiguousarray(luma)).resize((_CELLS, _CELLS), Image.Resampling.BOX)
    return np.asarray(small, np.float32)
