"""Masks come from the landmarks or from the user; what does not fit the clip is refused with the way out."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.blending.shapes import ExternalMask, LandmarkShape
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import Rect
from portrait_scene import FACE, scene
from torch import Tensor

HARD = MaskSettings(grow=0, feather=0, inset=0)


def spot(x: int, y: int, size: int = 12) -> Tensor:
    """[1, 512, 512]: a white square in a black mask of the portrait."""
    mask = torch.zeros(1, 512, 512)
    mask[:, y : y + size, x : x + size] = 1
    return mask


def test_the_landmarks_outline_the_lower_face() -> None:
    shown = scene()
    drawn = LandmarkShape().draw(shown, MaskSettings())
    for mask, expected in zip(drawn, lower_face_mask(shown.landmarks, 256, MaskSettings()), strict=True):
        assert torch.equal(mask, expected)


def test_a_single_mask_serves_every_frame() -> None:
    masks = ExternalMask(spot(FACE.x0 + 24, FACE.y0 + 58)).draw(scene(indices=(7, 8, 8, 7)), HARD)
    assert len(masks) == 4
    for mask in masks:
        assert torch.equal(mask, masks[0])
        assert mask[140, 80] == 1  # 24-36 of 96 px and 58-70 of 116 px, at 256 px
        assert mask[100, 80] == mask[140, 40] == mask[140, 120] == 0


def test_masks_are_looked_up_by_source_frame() -> None:
    batch = torch.cat([torch.zeros(1, 512, 512), spot(200, 120), torch.ones(1, 512, 512)])
    masks = ExternalMask(batch).draw(scene(indices=(2, 1, 0, 0, 1)), HARD)
    shares = [float(mask.mean()) for mask in masks]
    assert shares[0] > 0.98  # all but its border
    assert shares[2] == shares[3] == 0
    assert shares[1] == shares[4] == pytest.approx(12 * 12 / (96 * 116), rel=0.2)


@pytest.mark.parametrize("rect", [Rect(-60, -60, 40, 40), Rect(480, 200, 600, 300), Rect(600, 600, 700, 700)])
def test_outside_the_picture_nothing_is_replaced(rect: Rect) -> None:
    mask = ExternalMask(torch.ones(1, 512, 512)).draw(scene(rect=rect, indices=(0,)), HARD)[0]
    middles = (torch.arange(256) + 0.5) / 256
    across, down = rect.x0 + middles * rect.width, rect.y0 + middles * rect.height
    # How far each pixel lies inside the picture, in pixels of the picture. Scaling blurs by one.
    depth = torch.minimum(torch.minimum(across, 512 - across)[None], torch.minimum(down, 512 - down)[:, None])[
        1:-1, 1:-1
    ]
    assert not mask[1:-1, 1:-1][depth < -1.5].any()
    assert (mask[1:-1, 1:-1][depth > 1.5] == 1).all()


def test_grow_and_feather_apply() -> None:
    external = ExternalMask(spot(FACE.x0 + 40, FACE.y0 + 50))
    hard, grown, soft = (
        external.draw(scene(indices=(0,)), MaskSettings(grow, feather, 0))[0]
        for grow, feather in ((0, 0), (0.05, 0), (0.05, 0.1))
    )
    assert float((grown == 1).sum()) > 2 * float((hard == 1).sum())
    assert ((soft > 0.02) & (soft < 0.98)).sum() > 2 * ((grown > 0.02) & (grown < 0.98)).sum()


@given(st.floats(0, 0.25), st.floats(0, 0.25), st.floats(0.004, 0.25), st.sampled_from([32, 100, 256, 300]))
@settings(max_examples=25, deadline=None)
def test_the_crops_border_is_never_touched(grow: float, feather: float, inset: float, side: int) -> None:
    masks = ExternalMask(torch.full((1, 512, 512), 2.0)).draw(
        scene(side=side, indices=(0,)), MaskSettings(grow, feather, inset)
    )
    assert masks[0].shape == (min(side, 256),) * 2
    assert 0 <= float(masks[0].min()) <= float(masks[0].max()) <= 1
    for edge in (masks[0][0], masks[0][-1], masks[0][:, 0], masks[0][:, -1]):
        assert not edge.any()


@pytest.mark.parametrize(
    ("shape", "got"),
    [
        ((3, 512, 512), "3 of 512x512"),
        ((1, 256, 512), "1 of 512x256"),
        ((10, 512, 500), "10 of 500x512"),
        ((0, 512, 512), "0 of 512x512"),
        ((512, 512), "shape"),
        ((1, 512, 512, 1), "shape"),
    ],
)
def test_masks_of_another_clip_are_refused(shape: tuple[int, ...], got: str) -> None:
    with pytest.raises(InputError, match=got) as refused:
        ExternalMask(torch.zeros(shape)).check(10, 512, 512)
    assert "10 masks" in refused.value.expected


@pytest.mark.parametrize("count", [1, 10])
def test_masks_of_this_clip_are_taken(count: int) -> None:
    ExternalMask(torch.zeros(count, 512, 512)).check(10, 512, 512)
    LandmarkShape().check(10, 512, 512)


def test_half_floats_are_masks_too() -> None:
    shown = scene(indices=(0,))
    halves = ExternalMask(spot(200, 120).half()).draw(shown, HARD)[0]
    assert torch.equal(halves, ExternalMask(spot(200, 120)).draw(shown, HARD)[0])


def test_a_scene_is_checked() -> None:
    good = scene()
    for wrong in (
        {"indices": good.indices * 2},
        {"indices": good.indices[:2]},
        {"painted": good.painted.double()},
        {"painted": good.painted[:, :100]},
        {"crops": good.crops[..., :2]},
        {"landmarks": good.landmarks[:, :60]},
        {"amount": good.amount + 0.1},
        {"amount": good.amount[:1]},
        {"rects": good.rects[:1]},
    ):
        with pytest.raises(ValueError):  # noqa: PT011
            replace(good, **wrong)
