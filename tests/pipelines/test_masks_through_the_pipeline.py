"""Masks and blend settings through the whole pipeline: what is replaced, and what stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from lipsync_studio.pipelines.blending.compositor import BlendSettings
from lipsync_studio.pipelines.blending.masks import MaskSettings
from lipsync_studio.pipelines.blending.shapes import ExternalMask
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.plan import LipSyncSettings
from stamp_engine import HEIGHT, WIDTH, StampEngine, clip_of, faces_at, stamp, tone
from torch import Tensor


class FineEngine(StampEngine):
    """Works at the side of most real engines, so that masks are drawn finely."""

    spec = replace(StampEngine.spec, crop_sides=(256,))


def synced(count: int, sync: LipSyncSettings, seconds: float | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """(source, images, masks), frame by frame, of a clip with the face in every frame."""
    clip, sound = clip_of(count), tone(seconds or count / 25)
    images, masks, report = lip_sync_images(clip, faces_at([True] * count), sound, FineEngine(), sync, PlainHost())
    source = clip.images[torch.from_numpy(report.timeline.source)]
    assert torch.equal(images[masks == 0], source[masks == 0])
    return source, images, masks


HARD = BlendSettings(MaskSettings(grow=0, feather=0, inset=0))
MOUTH = (slice(42, 50), slice(24, 40))  # rows and columns of the picture, well inside the crop


def white(count: int, *frames: int) -> ExternalMask:
    """`count` masks, white at MOUTH in the given ones."""
    masks = torch.zeros(count, HEIGHT, WIDTH)
    for frame in frames:
        masks[frame][MOUTH] = 1
    return ExternalMask(masks)


def test_a_mask_of_the_users_is_replaced_and_nothing_else() -> None:
    _, images, masks = synced(3, LipSyncSettings(shape=white(1, 0), blend=HARD))
    for index in range(3):
        inside = images[index][43:49, 25:39]
        assert torch.allclose(inside, torch.full_like(inside, stamp(index)), atol=1e-3)
    masks[:, 40:52, 22:42] = 0  # scaling makes an edge of a pixel or two
    assert not masks.any()


def test_masks_go_with_the_source_frame_also_backwards() -> None:
    """The clip is played forth and back, and only the mask of frame 1 is not empty."""
    settings = LipSyncSettings(shape=white(3, 1), blend=HARD)
    _, _, masks = synced(3, settings, seconds=0.24)
    assert masks.amax(dim=(1, 2)).tolist() == pytest.approx([0, 1, 0, 0, 1, 0])


def test_what_is_in_front_of_the_mouth_stays() -> None:
    source, images, masks = synced(3, LipSyncSettings(occluders=white(3, 1)))
    assert torch.equal(images[1][MOUTH], source[1][MOUTH])
    assert not masks[1][MOUTH].any()
    assert masks[[0, 2]].amax(dim=(1, 2)).tolist() == pytest.approx([1, 1])
    assert (masks[0][MOUTH] > 0.9).all()
    assert masks[1].any(), "beside it the mouth is painted"


def test_the_blend_settings_reach_the_result() -> None:
    def run(**changes: float) -> tuple[Tensor, Tensor]:
        return synced(4, LipSyncSettings(blend=replace(BlendSettings(), **changes)))[1:]

    images, masks = run()
    wider = synced(4, LipSyncSettings(blend=BlendSettings(MaskSettings(grow=0.2))))[2]
    assert (wider > 0).sum() > 1.05 * (masks > 0).sum()
    for changes in ({"colour": 1.0}, {"sharpness": 1.0}):
        matched, same = run(**changes)
        assert torch.equal(same, masks)
        assert torch.equal(matched[masks == 0], images[masks == 0])
    coloured, _ = run(colour=1.0)
    assert not torch.allclose(coloured, images, atol=0.01)
    moving = white(4, 0, 1)
    steady = synced(4, LipSyncSettings(shape=moving, blend=replace(HARD, steady=1.0)))[2]
    assert steady.amax(dim=(1, 2)).tolist() == pytest.approx([1, 1, 0.9, 0.81], abs=1e-3)


@pytest.mark.parametrize("name", ["shape", "occluders"])
@pytest.mark.parametrize("size", [(2, HEIGHT, WIDTH), (1, HEIGHT, WIDTH + 1), (1, 64, 64)])
def test_masks_that_do_not_fit_are_refused_before_anything_is_painted(name: str, size: tuple[int, ...]) -> None:
    engine, mask = StampEngine(), ExternalMask(torch.ones(size))
    with pytest.raises(InputError, match=rf"one mask or 4 masks .* of {WIDTH}x{HEIGHT}; got {size[0]} of {size[2]}x"):
        lip_sync_images(
            clip_of(4), faces_at([True] * 4), tone(0.16), engine, LipSyncSettings(**{name: mask}), PlainHost()
        )
    assert not engine.batches


def test_a_single_frame_with_everything_on() -> None:
    everything = BlendSettings(steady=1, colour=1, sharpness=1)
    _, images, masks = synced(1, LipSyncSettings(blend=everything, occluders=white(1)), seconds=0.4)
    assert len(images) == 10
    assert torch.isfinite(images).all()
    assert (masks.amax(dim=(1, 2)) > 0.99).all()
