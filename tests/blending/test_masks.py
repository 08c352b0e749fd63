"""The landmark mask covers the mouth and the chin, and nothing above the nose or at the crop's border."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.masks import MaskSettings, lower_face_mask
from lipsync_studio.pipelines.core.errors import InputError


def face(side: int) -> np.ndarray:
    """float32 [68, 2]: a round face; only the jaw, the nose's base and the mouth are in place."""
    points = np.full((68, 2), 0.5)
    angle = np.linspace(np.pi, 0, 17)
    points[:17] = np.stack([0.5 + 0.42 * np.cos(angle), 0.45 + 0.47 * np.sin(angle)], axis=1)
    points[31:36] = np.stack([np.linspace(0.42, 0.58, 5), np.full(5, 0.58)], axis=1)
    points[48:] = [0.5, 0.72]
    return (points * side).astype(np.float32)


@pytest.mark.parametrize("side", [64, 256, 512])
def test_covers_the_mouth_and_spares_the_rest(side: int) -> None:
    mask = lower_face_mask(face(side)[None], side, MaskSettings())[0]
    drawn = mask.shape[0]
    assert mask[int(0.72 * drawn), drawn // 2] == 1
    assert mask[int(0.88 * drawn), drawn // 2] == 1
    assert not mask[: int(0.4 * drawn)].any()


@given(st.floats(0, 0.25), st.floats(0, 0.25), st.floats(0, 0.25), st.integers(2, 300), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_any_landmarks_give_a_mask_in_range(grow: float, feather: float, inset: float, side: int, seed: int) -> None:
    landmarks = np.random.default_rng(seed).uniform(-side, 2 * side, (2, 68, 2)).astype(np.float32)
    masks = lower_face_mask(landmarks, side, MaskSettings(grow, feather, inset))
    drawn = min(side, 256)
    assert masks.shape == (2, drawn, drawn)
    assert masks.dtype == torch.float32
    assert float(masks.min()) >= 0
    assert float(masks.max()) <= 1
    for edge in (masks[:, 0], masks[:, -1], masks[:, :, 0], masks[:, :, -1]):
        assert not edge.any()


def test_the_feather_is_as_wide_as_asked() -> None:
    mask = lower_face_mask(face(256)[None], 256, MaskSettings(grow=0, feather=0.1, inset=0))[0]
    soft = (mask[:, 128] > 0) & (mask[:, 128] < 1)
    under_nose = int(soft[: int(0.7 * 256)].sum())
    assert 20 <= under_nose <= 28


def test_grow_reaches_beyond_the_chin() -> None:
    small, large = (
        lower_face_mask(face(256)[None] * 0.8, 256, MaskSettings(grow=g, feather=0, inset=0))[0] for g in (0, 0.05)
    )
    chin = [int(m[:, 102].nonzero().max()) for m in (small, large)]
    assert 11 <= chin[1] - chin[0] <= 13


@pytest.mark.parametrize("name", ["grow", "feather", "inset"])
@pytest.mark.parametrize("value", [-0.01, 0.3, float("nan")])
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        MaskSettings(**{name: value})
