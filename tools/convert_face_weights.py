"""Make the embedded face weights from the files their authors published (a development tool).

Needs `numpy onnx tflite safetensors`. Run:

    python tools/convert_face_weights.py face_detection_yunet_2023mar.onnx face_landmarker_v2_with_blendshapes.task

Both results go to pipelines/faces/weights/ and are byte for byte the same each time.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnx.numpy_helper
import tflite
from numpy.typing import NDArray
from safetensors.numpy import save_file

WEIGHTS = Path(__file__).resolve().parent.parent / "pipelines" / "faces" / "weights"

SOURCES = {
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_landmarker_v2_with_blendshapes.task": "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
}

Arrays = dict[str, NDArray[np.floating]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("yunet", type=Path, help="face_detection_yunet_2023mar.onnx (OpenCV zoo)")
    parser.add_argument("task", type=Path, help="face_landmarker_v2_with_blendshapes.task (MediaPipe)")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    convert(arguments.yunet, arguments.task, arguments.out)


def convert(yunet_file: Path, task_file: Path, out: Path) -> None:
    """Write both weight files to the folder `out`."""
    check(yunet_file, "face_detection_yunet_2023mar.onnx")
    check(task_file, "face_landmarker_v2_with_blendshapes.task")
    save_file(yunet(yunet_file), out / "yunet_2023mar.safetensors")
    save_file(face_mesh(task_file), out / "face_mesh_v2.safetensors")


def check(path: Path, name: str) -> None:
    """Stop unless `path` is the very file the layers were read from."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SOURCES[name]:
        raise SystemExit(f"{path} is not the {name} this tool knows (sha256 {digest}, not {SOURCES[name]})")


def yunet(path: Path) -> Arrays:
    """YuNet's convolutions under the names of networks/yunet.py; the four heads of a level become one."""
    graph = onnx.load(path).graph
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [
        (constants[node.input[1]], constants[node.input[2]]) for node in graph.node if node.op_type == "Conv"
    ]
    stem, rest = convolutions[0], convolutions[1:]
    units = [f"stages.{stage}.{index}" for stage, count in enumerate((1, 4, 2, 2, 2)) for index in range(count)]
    units += [f"laterals.{level}" for level in (2, 1, 0)]
    state: Arrays = {"stem.weight": stem[0][:, ::-1], "stem.bias": stem[1]}  # the original takes BGR
    for number, unit in enumerate(units):
        put_unit(state, unit, rest[2 * number], rest[2 * number + 1])
    heads = rest[2 * len(units) :]
    for level in range(3):
        # In the file: classes of three levels, boxes of three levels, objects, points; two convolutions each.
        parts = [heads[2 * (3 * kind + level) : 2 * (3 * kind + level) + 2] for kind in range(4)]
        joined = [
            tuple(np.concatenate([part[layer][item] for part in parts]) for item in range(2)) for layer in range(2)
        ]
        put_unit(state, f"heads.{level}", joined[0], joined[1])
    return {key: np.ascontiguousarray(array) for key, array in state.items()}


def put_unit(state: Arrays, name: str, pointwise: tuple[NDArray, ...], depthwise: tuple[NDArray, ...]) -> None:
    state[f"{name}.pointwise.weight"], state[f"{name}.pointwise.bias"] = pointwise
    state[f"{name}.depthwise.weight"], state[f"{name}.depthwise.bias"] = depthwise


def face_mesh(path: Path) -> Arrays:
    """The mesh's layers under the names of networks/face_mesh.py, in half precision as published."""
    with zipfile.ZipFile(path) as task:
        graph = TfliteGraph(task.read("face_landmarks_detector.tflite"))
    layers = list(graph.layers())
    body, heads = layers[:-3], layers[-3:]
    names = ["stem", "stem_slope"]
    for block in range(34):
        names += [f"blocks.{block}.{part}" for part in ("reduce", "reduce_slope", "depthwise", "expand", "slope")]
    # The first head belongs to a third output (a sigmoid) that the Face Landmarker graph does not read.
    names += ["unread", "presence", "landmarks"]
    state: Arrays = {}
    for name, (kind, constants) in zip(names, body + heads, strict=True):
        put_layer(state, name, kind, constants)
    return {key: np.ascontiguousarray(array) for key, array in state.items() if not key.startswith("unread")}


def put_layer(state: Arrays, name: str, kind: str, constants: list[NDArray]) -> None:
    """One layer in torch's layout: convolutions [out, in, rows, columns], PReLU [channels]."""
    if kind == "PRELU":
        state[f"{name}.weight"] = constants[0].reshape(-1)
        return
    weight, bias = constants
    if kind == "DEPTHWISE_CONV_2D":
        if bias.any():
            raise ValueError(f"{name}: the depthwise convolutions of the mesh have no bias")
        state[f"{name}.weight"] = weight.transpose(3, 0, 1, 2)
    else:
        state[f"{name}.weight"] = weight.transpose(0, 3, 1, 2)
        state[f"{name}.bias"] = bias


class TfliteGraph:
    """The operators of a tflite file with their constants."""

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAs(data, 0)
        self._graph = self._model.Subgraphs(0)
        codes = {number: name for name, number in vars(tflite.BuiltinOperator).items() if isinstance(number, int)}
        self._codes = [
            codes[self._model.OperatorCodes(index).DeprecatedBuiltinCode()]
            for index in range(self._model.OperatorCodesLength())
        ]

    def layers(self) -> Iterator[tuple[str, list[NDArray]]]:
        """(operator, constants) of each convolution and PReLU, in the order they run."""
        halves: dict[int, int] = {}  # what a DEQUANTIZE makes, by what it is made of
        for index in range(self._graph.OperatorsLength()):
            operator = self._graph.Operators(index)
            kind = self._codes[operator.OpcodeIndex()]
            if kind == "DEQUANTIZE":
                halves[operator.Outputs(0)] = operator.Inputs(0)
            elif kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "PRELU"):
                yield kind, [self._constant(halves[number]) for number in operator.InputsAsNumpy()[1:]]

    def _constant(self, number: int) -> NDArray:
        tensor = self._graph.Tensors(number)
        buffer = self._model.Buffers(tensor.Buffer()).DataAsNumpy()
        return buffer.view(np.float16).reshape(tensor.ShapeAsNumpy())


if __name__ == "__main__":
    main()
