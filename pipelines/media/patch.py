"""What every picture does with a patch before it blends."""

from __future__ import annotations

from torch import Tensor

from ..core.types import Rect


def inside_picture(
    rect: Rect, rgb: Tensor, mask: Tensor, width: int, height: int
) -> tuple[Rect, Tensor, Tensor] | None:
    """The part of a patch that lies in a picture of `width` x `height`; None where it lies beside it.

    rgb: float32 [rect.height, rect.width, 3]. mask: float32 [rect.height, rect.width]. Raises ValueError when they
    do not fit `rect`.
    """
    if rgb.shape != (rect.height, rect.width, 3) or mask.shape != (rect.height, rect.width):
        raise ValueError(f"a patch for {rect} cannot have {tuple(rgb.shape) = } and {tuple(mask.shape) = }")
    x0, y0, x1, y1 = max(rect.x0, 0), max(rect.y0, 0), min(rect.x1, width), min(rect.y1, height)
    if x0 >= x1 or y0 >= y1:
        return None
    part = slice(y0 - rect.y0, y1 - rect.y0), slice(x0 - rect.x0, x1 - rect.x0)
    return Rect(x0, y0, x1, y1), rgb[part], mask[part]
