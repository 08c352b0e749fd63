"""Nothing outside the mask ever changes; what is off changes nothing; shots never mix."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.compositor import BlendSettings, Compositor
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.blending.paste import mask_frame, paste
from lipsync_studio.pipelines.blending.scene import Patch
from lipsync_studio.pipelines.blending.shapes import ExternalMask, LandmarkShape, MaskShape
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from portrait_scene import FACE, portrait, scene
from torch import Tensor

EVERYTHING = BlendSettings(steady=0.6, colour=1, sharpness=1)


def cast(crops: Tensor) -> Tensor:
    """Bluish and dark, and another mouth."""
    painted = crops * torch.tensor([0.85, 0.95, 1.1])
    painted[:, 150:200, 80:170] *= 0.6
    return painted


def strip(y: int) -> ExternalMask:
    """White from row `y` of the portrait on."""
    mask = torch.zeros(1, 512, 512)
    mask[:, y:] = 1
    return ExternalMask(mask)


def test_with_everything_off_it_is_the_masks_over_the_painted_crops() -> None:
    shown = scene(cast, indices=(4, 5, 5, 4))
    patches = Compositor(LandmarkShape(), BlendSettings()).blend(shown)
    masks = lower_face_mask(shown.landmarks, 256, MaskSettings())
    for patch, face, mask in zip(patches, shown.painted, masks, strict=True):
        assert patch.rect == FACE
        assert torch.equal(patch.face, face)
        assert torch.equal(patch.mask, mask)


rects = st.builds(
    lambda x, y, w, h: Rect(x, y, x + w, y + h),
    st.integers(-40, 90),
    st.integers(-40, 90),
    st.integers(1, 120),
    st.integers(1, 120),
)
shares = st.sampled_from([0.0, 0.3, 1.0])


@given(
    rects,
    st.sampled_from([8, 40, 256]),
    st.builds(MaskSettings, st.floats(0, 0.25), st.floats(0, 0.25), st.floats(0, 0.25)),
    st.tuples(shares, shares, shares),
    st.booleans(),
    st.booleans(),
    shares,
)
@settings(max_examples=60, deadline=None)
def test_outside_the_mask_nothing_changes(
    rect: Rect,
    side: int,
    mask: MaskSettings,
    strengths: tuple[float, float, float],
    external: bool,
    occluded: bool,
    amount: float,
) -> None:
    pixels = torch.rand(80, 100, 3, generator=torch.Generator().manual_seed(2))
    some = torch.rand(1, 80, 100, generator=torch.Generator().manual_seed(3))
    shape: MaskShape = ExternalMask(some) if external else LandmarkShape()
    occluders = ExternalMask((some > 0.7).float()) if occluded else None
    compositor = Compositor(shape, BlendSettings(mask, *strengths), occluders)
    shown = scene(lambda crops: crops.flip(2) * 0.7, rect=rect, side=side, amount=amount, pixels=pixels)
    for picture, patch in zip(shown.pictures, compositor.blend(shown), strict=True):
        kept = mask_frame(80, 100, patch.rect, patch.mask) == 0
        result = paste(picture, patch.rect, patch.face, patch.mask).crop(Rect(0, 0, 100, 80))
        assert torch.equal(result[kept], pixels[kept])
        assert torch.isfinite(result).all()
        assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_what_is_painted_is_never_written_to() -> None:
    shown = scene(cast)
    before, crops = shown.painted.clone(), shown.crops.clone()
    Compositor(LandmarkShape(), EVERYTHING, strip(180)).blend(shown)
    assert torch.equal(shown.painted, before)
    assert torch.equal(shown.crops, crops)


def test_the_amount_fades_the_mask() -> None:
    full, some, none = (
        Compositor(LandmarkShape(), BlendSettings()).blend(scene(cast, amount=amount))[0].mask
        for amount in (1.0, 0.25, 0.0)
    )
    torch.testing.assert_close(some, full * 0.25)
    assert not none.any()


def test_what_is_in_front_of_the_mouth_keeps_its_pixels() -> None:
    patch = Compositor(LandmarkShape(), BlendSettings(), strip(150)).blend(scene(cast))[0]
    free = Compositor(LandmarkShape(), BlendSettings()).blend(scene(cast))[0]
    result = paste(ImagePicture(portrait()), patch.rect, patch.face, patch.mask).crop(Rect(0, 0, 512, 512))
    assert torch.equal(result[150:], portrait()[150:])
    above = mask_frame(512, 512, patch.rect, patch.mask)[:144]
    assert above.max() > 0.99
    torch.testing.assert_close(above, mask_frame(512, 512, free.rect, free.mask)[:144])


def test_occluders_do_not_lag() -> None:
    """They move fast; a mask that follows them slowly would show the painted mouth on a hand."""
    batch = torch.zeros(6, 512, 512)
    batch[3:, 150:] = 1
    steady = Compositor(LandmarkShape(), BlendSettings(steady=1), ExternalMask(batch))
    patches = steady.blend(scene(cast, indices=range(6)))
    covered = [float(mask_frame(512, 512, p.rect, p.mask)[152:].max()) for p in patches]
    assert covered == [pytest.approx(1)] * 3 + [0] * 3


def test_occluders_fit_masks_of_any_size() -> None:
    class Boxes(LandmarkShape):
        """Masks in pixels of the picture, as the parser's are."""

        def draw(self, scene: object, settings: MaskSettings) -> tuple[Tensor, ...]:
            return (torch.ones(FACE.height, FACE.width),) * 3

    patch = Compositor(Boxes(), BlendSettings(), strip(150)).blend(scene())[0]
    assert patch.mask.shape == (FACE.height, FACE.width)
    assert not patch.mask[150 - FACE.y0 :].any()
    assert patch.mask[: 140 - FACE.y0].min() == 1


