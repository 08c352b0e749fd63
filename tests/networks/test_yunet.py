"""YuNet in torch against OpenCV running the published file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.faces.detect import Detector
from lipsync_studio.pipelines.faces.embedded import WEIGHTS
from lipsync_studio.pipelines.networks.residency import load_strictly
from lipsync_studio.pipelines.networks.yunet import YuNet
from PIL import Image
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def network() -> YuNet:
    network = YuNet().eval().requires_grad_(False)
    load_strictly(network, load_file(WEIGHTS / "yunet_2023mar.safetensors"), source="test", kind="YuNet")
    return network


@pytest.fixture(scope="module")
def astronaut() -> torch.Tensor:
    """float [1, 3, 512, 512], 0-255."""
    picture = np.array(Image.open(ROOT / "workflows" / "inputs" / "astronaut.jpg").convert("RGB"))
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def test_the_best_cell_is_the_face_opencv_finds(network: YuNet, astronaut: torch.Tensor, goldens: Path) -> None:
    golden = load_arrays(goldens / "faces.safetensors")
    boxes, points, scores = network(astronaut)
    best = int(scores[0].argmax())
    np.testing.assert_allclose(boxes[0, best], golden["yunet.boxes"][0], atol=0.05)
    np.testing.assert_allclose(points[0, best], golden["yunet.points"][0], atol=0.05)
    np.testing.assert_allclose(scores[0, best], golden["yunet.scores"][0], atol=1e-3)


def test_every_cell_of_every_level_is_reported(network: YuNet) -> None:
    boxes, points, scores = network(torch.zeros(2, 3, 64, 96))
    cells = 8 * 12 + 4 * 6 + 2 * 3
    assert boxes.shape == (2, cells, 4)
    assert points.shape == (2, cells, 5, 2)
    assert scores.shape == (2, cells)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_a_batch_gives_what_each_picture_gives_alone(network: YuNet, astronaut: torch.Tensor) -> None:
    pictures = torch.cat([astronaut, astronaut.flip(3), torch.zeros_like(astronaut)])
    together = network(pictures)
    for index in range(3):
        for batched, alone in zip(together, network(pictures[index : index + 1]), strict=True):
            torch.testing.assert_close(batched[index : index + 1], alone, atol=1e-2, rtol=1e-4)


def test_a_moved_face_is_found_moved(network: YuNet, astronaut: torch.Tensor) -> None:
    boxes, _, scores = network(astronaut)
    moved, _, moved_scores = network(astronaut.roll((64, 32), dims=(2, 3)))
    there = boxes[0, scores[0].argmax()] + torch.tensor([32.0, 64.0, 32.0, 64.0])
    torch.testing.assert_close(moved[0, moved_scores[0].argmax()], there, atol=0.5, rtol=0)


def opencv_faces(shared: Path, picture: np.ndarray) -> np.ndarray:
    """float32 [k, 15] of FaceDetectorYN: x, y, width, height, five points, score; best first."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is the oracle")
    height, width = picture.shape[:2]
    model = str(shared / "weights" / "faces" / "face_detection_yunet_2023mar.onnx")
    faces = cv2.FaceDetectorYN.create(model, "", (width, height), 0.6, 0.3, 5000).detect(picture[..., ::-1].copy())[1]
    return np.zeros((0, 15), np.float32) if faces is None else faces


def assert_same_faces(shared: Path, picture: np.ndarray) -> int:
    """Compare with OpenCV on one picture; returns how many faces both found."""
    expected = opencv_faces(shared, picture)
    found = Detector(least_score=0.6).detect(torch.from_numpy(picture)[None])[0]
    assert len(found) == len(expected)
    expected = expected[np.argsort(-expected[:, 14], kind="stable")]
    corners = np.concatenate([expected[:, :2], expected[:, :2] + expected[:, 2:4]], axis=1)
    np.testing.assert_allclose(found.boxes, corners, atol=0.05)
    np.testing.assert_allclose(found.points.reshape(-1, 10), expected[:, 4:14], atol=0.05)
    np.testing.assert_allclose(found.scores, expected[:, 14], atol=1e-3)
    return len(expected)


def test_a_group_picture_agrees_with_opencv(shared: Path) -> None:
    picture = np.array(Image.open(shared / "media" / "multi_face.jpg").convert("RGB"))
    assert assert_same_faces(shared, picture) >= 5


@pytest.mark.parametrize("name", ["clips/short_hamilton_clip.mp4", "clips/WDA_EdMarkey.mp4", "yongen.mp4"])
def test_frames_of_clips_agree_with_opencv(shared: Path, name: str) -> None:
    av = pytest.importorskip("av")
    with av.open(shared / "media" / name) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)][::60]
    assert sum(assert_same_faces(shared, frame) for frame in frames) >= len(frames)
