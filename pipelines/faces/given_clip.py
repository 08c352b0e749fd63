"""Whether what another node found belongs to this clip, and how its pixels become the clip's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

# Pictures whose sides differ in proportion by more than this part were cropped or padded, not scaled.
_SAME_SHAPE = 0.01


@dataclass(frozen=True)
class Clip:
    """The clip that values are given for. width, height: px."""

    frames: int
    width: int
    height: int

    def check_frames(self, given: int, kind: str) -> None:
        """Raise InputError unless `kind` was given for as many frames as the clip has."""
        if given != self.frames:
            raise InputError(
                expected=f"{kind} of this very clip, which has {_frames(self.frames)}",
                got=f"{kind} of {_frames(given)}",
                next_step="Connect the same images or video to the node that finds the faces and to this one.",
            )

    def scale_from(self, width: float, height: float, kind: str) -> NDArray[np.float32]:
        """float32 [2]: the factors, across and down, from pixels of a `width` x `height` picture to the clip's.

        Raises InputError when that picture has another shape, since then nobody knows what was cut off or added.
        """
        alike = abs(self.width * height - self.height * width) <= _SAME_SHAPE * self.width * height
        if not alike or width <= 0 or height <= 0:  # NaN is not alike
            raise InputError(
                expected=f"{kind} found in pictures of the clip's shape ({self.width}x{self.height}, or scaled)",
                got=f"{kind} found in pictures of {width:g}x{height:g}",
                next_step="Find the faces in the clip itself, not in a cropped or padded copy of it.",
            )
        return np.array([self.width / width, self.height / height], np.float32)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
