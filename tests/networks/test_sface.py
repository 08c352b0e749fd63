"""SFace against ONNX Runtime, on a graph in the layout of OpenCV's file with random weights: relative L2 1e-5.

The file itself is not here; its names, shapes and constants are those that others read out of it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.measure.identity import aligned_face
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from lipsync_studio.pipelines.networks.onnx_tensors import read_onnx
from lipsync_studio.pipelines.networks.sface import SFace
from lipsync_studio.pipelines.weights.loaders import load_sface
from portrait_scene import landmarks, portrait

LAYERS = [("conv_1", 3, 32, 3, 1, 1)]
WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
for number, (before, after) in enumerate(pairwise(WIDTHS), start=2):
    stride = 2 if number in (3, 5, 7, 13) else 1
    LAYERS += [(f"conv_{number}_dw", before, before, 3, stride, before), (f"conv_{number}", before, after, 1, 1, 1)]


def drawn(name: str, *shape: int) -> np.ndarray:
    """Random, so that the signal keeps its size; variances are near 1."""
    values = seeded.floats(f"sface {name}", shape)
    if len(shape) > 1 and not name.endswith("relu_gamma"):
        return values * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    if name.endswith("moving_var"):
        return 1 + 0.2 * np.abs(values)
    return (1 if name.endswith("gamma") and "relu" not in name else 0.2) + 0.1 * values


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph as MXNet wrote OpenCV's: tensors by its names, mean and scale as tensors too."""
    onnx = pytest.importorskip("onnx")
    helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
    tensors: dict[str, np.ndarray] = {"scalar_op1": np.float32([127.5]), "scalar_op2": np.float32([1 / 128])}
    nodes: list[Any] = [
        helper.make_node("Sub", ["data", "scalar_op1"], ["centred"]),
        helper.make_node("Mul", ["centred", "scalar_op2"], ["x"]),
    ]
    last = "x"

    def norm(name: str, channels: int) -> None:
        nonlocal last
        parts = [f"{name}_{part}" for part in ("gamma", "beta", "moving_mean", "moving_var")]
        tensors.update({part: drawn(part, channels) for part in parts})
        nodes.append(helper.make_node("BatchNormalization", [last, *parts], [name], epsilon=1e-3))
        last = name

    for name, before, after, side, stride, groups in LAYERS:
        weight = f"{name}_conv2d_weight"
        tensors[weight] = drawn(weight, after, before // groups, side, side)
        attributes = {"strides": [stride] * 2, "pads": [side // 2] * 4, "group": groups, "kernel_shape": [side] * 2}
        nodes.append(helper.make_node("Conv", [last, weight], [f"{name}_conv2d"], **attributes))
        last = f"{name}_conv2d"
        norm(f"{name}_batchnorm", after)
        tensors[f"{name}_relu_gamma"] = drawn(f"{name}_relu_gamma", after, 1, 1)
        nodes.append(helper.make_node("PRelu", [last, f"{name}_relu_gamma"], [f"{name}_relu"]))
        last = f"{name}_relu"
    norm("bn1", 1024)
    tensors["pre_fc1_weight"], tensors["pre_fc1_bias"] = drawn("pre_fc1_weight", 128, 50176), drawn("pre_fc1_bias", 128)
    nodes.append(helper.make_node("Flatten", [last], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "pre_fc1_weight", "pre_fc1_bias"], ["pre_fc1"], transB=1))
    last = "pre_fc1"
    norm("fc1", 128)
    data = helper.make_tensor_value_info("data", onnx.TensorProto.FLOAT, [1, 3, 112, 112])
    out = helper.make_tensor_value_info("fc1", onnx.TensorProto.FLOAT, [1, 128])
    initializers = [to_tensor(np.ascontiguousarray(value, np.float32), key) for key, value in tensors.items()]
    initializers.append(to_tensor(np.array([1, -1], np.int64), "a_shape"))
    floats = helper.make_tensor("some_floats", onnx.TensorProto.FLOAT, [1], [0.5])  # the other way to write numbers
    graph = helper.make_graph(nodes, "sface", [data], [out], [*initializers, floats])
    path = tmp_path_factory.mktemp("sface") / "face_recognition_sface_2021dec.onnx"
    opset = [helper.make_opsetid("", 15)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def test_a_face_is_described_as_by_onnx_runtime(model_file: Path) -> None:
    session = pytest.importorskip("onnxruntime").InferenceSession(str(model_file), providers=["CPUExecutionProvider"])
    faces = np.stack([seeded.image(f"face{number}", 112, 112) for number in range(2)]).astype(np.float32)
    found = load_sface(model_file)(torch.from_numpy(faces)).numpy()
    for face, values in zip(faces, found, strict=True):
        (expected,) = session.run(None, {"data": face.transpose(2, 0, 1)[None]})
        expected = expected[0] / np.linalg.norm(expected[0])
        assert np.linalg.norm(values - expected) < 1e-5


def test_every_tensor_of_a_graph_is_read(model_file: Path) -> None:
    tensors = read_onnx(model_file, "SFace", "Get it.")
    assert len(tensors) == 174 + 1
    assert tensors["some_floats"].tolist() == [0.5]
    np.testing.assert_array_equal(tensors["conv_4_conv2d_weight"], drawn("conv_4_conv2d_weight", 128, 128, 1, 1))


def test_a_file_that_lacks_a_tensor_is_refused(model_file: Path) -> None:
    tensors = read_onnx(model_file, "SFace", "Get it.")
    del tensors["bn1_beta"]
    with pytest.raises(WeightsError, match=r"bn1\.bias"):
        SFace(tensors, "sface.onnx")


@pytest.mark.parametrize("kept", [0, 1, 17, 4000, 2_000_000])
def test_half_a_file_is_refused(model_file: Path, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "half.onnx"
    path.write_bytes(model_file.read_bytes()[:kept])
    with pytest.raises(WeightsError, match="models/lipsync/sface"):
        load_sface(path)


@pytest.mark.parametrize(
    "content", [b"version https://git-lfs.github.com/spec/v1", b"<html>", bytes(100), b"\xff" * 50]
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sface.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match=r"in sface\.onnx; got (no ONNX file|a file without)"):
        load_sface(tmp_path / "sface.onnx")


def field(number: int, content: bytes) -> bytes:
    """Of a protocol buffer, with less than 128 bytes in it."""
    return bytes([number << 3 | 2, len(content)]) + content


@pytest.mark.parametrize(
    ("tensor", "why"),
    [
        (b"\x08" + b"\xff" * 9 + b"\x01", ""),  # a side of -1
        (b"\x08" + b"\xff" * 90, "more than 64 bits"),
        (b"\x08\x01" * 30, ""),  # a number without a value
        (b"\x08\x02" * 40, ""),
    ],
    ids=["negative side", "endless number", "no value", "40 axes"],
)
def test_a_tensor_that_cannot_be_is_refused(tmp_path: Path, tensor: bytes, why: str) -> None:
    path = tmp_path / "sface.onnx"
    path.write_bytes(field(7, field(5, b"\x10\x01" + tensor)))  # graph, initializer, float32
    with pytest.raises(WeightsError, match=f"no ONNX file.*{why}"):
        read_onnx(path, "SFace", "Get it.")


def test_a_file_that_is_too_large_for_onnx_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "sface.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)  # sparse
    with pytest.raises(WeightsError, match="2,147,483,648 bytes"):
        read_onnx(path, "SFace", "Get it.")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no file there"):
        load_sface(tmp_path / "sface.onnx")


def test_a_face_is_aligned_and_described_as_by_opencv(model_file: Path) -> None:
    """Pixels to 4 levels, as cv2 computes in steps of 1/32 px; the description to a cosine of 0.999."""
    cv2 = pytest.importorskip("cv2")
    recognizer = cv2.FaceRecognizerSF.create(str(model_file), "")
    points = landmarks()
    eyes = [points[36:42].mean(axis=0), points[42:48].mean(axis=0)]
    five = np.stack([*eyes, points[30], points[48], points[54]])
    bgr = np.ascontiguousarray((portrait().numpy()[..., ::-1] * 255).round().astype(np.uint8))
    aligned = recognizer.alignCrop(bgr, np.concatenate([[0, 0, 1, 1], five.ravel(), [1]]).astype(np.float32))
    found = aligned_face(ImagePicture(portrait()), points)
    difference = np.abs(found[..., ::-1] - aligned)
    assert difference.max() < 4
    assert difference.mean() < 1
    expected = recognizer.feature(aligned)[0]
    ours = load_sface(model_file)(torch.from_numpy(found)[None])[0].numpy()
    assert float(ours @ expected) / np.linalg.norm(expected) > 0.999
