"""S3FD against the reference network under seeded weights, and its decoding against the reference's own.

Tolerances: maps relative L2 1e-5; boxes 1e-3 px, scores 1e-6. The last coordinates and the exponential are float32.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import reference_faces
import seeded
import seeded_checkpoints
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.residency import load_strictly
from lipsync_studio.pipelines.networks.s3fd import MEANS, S3FD, Level, S3FDDetector, best_boxes
from safetensors.torch import load_file
from torch import Tensor

CELLS = [(64, 80), (32, 40), (16, 20), (8, 10), (4, 5), (2, 2)]  # of the six levels of the constructed maps


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "s3fd.safetensors")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return seeded_checkpoints.of_golden("s3fd")


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor]) -> S3FD:
    network = S3FD().eval().requires_grad_(False)
    load_strictly(network, weights, source="seeded weights", kind="S3FD")
    return network


@pytest.fixture(scope="module")
def detector(weights: dict[str, Tensor]) -> S3FDDetector:
    return S3FDDetector(weights, "seeded")


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """uint8 [96, 128, 3]: the picture of the goldens, its channels as they are."""
    return torch.from_numpy(seeded.image("s3fd_img", 96, 128))


def constructed(golden: dict[str, Tensor]) -> list[Level]:
    """The maps whose decoding is frozen."""
    offsets = [torch.from_numpy(seeded.floats(f"s3fd_reg{i}", (1, 4, *cells), 0.4)) for i, cells in enumerate(CELLS)]
    return [(golden[f"fake_cls{i}"][None], offset) for i, offset in enumerate(offsets)]


def test_every_map_is_the_references(network: S3FD, picture: Tensor, golden: dict[str, Tensor]) -> None:
    levels = network((picture - torch.tensor(MEANS)).permute(2, 0, 1)[None])
    maps = [part[0] for level in levels for part in level]
    assert len(maps) == 12
    for number, found in enumerate(maps):
        expected = golden[f"map{number:02d}"]
        assert found.shape == expected.shape
        assert float((found - expected).norm() / expected.norm()) < 1e-5


def test_the_best_box_is_the_references_first(golden: dict[str, Tensor], goldens: Path) -> None:
    boxes, scores = best_boxes(constructed(golden))
    np.testing.assert_allclose(boxes[0], golden["fake_final"][0, :4], atol=1e-3)
    np.testing.assert_allclose(scores[0], golden["fake_final"][0, 4], atol=1e-6)
    first = json.loads((goldens / "s3fd.json").read_text())["first_face_box"]
    assert boxes[0].int().tolist() == first


def test_the_oracle_is_the_reference(golden: dict[str, Tensor]) -> None:
    """What the next test and the benchmark stand on."""
    found = reference_faces.candidates(constructed(golden))
    np.testing.assert_allclose(found, golden["fake_candidates"], atol=1e-3)
    np.testing.assert_allclose(reference_faces.faces(found), golden["fake_final"], atol=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 4))
def test_suppression_never_changes_which_box_is_best(seed: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes = [(8, 8), (4, 4), (2, 2), (1, 1), (1, 1), (1, 1)]
    levels = [
        (spread * torch.randn(1, 2, *size, generator=generator), torch.randn(1, 4, *size, generator=generator))
        for size in sizes
    ]
    kept = reference_faces.faces(reference_faces.candidates(levels))
    boxes, scores = best_boxes(levels)
    assert (float(scores[0]) > 0.5) == (len(kept) > 0)
    if len(kept):
        np.testing.assert_allclose(torch.cat([boxes[0], scores]), kept[0], rtol=1e-4, atol=1e-3)


def test_pictures_are_given_as_rgb_less_means_in_the_references_order(
    detector: S3FDDetector, network: S3FD, picture: Tensor
) -> None:
    boxes, scores = detector(picture[None])
    less_means = picture - torch.tensor([104.0, 117.0, 123.0])
    expected_boxes, expected_scores = best_boxes(network(less_means.permute(2, 0, 1)[None]))
    torch.testing.assert_close(boxes, expected_boxes, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(scores, expected_scores, rtol=1e-4, atol=1e-4)


def test_a_batch_gives_what_each_picture_gives_alone(detector: S3FDDetector, picture: Tensor) -> None:
    small = picture[:32, :64]
    pictures = torch.stack([small, small.flip(0), torch.zeros_like(small)])
    for found, alone in zip(
        detector(pictures), zip(*(detector(one[None]) for one in pictures), strict=True), strict=True
    ):
        torch.testing.assert_close(found, torch.cat(alone), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("height", "width"), [(8, 64), (40, 20), (1, 1)])
def test_a_picture_smaller_than_the_pooling_is_searched_amid_the_mean(
    detector: S3FDDetector, picture: Tensor, height: int, width: int
) -> None:
    """A clip 20 times as wide as it is high has 26 px at the size that is searched."""
    small = picture[:height, :width]
    amid = torch.tensor(MEANS).repeat(max(height, 32), max(width, 32), 1)
    amid[:height, :width] = small
    for found, expected in zip(detector(small[None]), detector(amid[None]), strict=True):
        torch.testing.assert_close(found, expected)


def test_other_weights_are_refused() -> None:
    with pytest.raises(WeightsError, match="S3FD face detector"):
        S3FDDetector({"conv1_1.weight": torch.zeros(1)}, "other.pth")
