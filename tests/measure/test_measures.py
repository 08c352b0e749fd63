"""Each measure: what it must say of pictures made for it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.measure.flicker import Flicker
from lipsync_studio.pipelines.measure.identity import _PLACES, Identity, aligned_face
from lipsync_studio.pipelines.measure.lips import lips_and_sound, opening
from lipsync_studio.pipelines.measure.outside import OutsideDifference
from lipsync_studio.pipelines.measure.regions import MaskedArea, MouthArea
from lipsync_studio.pipelines.measure.seam import Seam
from lipsync_studio.pipelines.measure.sharpness import Sharpness
from lipsync_studio.pipelines.measure.side_by_side import SideBySide
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from numpy.typing import NDArray
from portrait_scene import landmarks, portrait
from scipy import ndimage

Floats = NDArray[np.float32]
SEEDS = st.integers(0, 2**32 - 1)


def noise(seed: int, *shape: int) -> Floats:
    """Smooth enough to have edges, 0-255."""
    rough = np.random.default_rng(seed).uniform(0, 255, shape)
    return ndimage.gaussian_filter(rough, 1.0).astype(np.float32)


# --- outside the mask ---


@given(SEEDS)
def test_equal_pictures_do_not_differ(seed: int) -> None:
    rgb = np.random.default_rng(seed).random((9, 7, 3), np.float32)
    measure = OutsideDifference()
    measure.add(rgb, rgb.copy(), None)
    assert measure.numbers() == {"mean": 0.0, "largest": 0.0, "changed": 0.0}


@pytest.mark.parametrize("exact", [True, False])
def test_only_what_is_outside_the_mask_counts(exact: bool) -> None:
    source = np.full((20, 30, 3), 100, np.uint8)
    result = source.copy()
    result[5:9, 5:10] = 250
    area = MaskedArea(Rect(4, 4, 12, 10), np.ones((6, 8), np.float32))
    measure = OutsideDifference()
    measure.add(*((p.astype(np.float32) / 255 if exact else p) for p in (result, source)), area)
    assert measure.numbers()["largest"] == 0
    result[0, 0, 1] = 110
    measure.add(*((p.astype(np.float32) / 255 if exact else p) for p in (result, source)), area)
    numbers = measure.numbers()
    assert numbers["largest"] == pytest.approx(10, abs=1e-3)
    outside = 2 * (20 * 30 - 6 * 8)
    assert numbers["changed"] == pytest.approx(1 / outside)
    assert numbers["mean"] == pytest.approx(10 / 3 / outside, rel=1e-4)


def test_one_bit_of_an_image_is_seen() -> None:
    source = np.full((4, 4, 3), 0.5, np.float32)
    result = source.copy()
    result[1, 1, 1] = np.nextafter(np.float32(0.5), np.float32(1))
    measure = OutsideDifference()
    measure.add(result, source, None)
    assert 0 < measure.numbers()["largest"] < 1e-4


# --- flicker ---


def flicker(
    result: Callable[[int], float], source: Callable[[int], float], frames: int = 20
) -> dict[str, float | None]:
    measure, texture = Flicker(), noise(1, 24, 40)
    for number in range(frames):
        measure.add(texture + np.float32(result(number)), texture + np.float32(source(number)))
    return measure.numbers()


def test_brightness_that_alternates_is_flicker() -> None:
    numbers = flicker(lambda n: 6.0 * (-1) ** n, lambda n: 2.0 * (-1) ** n)
    assert numbers["result"] == pytest.approx(12, rel=1e-4)
    assert numbers["source"] == pytest.approx(4, rel=1e-4)
    assert numbers["ratio"] == pytest.approx(3, rel=1e-4)


def test_an_even_change_is_none() -> None:
    numbers = flicker(lambda n: 3.0 * n, lambda n: 0.0)
    assert numbers["result"] == pytest.approx(0, abs=1e-3)
    assert numbers["ratio"] is None


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_clip_flickers_as_much_as_itself(seed: int) -> None:
    values = np.random.default_rng(seed).normal(0, 20, 20)
    assert flicker(values.__getitem__, values.__getitem__)["ratio"] == 1


def test_a_cut_is_no_flicker() -> None:
    measure, texture = Flicker(), noise(1, 24, 40)
    for number in range(12):
        if number == 6:
            measure.interrupt()
        measure.add(texture + (90 if number >= 6 else 0), texture)
    assert measure.numbers()["result"] == pytest.approx(0, abs=1e-3)


# --- sharpness ---

MOUTH = MouthArea(Rect(0, 0, 60, 48), (slice(16, 32), slice(20, 40)))


@given(SEEDS, st.floats(0.6, 3))
@settings(max_examples=20, deadline=None)
def test_blur_lowers_sharpness_where_it_is(seed: int, sigma: float) -> None:
    source = noise(seed, 48, 60)
    result = source.copy()
    result[MOUTH.mouth] = ndimage.gaussian_filter(source, sigma)[MOUTH.mouth]
    measure = Sharpness()
    measure.add(result, source, MOUTH)
    numbers = measure.numbers()
    assert numbers["mouth"] < 0.9
    assert numbers["mouth"] < numbers["around"]


def test_a_picture_is_as_sharp_as_itself_and_twice_the_contrast_is_twice_as_sharp() -> None:
    source, measure = noise(3, 48, 60), Sharpness()
    measure.add(source, source.copy(), MOUTH)
    assert measure.numbers() == {"mouth": 1.0, "around": 1.0}
    doubled = Sharpness()
    doubled.add(2 * source, source, MOUTH)
    assert doubled.numbers()["mouth"] == pytest.approx(2, rel=1e-4)


def test_of_a_flat_source_no_ratio_is_told() -> None:
    measure = Sharpness()
    measure.add(noise(1, 48, 60), np.zeros((48, 60), np.float32), MOUTH)
    assert measure.numbers() == {"mouth": None, "around": None}


# --- seam ---


def seam(feather: float, change: float = 30.0) -> float | None:
    source, mask = noise(5, 80, 80), np.zeros((80, 80), np.float32)
    mask[20:60, 20:60] = 1
    if feather:
        mask = ndimage.gaussian_filter(mask, feather)
    measure = Seam()
    measure.add(source + change * mask, source, mask)
    return measure.number()


def test_no_change_has_no_seam() -> None:
    assert seam(0, 0.0) == 0


def test_a_hard_edge_shows_more_than_a_soft_one() -> None:
    hard, softer, soft = seam(0), seam(2), seam(6)
    assert hard is not None
    assert softer is not None
    assert soft is not None
    assert hard > 2 * softer > 4 * soft > 0


def test_a_seam_grows_with_the_step() -> None:
    small, large = seam(0, 10.0), seam(0, 40.0)
    assert large == pytest.approx(4 * (small or 0), rel=1e-4)


# --- lips and sound ---


@given(st.integers(-12, 12), SEEDS, st.sampled_from([24.0, 25.0, 30.0]))
@settings(max_examples=30, deadline=None)
def test_a_planted_lag_is_found(lag: int, seed: int, rate: float) -> None:
    wave = ndimage.gaussian_filter1d(np.random.default_rng(seed).normal(size=4000), 6)
    times = np.arange(4000) / 100 - 2

    def envelope(seconds: NDArray[np.floating]) -> NDArray[np.floating]:
        return np.interp(seconds, times, wave)

    seconds = np.arange(200) / rate
    found = lips_and_sound(envelope(seconds - lag / rate), seconds, envelope, rate)
    assert found is not None
    assert found.lag == lag
    assert found.correlation == pytest.approx(1, abs=1e-6)
    assert found.frames == 200


def test_frames_without_a_mouth_are_left_out() -> None:
    seconds = np.arange(100) / 25
    openings = np.sin(7 * seconds)
    openings[10:40] = np.nan
    found = lips_and_sound(openings, seconds, lambda t: np.sin(7 * t), 25.0)
    assert found is not None
    assert (found.frames, found.lag) == (70, 0)
    assert found.correlation == found.at_zero == pytest.approx(1)


@pytest.mark.parametrize(
    "openings", [np.full(100, np.nan), np.full(100, 0.2), np.r_[np.zeros(10), np.full(90, np.nan)]]
)
def test_where_nothing_can_be_told_nothing_is(openings: NDArray[np.float64]) -> None:
    assert lips_and_sound(openings, np.arange(100) / 25, np.sin, 25.0) is None


def test_opening_is_the_gap_over_the_width() -> None:
    points = np.zeros((2, 68, 2), np.float32)
    points[:, 54, 0] = 40  # the corners are 40 px apart
    points[1, [65, 66, 67], 1] = 10
    np.testing.assert_allclose(opening(points), [0, 0.25])
    np.testing.assert_allclose(opening(3 * points), [0, 0.25])


# --- identity ---


def test_a_face_is_turned_upright_onto_its_places() -> None:
    """Dots drawn at the five points of a turned, scaled face lie where SFace expects them."""
    angle, scale = 0.4, 2.3
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    five = _PLACES @ turn.T + (90, 40)
    pixels = np.zeros((420, 420, 3), np.float32)
    for x, y in five:
        pixels[round(y) - 3 : round(y) + 4, round(x) - 3 : round(x) + 4] = 1
    points = np.zeros((68, 2), np.float32)
    points[36:42], points[42:48] = five[0], five[1]
    points[30], points[48], points[54] = five[2:]
    face = aligned_face(ImagePicture(torch.from_numpy(pixels)), points)
    assert face.shape == (112, 112, 3)
    for x, y in _PLACES:
        assert face[round(y), round(x)].min() > 200
    assert (face > 100).mean() < 0.02


def test_the_portrait_is_upright_already() -> None:
    face = aligned_face(ImagePicture(portrait()), landmarks())
    assert 40 < face.mean() < 220
    outside = aligned_face(ImagePicture(portrait()), landmarks() + 400)  # beyond the picture: its edge
    assert np.isfinite(outside).all()


def test_cosines_are_gathered() -> None:
    measure = Identity()
    assert measure.numbers() == {"mean": None, "least": None, "frames": 0}
    measure.add(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    measure.add(np.array([1.0, 0.0]), np.array([0.6, 0.8]))
    assert measure.numbers() == {"mean": pytest.approx(0.8), "least": pytest.approx(0.6), "frames": 2}


# --- what is shown ---


@pytest.mark.parametrize(("width", "height"), [(512, 512), (1920, 1080), (31, 700), (64, 48)])
def test_three_panels_of_even_size(width: int, height: int) -> None:
    layout = SideBySide(width, height)
    panel = np.zeros((*layout.panel[::-1], 3), np.uint8)
    area = MaskedArea(Rect(0, 0, width // 2, height), np.ones((height, width // 2), np.float32))
    sheet = layout.compose(panel + 50, panel + 200, area)
    assert sheet.shape == (layout.size[1], layout.size[0], 3)
    assert all(side % 2 == 0 for side in (*layout.size, *layout.panel))
    body = sheet[28:]
    across = layout.panel[0]
    assert (body[:, :across] == 50).all()
    assert (body[:, across + 4 : 2 * across + 4] == 200).all()
    mask = body[:, 2 * (across + 4) :]
    assert mask[:, : across // 2 - 1].mean() > 200
    assert mask[:, across // 2 + 2 :].max(initial=0) < 50
