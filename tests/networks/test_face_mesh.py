"""The face mesh in torch against the published tflite file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.faces.embedded import WEIGHTS
from lipsync_studio.pipelines.networks.face_mesh import POINTS, SIDE, FaceMesh
from lipsync_studio.pipelines.networks.residency import load_strictly
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file


@pytest.fixture(scope="module")
def network() -> FaceMesh:
    network = FaceMesh().eval().requires_grad_(False)
    load_strictly(network, load_file(WEIGHTS / "face_mesh_v2.safetensors"), source="test", kind="the mesh")
    return network


@pytest.fixture(scope="module")
def face(goldens: Path) -> torch.Tensor:
    """float [1, 3, 256, 256], 0-1."""
    pixels = load_arrays(goldens / "faces.safetensors")["mesh.pixels"]
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


def test_landmarks_are_those_of_the_published_file(network: FaceMesh, face: torch.Tensor, goldens: Path) -> None:
    golden = load_arrays(goldens / "faces.safetensors")
    landmarks, presence = network(face)
    np.testing.assert_allclose(landmarks[0], golden["mesh.landmarks"], atol=0.02)
    np.testing.assert_allclose(presence, golden["mesh.presence"], atol=1e-3)
    assert golden["mesh.presence"][0] > 0.99


def test_noise_is_no_face(network: FaceMesh) -> None:
    noise = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    assert network(noise)[1].item() < 0.1


def test_a_batch_gives_what_each_face_gives_alone(network: FaceMesh, face: torch.Tensor) -> None:
    faces = torch.cat([face, face.flip(3), torch.zeros_like(face)])
    landmarks, presence = network(faces)
    assert landmarks.shape == (3, POINTS, 3)
    assert presence.shape == (3,)
    for index in range(3):
        alone = network(faces[index : index + 1])
        torch.testing.assert_close(landmarks[index : index + 1], alone[0], atol=1e-2, rtol=0)
        torch.testing.assert_close(presence[index : index + 1], alone[1], atol=1e-4, rtol=0)
