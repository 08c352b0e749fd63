"""Several speakers in one clip: each was synced on the same pictures, and the results become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.errors import InputError

# Mean difference of pixels outside all masks, 0-1, up to which two results show the same frame. Results of one clip are
# equal there; a lossy codec in between costs about 1/255, another frame of a moving picture more than 2.
SAME_PICTURE = 2 / 255


@dataclass(frozen=True)
class SyncedImages:
    """One speaker's result. images: float32 [N, H, W, 3 or 4], 0-1. mask: float32 [N, H, W], 0 = the source's pixel."""

    images: Tensor
    mask: Tensor


def merge_speakers(results: Sequence[SyncedImages]) -> tuple[Tensor, Tensor]:
    """(images, mask) like the first result's, as many frames as the longest one has.

    Each pixel is that of the result with the largest mask there, of the first among equals: exactly the first one's
    wherever no other mask is above 0. The masks are united. Where a result has ended, the others go on: all lay the
    source's frames out in the same order, so they show what whoever has ended looks like in the source. Raises
    InputError for results that are not of one clip, or not laid out alike.
    """
    _check(results)
    longest = max(results, key=lambda result: len(result.images))
    images, masks = torch.empty_like(longest.images), torch.empty_like(longest.mask)
    done = 0
    for number, result in enumerate(results, start=1):
        images[done : len(result.images)], masks[done : len(result.mask)] = result.images[done:], result.mask[done:]
        for frame in range(min(done, len(result.images))):
            pixels, mask = result.images[frame].to(images), result.mask[frame].to(masks)
            _check_same_picture(images[frame], pixels, (masks[frame] == 0) & (mask == 0), f"images_{number}", frame)
            stronger = mask > masks[frame]
            images[frame][stronger] = pixels[stronger]
            masks[frame][stronger] = mask[stronger]
        done = max(done, len(result.images))
    return images, masks


def _check(results: Sequence[SyncedImages]) -> None:
    first = results[0].images.shape[1:]
    for number, result in enumerate(results, start=1):
        images, mask = result.images.shape, result.mask.shape
        if mask != images[:3]:
            raise InputError(
                expected=f"mask_{number} as large as images_{number}: {list(images[:3])}",
                got=str(list(mask)),
                next_step="Connect the images and the mask of the same sampler.",
            )
        if images[1:] != first:
            raise InputError(
                expected=f"images_{number} of the same size as images_1: {list(first)}",
                got=str(list(images[1:])),
                next_step="Sync every speaker on the same images.",
            )


def _check_same_picture(known: Tensor, pixels: Tensor, free: Tensor, name: str, frame: int) -> None:
    """free: bool [H, W], outside all masks."""
    if (known - pixels).abs_()[free].mean() > SAME_PICTURE:  # NaN, when nothing is free, is not
        raise InputError(
            expected=f"{name} to show the same source frames as images_1, in the same order",
            got=f"another picture in frame {frame}",
            next_step="Sync every speaker on the same images, with the same fps, audio_longer and video_longer.",
        )
