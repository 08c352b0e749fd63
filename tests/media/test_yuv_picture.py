"""Crops and patches of YUV pictures: exact where they must be, nothing changed where the mask is 0."""

from __future__ import annotations

from itertools import product

import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.chroma import ChromaGrid, upsampled
from lipsync_studio.pipelines.media.colour import ColourTags
from lipsync_studio.pipelines.media.planes import WORKING_FORMATS, copied, planes
from lipsync_studio.pipelines.media.yuv_picture import YuvPicture

FORMATS = sorted(WORKING_FORMATS)
SIZES = [(64, 48), (63, 47), (2, 2), (1, 1), (3, 5)]


def picture(name: str, width: int, height: int, seed: int = 0) -> YuvPicture:
    """Random samples of the legal range."""
    frame = av.VideoFrame(width, height, name)
    generator = np.random.default_rng(seed)
    bits = WORKING_FORMATS[name][0]
    for plane in planes(frame):
        plane[:] = generator.integers(16 << (bits - 8), 235 << (bits - 8), plane.shape)
    return YuvPicture(frame, ColourTags(matrix=1, range=2 if name.startswith("yuvj") else 1))


def smooth(width: int, height: int) -> torch.Tensor:
    """float32 RGB without edges."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.sin(x / 37), torch.cos(y / 29), torch.sin((x + y) / 41)], -1) * 0.35 + 0.5


def rects(width: int, height: int) -> st.SearchStrategy[Rect]:
    """Inside, across the edge and beside the picture; odd and even."""
    xs, ys = st.integers(-width, 2 * width), st.integers(-height, 2 * height)
    sides = st.integers(1, 2 * max(width, height))
    return st.builds(lambda x, y, w, h: Rect(x, y, x + w, y + h), xs, ys, sides, sides)


@settings(deadline=None)
@given(data=st.data(), name=st.sampled_from(FORMATS), size=st.sampled_from(SIZES))
def test_a_crop_is_a_part_of_the_whole(data: st.DataObject, name: str, size: tuple[int, int]) -> None:
    width, height = size
    whole = picture(name, width, height)
    rect = data.draw(rects(width, height))
    full = whole.crop(Rect(0, 0, width, height))
    rows = torch.arange(rect.y0, rect.y1).clamp(0, height - 1)
    columns = torch.arange(rect.x0, rect.x1).clamp(0, width - 1)
    torch.testing.assert_close(whole.crop(rect), full[rows][:, columns], rtol=0, atol=1e-6)


@settings(deadline=None)
@given(data=st.data(), name=st.sampled_from(FORMATS), size=st.sampled_from(SIZES))
def test_nothing_changes_where_the_mask_is_zero(data: st.DataObject, name: str, size: tuple[int, int]) -> None:
    width, height = size
    before = picture(name, width, height)
    kept = copied(before.frame)
    rect = data.draw(rects(width, height))
    generator = torch.Generator().manual_seed(data.draw(st.integers(0, 99)))
    rgb = torch.rand(rect.height, rect.width, 3, generator=generator)
    mask = torch.rand(rect.height, rect.width, generator=generator)
    mask[torch.rand(mask.shape, generator=generator) < data.draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))] = 0
    after = before.patched(rect, rgb, mask)
    for was, now in zip(planes(kept), planes(before.frame), strict=True):
        np.testing.assert_array_equal(was, now)  # the picture itself is never written to
    whole = Rect(0, 0, width, height)
    touched = torch.zeros(height, width, dtype=torch.bool)
    for y, x in product(range(max(rect.y0, 0), min(rect.y1, height)), range(max(rect.x0, 0), min(rect.x1, width))):
        touched[y, x] = mask[y - rect.y0, x - rect.x0] > 0
    kept_luma = ~touched.numpy()
    np.testing.assert_array_equal(planes(after.frame)[0][kept_luma], planes(kept)[0][kept_luma])
    # The matrix product's rounding depends on nothing but the pixel, so this is exact, too.
    assert torch.equal(after.crop(whole)[~touched], before.crop(whole)[~touched])


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rect", [Rect(0, 0, 160, 120), Rect(-20, -10, 200, 140), Rect(31, 17, 122, 98)])
def test_a_full_mask_shows_the_patch(name: str, rect: Rect) -> None:
    rgb = smooth(rect.width, rect.height)
    after = picture(name, 160, 120).patched(rect, rgb, torch.ones(rect.height, rect.width))
    shown = Rect(max(rect.x0, 0), max(rect.y0, 0), min(rect.x1, 160), min(rect.y1, 120))
    got = after.crop(shown)
    wanted = rgb[shown.y0 - rect.y0 :, shown.x0 - rect.x0 :][: shown.height, : shown.width]
    inner = (got - wanted).abs()[3:-3, 3:-3]  # half-size chroma is kept up to three pixels beside what is not replaced
    step = {8: 1, 10: 0.25}[WORKING_FORMATS[name][0]] / 255
    assert inner.max() < 2.2 * step
    assert inner.mean() < 0.7 * step


@pytest.mark.parametrize("name", FORMATS)
def test_half_a_mask_is_half_way(name: str) -> None:
    before = picture(name, 64, 48)
    rect = Rect(0, 0, 64, 48)
    after = before.patched(rect, torch.full((48, 64, 3), 0.5), torch.full((48, 64), 0.5))
    grey = {8: 126 if not name.startswith("yuvj") else 128, 10: 502}[WORKING_FORMATS[name][0]]
    expected = (planes(before.frame)[0] + np.float32(grey)) / 2
    assert np.abs(planes(after.frame)[0] - expected).max() <= 1


def test_a_patch_beside_the_picture_changes_nothing() -> None:
    before = picture("yuv420p", 64, 48)
    after = before.patched(Rect(64, 0, 80, 48), torch.rand(48, 16, 3), torch.ones(48, 16))
    assert torch.equal(after.crop(Rect(0, 0, 64, 48)), before.crop(Rect(0, 0, 64, 48)))


@pytest.mark.parametrize(("rgb", "mask"), [((9, 8, 3), (8, 8)), ((8, 8, 4), (8, 8)), ((8, 8, 3), (8, 9))])
def test_a_patch_must_fit_its_rect(rgb: tuple[int, ...], mask: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="a patch for"):
        picture("yuv420p", 64, 48).patched(Rect(0, 0, 8, 8), torch.zeros(rgb), torch.zeros(mask))


def test_patching_with_its_own_crop_is_nearly_nothing() -> None:
    clip = picture("yuv420p", 160, 120)
    rect = Rect(0, 0, 160, 120)
    clip = clip.patched(rect, smooth(160, 120), torch.ones(120, 160))
    again = clip.patched(rect, clip.crop(rect), torch.ones(120, 160))
    for plane, was in zip(planes(again.frame), planes(clip.frame), strict=True):
        assert np.abs(plane.astype(int) - was).max() <= 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_thumbnail_has_the_colours_of_the_crop(name: str) -> None:
    large = picture(name, 160, 120).patched(Rect(0, 0, 160, 120), smooth(160, 120), torch.ones(120, 160))
    small = large.thumbnail(40, 30)
    assert small.dtype == torch.uint8
    assert small.shape == (30, 40, 3)
    expected = large.crop(Rect(0, 0, 160, 120)).reshape(30, 4, 40, 4, 3).mean((1, 3)) * 255
    assert (small - expected).abs().mean() < 0.8
    assert (small - expected).mean((0, 1)).abs().max() < 0.5


def test_chroma_lies_on_even_columns_between_rows() -> None:
    """Read at the luma pixels, a chroma plane that rises evenly gives its own value at its own place."""
    rising = np.arange(8, dtype=np.uint8)[None] * 10 + np.arange(6, dtype=np.uint8)[:, None]
    at = upsampled(rising, Rect(2, 3, 12, 9))
    y, x = np.mgrid[3:9, 2:12]
    np.testing.assert_allclose(at, x / 2 * 10 + (y - 0.5) / 2, atol=1e-5)


@given(
    x0=st.integers(0, 10), y0=st.integers(0, 8), w=st.integers(1, 12), h=st.integers(1, 10), seed=st.integers(0, 999)
)
def test_a_chroma_sample_weighs_only_where_all_it_colours_is_masked(
    x0: int, y0: int, w: int, h: int, seed: int
) -> None:
    width, height = 13, 11
    rect = Rect(x0, y0, min(x0 + w, width), min(y0 + h, height))
    mask = np.random.default_rng(seed).random((rect.height, rect.width), np.float32)
    mask[mask < 0.1] = 0
    grid = ChromaGrid(rect, width, height)
    weight = grid.weight(mask)
    whole = np.zeros((height, width), np.float32)
    whole[rect.y0 : rect.y1, rect.x0 : rect.x1] = mask
    for row, column in product(range(weight.shape[0]), range(weight.shape[1])):
        sample = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
        sample[grid.cells.y0 + row, grid.cells.x0 + column] = 1
        coloured = upsampled(sample, Rect(0, 0, width, height)) > 0
        assert (weight[row, column] > 0) == bool((whole[coloured] > 0).all())
