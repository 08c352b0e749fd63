"""Several speakers' results become one, pixel by pixel."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.merge import SyncedImages, merge_speakers
from lipsync_studio.pipelines.core.errors import InputError
from torch import Tensor

HEIGHT, WIDTH = 8, 10
SOURCE = torch.rand(6, HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(2))
spots = st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), st.integers(1, 5), st.sampled_from([0.3, 1.0]))
lengths = st.integers(1, len(SOURCE))


def synced(spot: tuple[int, int, int, float], colour: float, count: int) -> SyncedImages:
    """`count` frames of the source with a square painted in `colour` through a mask."""
    y, x, side, amount = spot
    mask = torch.zeros(count, HEIGHT, WIDTH)
    mask[:, y : y + side, x : x + side] = amount
    return SyncedImages(torch.lerp(SOURCE[:count], torch.tensor(colour), mask[..., None]), mask)


@given(st.lists(st.tuples(spots, lengths), min_size=1, max_size=4))
@settings(deadline=None)
def test_every_pixel_is_that_of_the_strongest_mask(speakers: list[tuple[tuple[int, int, int, float], int]]) -> None:
    results = [synced(spot, index / 4, count) for index, (spot, count) in enumerate(speakers)]
    images, masks = merge_speakers(results)
    assert len(images) == len(masks) == max(count for _, count in speakers)
    for frame in range(len(images)):
        lasting = [result for result in results if frame < len(result.images)]
        strength, who = torch.stack([result.mask[frame] for result in lasting]).max(dim=0)
        assert torch.equal(masks[frame], strength)
        chosen = torch.stack([result.images[frame] for result in lasting])
        expected = torch.gather(chosen, 0, who[None, ..., None].expand(1, HEIGHT, WIDTH, 3))[0]
        assert torch.equal(images[frame], expected)


def test_the_first_result_is_kept_outside_the_other_masks_and_nothing_is_changed_in_place() -> None:
    first, second = synced((0, 0, 3, 1.0), 0.1, 4), synced((4, 5, 3, 1.0), 0.9, 6)
    before = first.images.clone(), second.images.clone()
    images, _ = merge_speakers([first, second])
    outside = second.mask[:4] == 0
    assert torch.equal(images[:4][outside], first.images[outside])
    assert torch.equal(images[4:], second.images[4:])
    assert torch.equal(first.images, before[0])
    assert torch.equal(second.images, before[1])


def test_results_in_different_order_of_frames_are_refused() -> None:
    first, second = synced((0, 0, 2, 1.0), 0.1, 6), synced((4, 5, 3, 1.0), 0.9, 6)
    turned = SyncedImages(second.images.flip(0), second.mask)
    with pytest.raises(InputError, match=r"images_2 to show the same source frames .* frame 0"):
        merge_speakers([first, turned])


def test_a_lossy_copy_is_accepted() -> None:
    first, second = synced((0, 0, 2, 1.0), 0.1, 6), synced((4, 5, 3, 1.0), 0.9, 6)
    noise = (torch.rand(second.images.shape, generator=torch.Generator().manual_seed(3)) - 0.5) * (4 / 255)
    images, _ = merge_speakers([first, SyncedImages(second.images + noise, second.mask)])
    assert torch.equal(images[second.mask == 0], first.images[second.mask == 0])


@pytest.mark.parametrize(
    ("images", "mask", "words"),
    [
        (torch.zeros(6, HEIGHT, WIDTH, 3), torch.zeros(5, HEIGHT, WIDTH), "mask_2 as large as images_2"),
        (torch.zeros(6, HEIGHT, WIDTH + 1, 3), torch.zeros(6, HEIGHT, WIDTH + 1), "same size as images_1"),
        (torch.zeros(6, HEIGHT, WIDTH, 4), torch.zeros(6, HEIGHT, WIDTH), "same size as images_1"),
    ],
    ids=["mask of another length", "another width", "a fourth channel"],
)
def test_results_that_do_not_fit_are_refused(images: Tensor, mask: Tensor, words: str) -> None:
    with pytest.raises(InputError, match=words):
        merge_speakers([synced((0, 0, 2, 1.0), 0.1, 6), SyncedImages(images, mask)])


def test_frames_covered_by_masks_cannot_differ() -> None:
    """Nothing is left to compare where the masks cover all of the picture."""
    full = SyncedImages(torch.zeros(2, HEIGHT, WIDTH, 3), torch.ones(2, HEIGHT, WIDTH))
    images, masks = merge_speakers([synced((0, 0, 2, 0.3), 0.1, 2), full])
    assert torch.equal(images, full.images)
    assert masks.min() == 1
