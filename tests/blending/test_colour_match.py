"""A cast of the painted face is taken back, in the mouth as at the seam; what needs no correction gets none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from lipsync_studio.pipelines.blending.colour_match import GAIN, SHIFT, ColourMatch, Transfer, to_oklab
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.core.types import Rect
from portrait_scene import scene
from torch import Tensor

CASTS: dict[str, Callable[[Tensor], Tensor]] = {
    "darker": lambda rgb: rgb * 0.85,
    "brighter": lambda rgb: rgb * 1.1,
    "gamma 0.8": lambda rgb: rgb**0.8,
    "gamma 1.25": lambda rgb: rgb**1.25,
    "warm": lambda rgb: rgb * torch.tensor([1.1, 1.0, 0.85]),
    "green": lambda rgb: rgb * torch.tensor([0.92, 1.04, 0.94]) + 0.02,
    "flat": lambda rgb: rgb * 0.8 + 0.1,
}


def other_mouth(crops: Tensor) -> Tensor:
    """The crop as an engine would paint it: another mouth, the rest as it was."""
    painted = crops.clone()
    painted[:, 150:190, 90:160] = painted[:, 165:205, 90:160] * 0.8
    return painted


def matched(paint: Callable[[Tensor], Tensor], strength: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """(source, painted, matched, mask) of one frame."""
    shown = scene(paint)
    masks = lower_face_mask(shown.landmarks, 256, MaskSettings())
    faces = ColourMatch(strength).match(shown, shown.painted, tuple(masks))
    return shown.crops[0], shown.painted[0], faces[0], masks[0]


def tone(rgb: Tensor, where: Tensor) -> np.ndarray:
    """The mean colour there, in Oklab."""
    return to_oklab(rgb.numpy())[where.numpy()].mean(axis=0)


@pytest.mark.parametrize("cast", CASTS.values(), ids=CASTS.keys())
def test_a_cast_is_taken_back(cast: Callable[[Tensor], Tensor]) -> None:
    """At the seam the mean colour comes at least five times closer, and below 0.006 in Oklab, where nobody sees it."""
    source, painted, result, mask = matched(lambda crops: cast(other_mouth(crops)))
    seam, inside = (mask > 0.02) & (mask < 0.5), mask > 0.98
    before, after = (np.linalg.norm(tone(face, seam) - tone(source, seam)) for face in (painted, result))
    assert after < min(0.006, before / 5)
    wanted = to_oklab(other_mouth(source[None])[0].numpy())[inside.numpy()]
    off = np.abs(to_oklab(result.numpy())[inside.numpy()] - wanted).mean()
    assert off < 0.006


@pytest.mark.parametrize("paint", [torch.clone, other_mouth])
def test_without_a_cast_next_to_nothing_changes(paint: Callable[[Tensor], Tensor]) -> None:
    _, painted, result, _ = matched(paint)
    assert float((result - painted).abs().max()) < 0.01


def test_half_the_strength_is_half_the_way() -> None:
    source, painted, half, mask = matched(CASTS["darker"], 0.5)
    seam = (mask > 0.02) & (mask < 0.5)
    before, after = (np.linalg.norm(tone(face, seam) - tone(source, seam)) for face in (painted, half))
    assert after == pytest.approx(before / 2, rel=0.1)


def test_only_what_is_pasted_is_matched() -> None:
    _, painted, result, mask = matched(CASTS["warm"])
    changed = (result != painted).any(dim=-1)
    assert changed[mask > 0].float().mean() > 0.99
    assert not changed[: int(mask.any(dim=1).nonzero()[0]) - 12].any()


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (0.628, 0.2249, 0.1258)),
        ((0, 0, 1), (0.452, -0.0325, -0.3115)),
    ],
)
def test_oklab(rgb: tuple[float, ...], lab: tuple[float, ...]) -> None:
    """Of sRGB's corners (CSS Color 4)."""
    np.testing.assert_allclose(to_oklab(np.array([[rgb]], np.float32))[0, 0], lab, atol=2e-4)


def test_the_transfer_carries_one_gaussian_into_the_other() -> None:
    random = np.random.default_rng(4)
    root = np.eye(3) * 0.1 + random.normal(size=(3, 3)) * 0.01
    given_covariance, wanted_covariance = root @ root.T, root @ np.diag([1.3, 0.8, 1.1]) @ root.T
    transfer = Transfer.between(np.array([0.5, 0, 0]), given_covariance, np.array([0.55, 0.01, 0]), wanted_covariance)
    carried = transfer.matrix @ given_covariance @ transfer.matrix.T
    np.testing.assert_allclose(carried, wanted_covariance, rtol=0, atol=3e-4)
    np.testing.assert_allclose(transfer.matrix @ [0.5, 0, 0] + transfer.offset, [0.55, 0.01, 0], atol=1e-9)


colours = arrays.arrays(np.float64, (40, 3), elements=st.floats(0, 1))


@given(colours, colours)
@settings(max_examples=50, deadline=None)
def test_whatever_is_measured_the_transfer_is_bounded(some: np.ndarray, others: np.ndarray) -> None:
    transfer = Transfer.between(some.mean(axis=0), np.cov(some.T), others.mean(axis=0), np.cov(others.T))
    gains = np.linalg.eigvalsh(transfer.matrix)
    assert 1 / GAIN - 1e-6 <= gains.min() <= gains.max() <= GAIN + 1e-6
    moved = transfer.matrix @ some.mean(axis=0) + transfer.offset - some.mean(axis=0)
    assert np.linalg.norm(moved) <= SHIFT + 1e-6


@given(
    arrays.arrays(np.float32, (2, 24, 24, 3), elements=st.floats(0, 1, width=32)), st.floats(0, 1), st.integers(0, 24)
)
@settings(max_examples=40, deadline=None)
def test_any_pictures_stay_pictures(pictures: np.ndarray, strength: float, edge: int) -> None:
    mask = torch.zeros(1, 24, 24)
    mask[:, edge:] = 1
    pixels, painted = torch.from_numpy(pictures)
    shown = scene(lambda crops: painted[None], indices=(0,), rect=Rect(0, 0, 24, 24), side=24, pixels=pixels)
    result = ColourMatch(strength).match(shown, shown.painted, tuple(mask))
    assert torch.isfinite(result).all()
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
