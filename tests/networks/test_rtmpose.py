"""RTMPose-l against MMPose under seeded weights, from the frame to the landmarks.

Tolerances: columns and rows relative L2 1e-4 (the network's input differs by one grey level in 0.3 % of its numbers,
see tests/faces/test_reference.py); landmarks 1e-3 px of the network, which is exact on their grid of half a pixel.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.faces.reference import Window
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from lipsync_studio.pipelines.networks.residency import load_strictly
from lipsync_studio.pipelines.networks.rtmpose import MIRRORED, DWPose, RTMPose, face_points, network_input
from safetensors.torch import load_file
from torch import Tensor

FRAMES = {"portrait": (304, 176), "landscape": (270, 480)}


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "rtmpose.safetensors")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return seeded_checkpoints.of_golden("dwpose")


@pytest.fixture(scope="module")
def pose(weights: dict[str, Tensor]) -> DWPose:
    return DWPose(weights, "seeded")


def frame(name: str) -> ImagePicture:
    """A frame of the goldens."""
    bgr = seeded.image(f"pose_{name}", *FRAMES[name])
    return ImagePicture(torch.from_numpy(bgr[..., ::-1].astype(np.float32) / 255))


def shown(name: str) -> Tensor:
    """What DWPose sees of it: [1, 384, 288, 3]."""
    picture = frame(name)
    return torch.from_numpy(Window.around(picture).show(picture))[None]


def test_columns_and_rows_are_the_references(weights: dict[str, Tensor], golden: dict[str, Tensor]) -> None:
    network = RTMPose().eval().requires_grad_(False)
    load_strictly(network, weights, source="seeded weights", kind="RTMPose")
    pixels = network_input(shown("portrait"))
    columns, rows = network(torch.cat([pixels, pixels.flip(3)]))
    face = slice(23, 91, 6)
    found = {"x_face": columns[0, face], "y_face": rows[0, face], "x_flip_face": columns[1, face]}
    for key, values in found.items():
        expected = golden[f"portrait.simcc_{key}"]
        assert float((values - expected).norm() / expected.norm()) < 1e-4, key


def test_landmarks_of_a_batch_are_the_references(pose: DWPose, golden: dict[str, Tensor]) -> None:
    points = pose(torch.cat([shown(name) for name in FRAMES])).numpy()
    for name, found in zip(FRAMES, points, strict=True):
        window = Window.around(frame(name))
        np.testing.assert_allclose(window.to_picture(found), golden[f"{name}.face"], atol=1e-3 * window.step)


def test_the_mirror_is_the_references(golden: dict[str, Tensor]) -> None:
    assert list(MIRRORED) == golden["face_flip"].tolist()


def test_both_views_count_alike() -> None:
    columns, rows = torch.zeros(2, 133, 576), torch.zeros(2, 133, 768)
    rows[0, 23:91, 5] = 1
    columns[0, 23 + 36, 100] = 1  # the outer corner of the eye on the left ...
    columns[1, 23 + 45, 575 - 100] = 1  # ... which is the other one in the mirror
    columns[1, 23 + 36, 300] = 1.5  # a higher single voice, but only one of two, for the mirrored eye
    points = face_points(columns, rows)[0]
    assert points[36].tolist() == [50, 2.5]
    assert points[45].tolist() == [(575 - 300) / 2, 2.5]


def test_a_point_nothing_speaks_for_is_put_outside() -> None:
    points = face_points(torch.zeros(2, 133, 576), torch.ones(2, 133, 768))
    assert (points == -0.5).all()


def test_other_weights_are_refused() -> None:
    with pytest.raises(WeightsError, match="DWPose landmark model"):
        DWPose({"head.cls_x.weight": torch.zeros(1)}, "other.pth")
