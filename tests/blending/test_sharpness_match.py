"""What is painted too soft is sharpened as far as the picture around it is sharp, and never beyond the bound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.blending.scene import Scene
from lipsync_studio.pipelines.blending.sharpness_match import SHARPEST, SharpnessMatch, sharpened
from portrait_scene import CLOSE_UP, portrait, scene
from scipy import ndimage
from torch import Tensor


def blurred(rgb: Tensor, sigma: float) -> Tensor:
    return torch.from_numpy(ndimage.gaussian_filter(rgb.numpy(), (0, sigma, sigma, 0)))


def match(shown: Scene, strength: float = 1.0) -> tuple[Tensor, Tensor]:
    """The matched faces, and where they are pasted in full: bool [S, S]."""
    masks = lower_face_mask(shown.landmarks, shown.side, MaskSettings())
    return SharpnessMatch(strength).match(shown, shown.painted, tuple(masks)), masks[0] > 0.95


def detail(rgb: Tensor, where: Tensor) -> float:
    """Root mean square of what a blur of 1 px takes away."""
    luma = rgb.numpy().mean(axis=-1)
    return float(np.sqrt(((luma - ndimage.gaussian_filter(luma, 1.0))[where.numpy()] ** 2).mean()))


@pytest.mark.parametrize(
    ("sigma", "soft", "least"), [(0.4, 0.92, 0.95), (0.6, 0.75, 0.9), (0.8, 0.6, 0.85), (1, 0.5, 0.7)]
)
def test_a_blurred_mouth_gets_its_detail_back(sigma: float, soft: float, least: float) -> None:
    """Up to a standard deviation of 0.8 px within 15 %; beyond that the bound holds."""
    shown = scene(lambda crops: blurred(crops, sigma), rect=CLOSE_UP)
    faces, mouth = match(shown)
    wanted = detail(shown.crops[0], mouth)
    assert detail(shown.painted[0], mouth) / wanted < soft
    assert least < detail(faces[0], mouth) / wanted < 1.1


def test_what_is_as_sharp_as_the_picture_is_left_alone() -> None:
    shown = scene(rect=CLOSE_UP)
    assert torch.equal(match(shown)[0], shown.painted)


def test_what_is_too_sharp_is_softened() -> None:
    shown = scene(lambda crops: crops + 0.8 * (crops - blurred(crops, 1.0)), rect=CLOSE_UP)
    faces, mouth = match(shown)
    wanted = detail(shown.crops[0], mouth)
    assert detail(shown.painted[0], mouth) / wanted > 1.3
    assert detail(faces[0], mouth) / wanted == pytest.approx(1, abs=0.1)


def test_grain_in_the_picture_is_no_sharpness() -> None:
    """The painted face has none of it. Without that, it would be sharpened to the bound for nothing."""
    grain = 0.04 * torch.randn(512, 512, 1, generator=torch.Generator().manual_seed(5))
    shown = scene(rect=CLOSE_UP, pixels=(portrait() + grain).clamp(0, 1))
    clean = scene(lambda crops: blurred(crops, 0.6), rect=CLOSE_UP)
    noisy = Scene(**{**vars(clean), "pictures": shown.pictures})
    (faces, mouth), (wanted, _) = match(noisy), match(clean)
    assert detail(faces[0], mouth) == pytest.approx(detail(wanted[0], mouth), rel=0.1)


def test_a_face_larger_than_the_crop_is_sharpened() -> None:
    """Scaled down to the engine's side and back up it lost detail, of which some returns."""
    shown = scene(lambda crops: blurred(crops, 0.5), rect=CLOSE_UP, side=128)
    faces, mouth = match(shown)
    assert detail(faces[0], mouth) > 1.3 * detail(shown.painted[0], mouth)


def test_half_the_strength_does_less() -> None:
    shown = scene(lambda crops: blurred(crops, 0.7), rect=CLOSE_UP)
    none, half, full = shown.painted[0], match(shown, 0.5)[0][0], match(shown)[0][0]
    off = (half - none - (full - none) / 2).abs()  # but for what is cut off at black and white
    assert float(off.mean()) < 0.02 * float((full - none).abs().mean())


def test_another_picture_is_no_reason_to_sharpen() -> None:
    """What the painted face shares nothing with says nothing about its sharpness."""
    shown = scene(lambda crops: blurred(crops.flip(1).flip(2), 1.0), rect=CLOSE_UP)
    faces, mouth = match(shown)
    assert detail(faces[0], mouth) <= 1.01 * detail(shown.painted[0], mouth)


@given(st.floats(-1, SHARPEST))
@settings(max_examples=20, deadline=None)
def test_noise_grows_by_no_more_than_the_bound(amount: float) -> None:
    noise = 0.5 + 0.02 * np.random.default_rng(6).standard_normal((64, 64, 1)).astype(np.float32).repeat(3, axis=2)
    grown = float(sharpened(noise, amount).std() / noise.std())
    assert grown <= 1 + max(amount, 0) + 1e-3


@given(
    arrays.arrays(np.float32, (2, 20, 20, 3), elements=st.floats(0, 1, width=32)), st.floats(0, 1), st.integers(0, 20)
)
@settings(max_examples=40, deadline=None)
def test_any_pictures_stay_pictures(pictures: np.ndarray, strength: float, edge: int) -> None:
    shown = scene(
        lambda crops: torch.from_numpy(pictures[1]).expand_as(crops).contiguous(),
        indices=(0,),
        side=20,
        pixels=torch.from_numpy(pictures[0]),
    )
    mask = torch.zeros(1, 20, 20)
    mask[:, edge:] = 1
    result = SharpnessMatch(strength).match(shown, shown.painted, tuple(mask))
    assert torch.isfinite(result).all()
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
