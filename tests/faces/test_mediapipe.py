"""ComfyUI's own MediaPipe port as a finder.

The released weights are not to be had here. The classes run at full shape with random numbers, which shows that the
parts fit together and nothing about quality; and with the real short-range detector and the real mesh of the Face
Landmarker's task file. That mesh is another network than the port's: it takes its place, as large as 256 px instead of
192. So what is measured is the detector, the way the port cuts faces out, and the finder.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.faces import TRUSTED
from lipsync_studio.pipelines.faces.embedded import with_weights
from lipsync_studio.pipelines.faces.finder import FaceFinder, thumbnails
from lipsync_studio.pipelines.faces.given import given_finder
from lipsync_studio.pipelines.faces.ibug import MESH_POINTS
from lipsync_studio.pipelines.faces.likeness import SAME
from lipsync_studio.pipelines.faces.mediapipe import FaceLandmarkerModel, MediaPipeFinder
from lipsync_studio.pipelines.networks.face_mesh import SIDE, FaceMesh
from numpy.typing import NDArray
from seeded_checkpoints import seeded
from torch import Tensor, nn
from torch.nn import functional

core = pytest.importorskip("comfy_extras.nodes_mediapipe", reason="this ComfyUI is older than its MediaPipe nodes")

PORT_SIDE = 192  # px, the input of the port's mesh
PARTS = ("face_oval", "left_eye", "right_eye", "left_eyebrow", "right_eyebrow", "lips", "irises", "nose", "tesselation")


def state(seed: int = 0) -> dict[str, Tensor]:
    """Random numbers in the layout of the released file."""
    tensors: dict[str, Tensor] = {}
    for variant in ("short", "full"):
        network = core.FaceLandmarker(detector_variant=variant)
        shapes = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
        for key, tensor in seeded(shapes, seed=seed).items():
            tensors[key.replace("detector.", f"detector_{variant}.")] = tensor
    tensors |= {f"topology.{part}": torch.tensor([[0, 1]], dtype=torch.int32) for part in PARTS}
    generator = torch.Generator().manual_seed(seed)
    tensors["canonical_vertices"] = torch.randn(468, 3, generator=generator)
    tensors["procrustes_indices"] = torch.arange(0, 468, 20, dtype=torch.int32)
    tensors["procrustes_weights"] = torch.ones(len(tensors["procrustes_indices"]))
    return tensors


@pytest.fixture(scope="module")
def chunk_of(clip_of: Callable) -> Callable:
    def chunk_of(*pictures: NDArray) -> object:
        (chunk,) = clip_of(list(pictures)).read([np.arange(len(pictures))])
        return chunk

    return chunk_of


class TaskMesh(nn.Module):
    """The embedded mesh of the task file, taking and giving what the port's mesh does."""

    def __init__(self) -> None:
        super().__init__()
        self.network = with_weights(FaceMesh(), "face_mesh_v2.safetensors", "MediaPipe's face mesh v2").ready(0)

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        points, presence = self.network(functional.interpolate(rgb, size=(SIDE, SIDE), mode="bilinear"))
        return points * (PORT_SIDE / SIDE), torch.logit(presence, eps=1e-6)


def short_detector(task: Path) -> dict[str, Tensor]:
    """The detector of the task file: its layers are the port's, one to one and in the same order."""
    pytest.importorskip("tflite")
    from convert_face_weights import TfliteGraph

    with zipfile.ZipFile(task) as parts:
        layers = TfliteGraph(parts.read("face_detector.tflite")).layers()
    names = ["stem", *(f"blocks.{block}.{part}" for block in range(16) for part in ("depthwise", "pointwise"))]
    names += ["cls_16", "cls_8", "reg_16", "reg_8"]
    tensors: dict[str, Tensor] = {}
    for name, (kind, (weight, bias)) in zip(names, layers, strict=True):
        axes = (3, 0, 1, 2) if kind == "DEPTHWISE_CONV_2D" else (0, 3, 1, 2)
        tensors[f"detector_short.{name}.weight"] = torch.tensor(weight.transpose(axes).astype(np.float32))
        tensors[f"detector_short.{name}.bias"] = torch.tensor(bias.astype(np.float32))
    return tensors


@pytest.fixture(scope="module")
def model(shared: Path) -> FaceLandmarkerModel:
    """The port with the real short-range detector, and the task file's mesh in the place of its own."""
    detector = short_detector(shared / "weights" / "faces" / "face_landmarker_v2_with_blendshapes.task")
    model = core.FaceLandmarkerModel(state() | detector)
    model.models["short"].mesh = TaskMesh()
    return model


