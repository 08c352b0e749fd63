"""Crops reach the engine's side without aliasing, and as the reference scales them where it enlarges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.scaling import fit_crop, fit_rect
from safetensors.numpy import load_file


def scaled(crop: np.ndarray) -> np.ndarray:
    return fit_crop(torch.from_numpy(crop.astype(np.float32) / 255), 256).mul(255).round().numpy()


def test_close_to_the_reference_where_it_shrinks_a_little(goldens: Path) -> None:
    """cv2.INTER_LANCZOS4 does not widen its filter: 270 rows to 256 differ by at most 3 of 255, 0.5 on average."""
    crop = seeded.image("latent_frame", 300, 260)[20:290, 15:251]
    off = np.abs(scaled(crop) - load_file(goldens / "latents.safetensors")["crop256_bgr"])
    assert off.max() <= 3
    assert off.mean() < 0.6


def test_close_to_the_reference_where_it_enlarges() -> None:
    """One lobe less on a picture with noise: at most 4 of 255, 0.4 on average."""
    cv2 = pytest.importorskip("cv2")
    crop = seeded.image("enlarge", 97, 130)
    off = np.abs(scaled(crop) - cv2.resize(crop, (256, 256), interpolation=cv2.INTER_LANCZOS4))
    assert off.max() <= 4
    assert off.mean() < 0.5


def test_shrinking_does_not_alias() -> None:
    checkers = torch.from_numpy(np.indices((300, 300)).sum(0) % 2).float()[..., None].expand(-1, -1, 3)
    torch.testing.assert_close(fit_crop(checkers, 64), torch.full((64, 64, 3), 0.5), atol=0.02, rtol=0)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 90), st.floats(0, 1, width=32))
@settings(max_examples=40, deadline=None)
def test_a_flat_colour_stays(height: int, width: int, side: int, level: float) -> None:
    flat = torch.full((height, width, 3), level)
    torch.testing.assert_close(fit_crop(flat, side), torch.full((side, side, 3), level), atol=1e-5, rtol=0)
    torch.testing.assert_close(fit_rect(flat, side, 7), torch.full((side, 7, 3), level), atol=1e-5, rtol=0)


def test_the_same_size_is_the_same_picture() -> None:
    crop = torch.rand(32, 32, 3)
    torch.testing.assert_close(fit_crop(crop, 32), crop, atol=1e-5, rtol=0)
    assert fit_rect(crop, 32, 32) is crop
