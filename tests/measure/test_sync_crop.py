"""The crop against the reference's: the track to 1e-9, pixels to 1 level (cv2 computes in whole numbers)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.measure.sync_crop import steady_squares, sync_crop
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from safetensors.numpy import load_file


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, np.ndarray]:
    return load_file(goldens / "syncnet_crop.safetensors")


def test_a_track_is_steadied_as_by_the_reference(golden: dict[str, np.ndarray]) -> None:
    squares = steady_squares(golden["track_bbox"])
    expected = np.stack([golden[f"smooth_{name}"] for name in "xys"], axis=1)
    np.testing.assert_allclose(squares, expected, rtol=1e-9)


def test_a_crop_is_the_references(golden: dict[str, np.ndarray]) -> None:
    squares = steady_squares(golden["track_bbox"])
    for index, crop in zip(golden["crop_idx"], golden["crops"], strict=True):
        frame = int(golden["track_frames"][index])
        bgr = seeded.image(f"sn_full{frame}", 240, 320)
        picture = ImagePicture(torch.from_numpy(bgr[..., ::-1].astype(np.float32) / 255))
        found = sync_crop(picture, squares[index])[..., ::-1]
        assert np.abs(found - crop).max() <= 1
        assert np.abs(found - crop).mean() < 0.3


@given(st.floats(-300, 600), st.floats(-300, 600), st.floats(0, 400))
@settings(deadline=None)
def test_any_square_gives_a_crop(x: float, y: float, half: float) -> None:
    crop = sync_crop(ImagePicture(torch.full((40, 60, 3), 0.25)), np.array([x, y, half]))
    assert crop.shape == (224, 224, 3)
    assert crop.dtype == np.float32
    assert crop.min() >= 0.25 * 255 - 1e-3
    assert crop.max() <= 110 + 1e-3


def test_beyond_the_picture_is_grey() -> None:
    assert (sync_crop(ImagePicture(torch.zeros(40, 60, 3)), np.array([500.0, 500.0, 20.0])) == 110).all()
