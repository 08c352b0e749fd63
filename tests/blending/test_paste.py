"""A painted face lands where it should and nothing else changes."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.paste import cover, mask_frame, paste
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from torch import Tensor

HEIGHT, WIDTH = 18, 24
BACKGROUND = torch.rand(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(1))
rects = st.builds(
    lambda x, y, w, h: Rect(x, y, x + w, y + h),
    st.integers(-20, 30),
    st.integers(-20, 30),
    st.integers(1, 25),
    st.integers(1, 25),
)


def spot(side: int) -> Tensor:
    mask = torch.zeros(side, side)
    mask[side // 3 : side // 3 + max(side // 4, 1), side // 2 :] = 0.7
    return mask


@given(rects, st.integers(1, 40))
@settings(deadline=None)
def test_outside_the_mask_nothing_changes(rect: Rect, side: int) -> None:
    picture = ImagePicture(BACKGROUND)
    pasted = paste(picture, rect, torch.rand(side, side, 3), spot(side))
    kept = mask_frame(HEIGHT, WIDTH, rect, spot(side)) == 0
    assert torch.equal(pasted.crop(Rect(0, 0, WIDTH, HEIGHT))[kept], BACKGROUND[kept])
    assert torch.equal(picture.pixels, BACKGROUND)


@given(rects, st.integers(1, 40))
@settings(deadline=None)
def test_a_full_mask_replaces_all_of_the_rectangle(rect: Rect, side: int) -> None:
    pasted = paste(ImagePicture(BACKGROUND), rect, torch.full((side, side, 3), 0.25), torch.ones(side, side))
    inside = mask_frame(HEIGHT, WIDTH, rect, torch.ones(side, side)) > 0.9
    result = pasted.crop(Rect(0, 0, WIDTH, HEIGHT))
    torch.testing.assert_close(result[inside], torch.full_like(result[inside], 0.25))
    assert torch.equal(result[~inside], BACKGROUND[~inside])


def test_an_unscaled_face_is_pasted_as_it_is() -> None:
    face, mask = torch.rand(6, 5, 3), torch.rand(6, 5)
    result = paste(ImagePicture(BACKGROUND), Rect(4, 3, 9, 9), face, mask).crop(Rect(4, 3, 9, 9))
    torch.testing.assert_close(result, torch.lerp(BACKGROUND[3:9, 4:9], face, mask[..., None]))


class Watched(ImagePicture):
    """Keeps the rectangles that were patched."""

    def __init__(self, pixels: Tensor) -> None:
        super().__init__(pixels)
        self.rects: list[Rect] = []

    def patched(self, rect: Rect, rgb: Tensor, mask: Tensor) -> ImagePicture:
        self.rects.append(rect)
        return super().patched(rect, rgb, mask)


def test_only_the_mask_is_touched() -> None:
    picture = Watched(BACKGROUND)
    mask = torch.zeros(10, 10)
    mask[4:6, 7:10] = 1
    paste(picture, Rect(2, 1, 12, 11), torch.rand(10, 10, 3), mask)
    assert picture.rects == [Rect(9, 5, 12, 7)]


def test_an_empty_mask_returns_the_same_picture() -> None:
    picture = ImagePicture(BACKGROUND)
    assert paste(picture, Rect(0, 0, 5, 5), torch.rand(8, 8, 3), torch.zeros(8, 8)) is picture


def test_the_mask_frame_shows_the_mask_in_place() -> None:
    frame = mask_frame(4, 5, Rect(-1, 2, 2, 5), torch.ones(3, 3))
    expected = torch.zeros(4, 5)
    expected[2:, :2] = 1
    assert torch.equal(frame, expected)


@given(rects, st.integers(1, 40), st.integers(1, 70))
@settings(deadline=None)
def test_what_is_beyond_the_cover_is_never_read(rect: Rect, mask_side: int, side: int) -> None:
    mask = spot(mask_side)
    face = torch.rand(side, side, 3)
    blotted = torch.full_like(face, torch.nan)
    part = cover(mask, side, rect)
    blotted[part] = face[part]
    clean, same = (paste(ImagePicture(BACKGROUND), rect, painted, mask) for painted in (face, blotted))
    assert torch.equal(clean.crop(Rect(0, 0, WIDTH, HEIGHT)), same.crop(Rect(0, 0, WIDTH, HEIGHT)))


def test_an_empty_mask_covers_nothing() -> None:
    assert torch.rand(9, 9)[cover(torch.zeros(4, 4), 9, Rect(0, 0, 5, 5))].numel() == 0