def dark(crops: Tensor) -> Tensor:
    return crops * 0.8


def bright(crops: Tensor) -> Tensor:
    return crops * 1.1


@pytest.mark.parametrize(
    ("shot", "indices", "forgets"),
    [
        (0, (3, 4), False),
        (0, (2, 1), False),  # ping-pong turns round
        (0, (1, 0), False),
        (1, (3, 4), True),
        (0, (5, 6), True),
        (0, (9, 10), True),
        (0, (0, 1), True),
    ],
)
def test_only_the_same_shot_is_remembered(shot: int, indices: tuple[int, ...], forgets: bool) -> None:
    used = Compositor(LandmarkShape(), EVERYTHING)
    used.blend(scene(dark, indices=(0, 1, 2)))
    after = used.blend(scene(bright, indices=indices, shot=shot))
    fresh = Compositor(LandmarkShape(), EVERYTHING).blend(scene(bright, indices=indices, shot=shot))
    assert all(torch.equal(a.face, b.face) for a, b in zip(after, fresh, strict=True)) == forgets


def seam_tone(patch: Patch) -> float:
    seam = (patch.mask > 0.1) & (patch.mask < 0.9)
    return float(patch.face[seam].mean())


def test_colours_do_not_jump_between_blocks() -> None:
    """The second block asks for another correction; its first frame still has nearly the one before."""
    compositor = Compositor(LandmarkShape(), BlendSettings(colour=1))
    first = compositor.blend(scene(dark, indices=range(8)))
    second = compositor.blend(scene(lambda crops: crops * 0.7, indices=range(8, 16)))
    tones = [seam_tone(patch) for patch in first + second]
    assert max(tones[:8]) == pytest.approx(min(tones[:8]), abs=1e-4)
    wanted = seam_tone(replace(first[0], face=scene().crops[0]))
    assert tones[0] == pytest.approx(wanted, abs=0.01)
    left = wanted - np.array(tones[8:])  # the second block starts with the gain of the first and closes in on its own
    assert (np.diff(left) < 0).all()
    assert np.abs(np.diff(tones[8:])).max() < 0.25 * left[0] + 1e-3


@pytest.mark.parametrize("name", ["steady", "colour", "sharpness"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        BlendSettings(**{name: value})
