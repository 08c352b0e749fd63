"""Pictures of an IMAGE batch obey the same rules as those of a file."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.colour import tags_for_rgb
from lipsync_studio.pipelines.media.image_picture import ImageClip, ImagePicture


def smooth(height: int, width: int, channels: int = 3) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.sin(x / 37 + c) * torch.cos(y / 29) for c in range(channels)], -1) * 0.4 + 0.5


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("rect", [Rect(3, 5, 20, 21), Rect(-4, -6, 50, 60), Rect(39, 29, 90, 90), Rect(-9, 0, -2, 4)])
def test_patches_change_only_what_the_mask_covers(channels: int, rect: Rect) -> None:
    pixels = torch.rand(30, 40, channels)
    kept = pixels.clone()
    mask = torch.rand(rect.height, rect.width)
    mask[mask < 0.3] = 0
    after = ImagePicture(pixels).patched(rect, torch.rand(rect.height, rect.width, 3), mask).pixels
    assert torch.equal(pixels, kept)
    covered = torch.zeros(30, 40, dtype=torch.bool)
    for y in range(max(0, rect.y0), min(30, rect.y1)):
        for x in range(max(0, rect.x0), min(40, rect.x1)):
            covered[y, x] = mask[y - rect.y0, x - rect.x0] > 0
    assert torch.equal(after[~covered], pixels[~covered])
    assert torch.equal(after[..., 3:], pixels[..., 3:])
    if covered.any():
        assert (after[covered][:, :3] != pixels[covered][:, :3]).any(-1).all()


def test_a_full_mask_shows_the_patch() -> None:
    rgb = torch.rand(10, 10, 3)
    after = ImagePicture(torch.rand(30, 40, 3)).patched(Rect(5, 5, 15, 15), rgb, torch.ones(10, 10))
    torch.testing.assert_close(after.crop(Rect(5, 5, 15, 15)), rgb)


def test_crops_repeat_the_edge_and_are_copies() -> None:
    pixels = torch.rand(6, 8, 4)
    crop = ImagePicture(pixels).crop(Rect(-2, -1, 3, 9))
    assert crop.shape == (10, 5, 3)
    assert torch.equal(crop[0, 0], pixels[0, 0, :3])
    assert torch.equal(crop[9, 4], pixels[5, 2, :3])
    crop.zero_()
    assert pixels.min() > 0


def test_thumbnails_average() -> None:
    pixels = smooth(120, 160)
    expected = pixels.reshape(30, 4, 40, 4, 3).mean((1, 3)) * 255
    assert (ImagePicture(pixels).thumbnail(40, 30) - expected).abs().max() < 2


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("height", [96, 720])
def test_frames_for_a_file_keep_the_colours(name: str, channels: int, height: int) -> None:
    pixels = smooth(height, 128, channels)
    tags = tags_for_rgb(height)
    back = ImagePicture(pixels).as_yuv(name, tags).crop(Rect(0, 0, 128, height))
    step = (0.25 if name.endswith("10le") else 1) / 255
    assert (back - pixels[..., :3]).abs().mean() < 0.6 * step
    assert (back - pixels[..., :3]).mean((0, 1)).abs().max() < 0.1 * step


def test_values_beyond_the_range_are_clipped_when_written() -> None:
    frame = ImagePicture(torch.full((16, 16, 3), 1.7)).as_yuv("yuv420p", tags_for_rgb(16)).frame
    assert frame.to_ndarray()[:16].min() == frame.to_ndarray()[:16].max() == 235


def test_a_batch_is_a_clip() -> None:
    images = torch.rand(5, 12, 16, 3)
    clip = ImageClip(images, Fraction(30000, 1001))
    assert (clip.width, clip.height, len(clip.clock), clip.clock.rate) == (16, 12, 5, Fraction(30000, 1001))
    chunks = list(clip.read([np.array([3, 4]), np.array([0, 0])]))
    assert [chunk.indices.tolist() for chunk in chunks] == [[3, 4], [0, 0]]
    assert torch.equal(chunks[0].pictures[1].pixels, images[4])
    assert chunks[1].pictures[0].pixels.data_ptr() == images.data_ptr()  # a view, not a copy


@pytest.mark.parametrize("shape", [(0, 8, 8, 3), (2, 8, 8), (2, 8, 8, 1), (2, 0, 8, 3)])
def test_what_is_no_batch(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="IMAGE"):
        ImageClip(torch.zeros(shape), Fraction(25))


def test_a_rate_is_needed() -> None:
    with pytest.raises(InputError, match="0 fps"):
        ImageClip(torch.zeros(1, 8, 8, 3), Fraction(0))
