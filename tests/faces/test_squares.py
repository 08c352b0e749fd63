"""The way from a picture to the turned square and back: every pixel shows the place it says."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.faces.squares import BOX_SCALE, MESH_SCALE, Square, View

SIZE = 64

# Too coarse to be taken.
NO_THUMBNAIL = torch.zeros(1, 1, 3, dtype=torch.uint8)


def ramp(width: int, height: int) -> np.ndarray:
    """uint8 RGB whose red says x and green says y, one level a pixel."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("angle", [0.0, 0.4, -0.9, pi / 2])
@pytest.mark.parametrize(("side", "near"), [(40.0, 0.01), (64.0, 0.01), (100.0, 0.01), (150.0, 0.01)])
def test_each_pixel_shows_its_place(picture_of: Callable, angle: float, side: float, near: float) -> None:
    square = Square(125.3, 120.8, side, angle)
    shown = View.of(picture_of(ramp(256, 256)), NO_THUMBNAIL, square, SIZE).show(square, SIZE).numpy() * 255
    places = square.to_picture(np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1), SIZE)
    np.testing.assert_allclose(shown[0], places[..., 0], atol=near)
    np.testing.assert_allclose(shown[1], places[..., 1], atol=near)


def test_beyond_the_picture_its_edge_goes_on(picture_of: Callable) -> None:
    square = Square(0.0, 50.0, 60.0, 0.0)
    shown = View.of(picture_of(ramp(100, 100)), NO_THUMBNAIL, square, SIZE).show(square, SIZE).numpy() * 255
    assert (shown[0, :, : SIZE // 2] == 0).all()
    assert shown[0, :, -1].min() > 25


@pytest.mark.parametrize("angle", [0.0, 0.7])
def test_a_thumbnail_that_is_fine_enough_is_taken(picture_of: Callable, angle: float) -> None:
    picture = picture_of(ramp(256, 200))
    square = Square(125.3, 90.8, 100, angle)
    view = View.of(picture, picture.thumbnail(133, 100), square, SIZE)
    assert view.step == (256 / 133, 2.0)
    across = np.arange(SIZE)
    places = square.to_picture(np.stack(np.meshgrid(across, across), axis=-1), SIZE)
    shown = view.show(square, SIZE).numpy() * 255
    np.testing.assert_allclose(shown[0], places[..., 0], atol=0.6)
    np.testing.assert_allclose(shown[1], places[..., 1], atol=0.6)


def test_large_faces_are_thinned_out_not_skipped_over(picture_of: Callable) -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    square = Square(256.0, 256.0, 400.0, 0.0)
    view = View.of(picture_of(stripes), NO_THUMBNAIL, square, SIZE)
    assert view.step == (6, 6)
    np.testing.assert_allclose(view.show(square, SIZE).numpy(), 0.5, atol=0.01)


squares = st.builds(
    Square,
    x=st.floats(-100, 2000),
    y=st.floats(-100, 2000),
    side=st.floats(1, 1000),
    angle=st.floats(-pi, pi),
)


@given(squares)
def test_the_surroundings_hold_the_corners_with_room(square: Square) -> None:
    corners = square.to_picture(np.array([[0, 0], [SIZE, 0], [0, SIZE], [SIZE, SIZE]], np.float32), SIZE)
    rect = square.surroundings()
    assert (corners > (rect.x0, rect.y0)).all()
    assert (corners < (rect.x1, rect.y1)).all()


@given(squares)
def test_a_square_keeps_its_size_in_the_picture(square: Square) -> None:
    corners = square.to_picture(np.array([[0, 0], [SIZE, 0], [0, SIZE]], np.float32), SIZE).astype(float)
    assert np.hypot(*(corners[1] - corners[0])) == pytest.approx(square.side, rel=1e-3, abs=1e-2)
    assert np.hypot(*(corners[2] - corners[0])) == pytest.approx(square.side, rel=1e-3, abs=1e-2)


def test_the_square_around_a_box_is_centred_on_it_and_turned_with_the_eyes() -> None:
    points = np.array([[110, 140], [150, 180], [0, 0], [0, 0], [0, 0]], np.float32)
    square = Square.around_box(np.array([100, 100, 160, 220], np.float32), points)
    assert (square.x, square.y) == (130, 160)
    assert square.side == pytest.approx(120 * BOX_SCALE)
    assert square.angle == pytest.approx(pi / 4)


def test_the_square_around_a_mesh_is_centred_on_it_and_turned_with_the_eyes() -> None:
    mesh = np.full((478, 2), 50, np.float32)
    mesh[0], mesh[1], mesh[33], mesh[263] = (10, 20), (70, 60), (30, 40), (50, 40)
    square = Square.around_mesh(mesh)
    assert (square.x, square.y) == (40, 40)
    assert square.side == pytest.approx(60 * MESH_SCALE)
    assert square.angle == 0