@pytest.fixture(scope="module")
def finder(model: FaceLandmarkerModel) -> MediaPipeFinder:
    return MediaPipeFinder(model, "short")


def error(landmarks: NDArray, expected: NDArray) -> float:
    """Mean distance in parts of the distance between the outer eye corners."""
    return float(np.linalg.norm(landmarks - expected, axis=1).mean() / np.linalg.norm(expected[36] - expected[45]))


def on_grey(pixels: NDArray, width: int, height: int, left: int, top: int) -> NDArray:
    canvas = np.full((height, width, 3), 90, np.uint8)
    canvas[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return canvas


@pytest.mark.parametrize("variant", ["short", "full", "both"])
def test_the_port_with_random_numbers_runs_through(chunk_of: Callable, astronaut: NDArray, variant: str) -> None:
    chunk = chunk_of(astronaut[:256, 100:356])
    (faces,) = MediaPipeFinder(core.FaceLandmarkerModel(state()), variant).find(chunk, thumbnails(chunk))
    assert 1 <= len(faces) <= 8
    assert all(0 <= face.score <= 1 for face in faces)


def test_its_nodes_output_is_the_same_faces(chunk_of: Callable, astronaut: NDArray) -> None:
    """FACE_LANDMARKS and BOUNDING_BOX as the real node makes them, taken by the finder for given faces."""
    pictures = torch.from_numpy(astronaut[:256, 100:356] / np.float32(255))[None].repeat(2, 1, 1, 1)
    model = core.FaceLandmarkerModel(state())
    with torch.inference_mode():  # as ComfyUI runs its nodes
        landmarks, boxes = core.MediaPipeFaceLandmarker.execute(model, pictures, "short", 2, 0.5, "empty").result
    chunk = chunk_of(*[astronaut[:256, 100:356]] * 2)
    taken = given_finder(landmarks, 2, 256, 256).find(chunk, thumbnails(chunk))
    for faces, found in zip(taken, landmarks["frames"], strict=True):
        assert len(faces) == len(found) == 2
        np.testing.assert_allclose(faces[1].landmarks, found[1]["landmarks_xy"][MESH_POINTS], atol=1e-2)
    assert [len(faces) for faces in boxes] == [2, 2]
    given_finder(boxes, 2, 256, 256)


def test_landmarks_agree_with_the_embedded_finder(
    finder: MediaPipeFinder, chunk_of: Callable, astronaut: NDArray
) -> None:
    """Measured: 1 % of the distance between the outer corners of the eyes."""
    chunk = chunk_of(astronaut, astronaut[:, ::-1].copy())
    found = finder.find(chunk, thumbnails(chunk))
    expected = FaceFinder().find(chunk, thumbnails(chunk))
    assert [len(faces) for faces in found] == [1, 1]
    for (face,), (own,) in zip(found, expected, strict=True):
        assert error(face.landmarks, own.landmarks) < 0.02
        assert np.abs(face.box - own.box).max() < 12
        assert face.score > 0.9 > TRUSTED
        assert face.likeness @ own.likeness > SAME


def test_a_small_face_is_looked_at_again(
    finder: MediaPipeFinder, model: FaceLandmarkerModel, chunk_of: Callable, astronaut: NDArray
) -> None:
    """In four places of a picture 1600 px wide, in which it has 226 px, and 90 px in the thumbnail."""
    head = astronaut[:256, 90:346].repeat(2, axis=0).repeat(2, axis=1)
    places = [(400, 200), (150, 300), (700, 100), (910, 377)]
    chunk = chunk_of(*[on_grey(head, 1600, 900, *place) for place in places])
    small = thumbnails(chunk)
    with torch.no_grad():
        first = model.detect_batch(list(small.numpy()), num_faces=1, score_thresh=0.5, variant="short")
    at_once, again = [], []
    for rough, faces, owns in zip(first, finder.find(chunk, small), FaceFinder().find(chunk, small), strict=True):
        own = max(owns, key=lambda face: face.score).landmarks
        at_once.append(error(rough[0]["landmarks_xy"][MESH_POINTS] * 2.5, own))
        again.append(min(error(face.landmarks, own) for face in faces))
    assert max(again) < 0.02
    assert np.mean(again) < 0.6 * np.mean(at_once)
