"""Inside a shot nothing jumps: masks follow softly, measurements add up and pass over smoothly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.blending.steady import HALF_LIFE, ShotMeasure, SteadyMask, measured_frames
from torch import Tensor


def blobs(count: int, seed: int = 0) -> list[Tensor]:
    """Masks of a spot that trembles."""
    random = np.random.default_rng(seed)
    masks = []
    for _ in range(count):
        x, y = 40 + random.integers(-2, 3, 2)
        mask = torch.zeros(100, 100)
        mask[y : y + 20, x : x + 20] = 1
        masks.append(mask)
    return masks


def unrest(masks: tuple[Tensor, ...]) -> float:
    """How much what changes changes."""
    return float(np.mean([(a - 2 * b + c).abs().mean() for a, b, c in zip(masks, masks[1:], masks[2:], strict=False)]))


def test_a_trembling_mask_comes_to_rest() -> None:
    raw, half, full = (SteadyMask(strength).follow(blobs(40), 100) for strength in (0, 0.5, 1))
    assert unrest(half) < 0.6 * unrest(raw)
    assert unrest(full) < 0.15 * unrest(raw)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_blocks_do_not_show(blocks: list[int], strength: float) -> None:
    masks = blobs(sum(blocks))
    whole, steady = SteadyMask(strength).follow(masks, 100), SteadyMask(strength)
    pieces: list[Tensor] = []
    for size in blocks:
        pieces += steady.follow(masks[len(pieces) : len(pieces) + size], 100)
    assert all(torch.equal(a, b) for a, b in zip(whole, pieces, strict=True))


def test_sizes_may_differ() -> None:
    sizes = [(30, 20), (31, 22), (90, 300), (64, 64)]
    masks = SteadyMask(0.7).follow([torch.ones(size) for size in sizes], 64)
    assert [tuple(mask.shape) for mask in masks] == [(64, 64)] * 4
    assert all(float(mask.min()) == pytest.approx(1) for mask in masks)


def test_what_left_the_mask_is_gone_for_good() -> None:
    ones, zeros = torch.ones(20, 20), torch.zeros(20, 20)
    masks = SteadyMask(1).follow([ones, *[zeros] * 80], 20)
    assert float(masks[1].max()) == pytest.approx(0.9)
    assert not masks[-1].any()


def the_mean(sums: np.ndarray) -> np.ndarray:
    return sums[1:] / sums[0]


def test_a_shot_has_its_first_measure_from_its_first_frame_on() -> None:
    assert ShotMeasure(the_mean).follow(np.array([[1.0, 4.0], [1.0, 6.0]]), 3).ravel().tolist() == [5, 5, 5]


def test_later_blocks_pass_over_frame_by_frame() -> None:
    shot = ShotMeasure(the_mean)
    shot.follow(np.array([[1.0, 0.0]]), 4)
    values = shot.follow(np.array([[1.0, 8.0]]), 4).ravel()
    np.testing.assert_allclose(np.diff(values, prepend=0), values[-1] / 4)
    assert 4 < values[-1] < 4.2  # half of all frames, and the later half


def test_old_frames_count_half_after_a_half_life() -> None:
    shot, count = ShotMeasure(lambda sums: sums), int(HALF_LIFE)
    shot.follow(np.array([[8.0]]), count)
    assert shot.follow(np.array([[0.0]]), count)[-1, 0] == pytest.approx(4 * count)


def test_what_follows_may_have_any_shape() -> None:
    assert ShotMeasure(lambda sums: np.eye(3)).follow(np.zeros((2, 5)), 7).shape == (7, 3, 3)
    assert ShotMeasure(lambda sums: np.array(2.0)).follow(np.zeros((2, 5)), 7).shape == (7,)


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (2, [0, 1]), (16, [0, 15])])
def test_few_frames_are_measured(count: int, expected: list[int]) -> None:
    assert measured_frames(count) == expected
