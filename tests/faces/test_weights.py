"""The weights that come with the pack: made by the tool, small, licensed, and refused when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.faces import embedded
from lipsync_studio.pipelines.networks.yunet import YuNet

YUNET, MESH = "yunet_2023mar.safetensors", "face_mesh_v2.safetensors"


def test_the_tool_makes_the_very_files_that_are_shipped(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("tflite")
    from convert_face_weights import convert

    faces = shared / "weights" / "faces"
    convert(faces / "face_detection_yunet_2023mar.onnx", faces / "face_landmarker_v2_with_blendshapes.task", tmp_path)

    for name in (YUNET, MESH):
        assert (tmp_path / name).read_bytes() == (embedded.WEIGHTS / name).read_bytes()


def test_licences_lie_beside_the_weights() -> None:
    assert "Copyright (c) 2020 Shiqi Yu" in (embedded.WEIGHTS / "LICENSE.yunet.txt").read_text()
    assert "Apache License" in (embedded.WEIGHTS / "LICENSE.face_mesh.txt").read_text()


def test_a_truncated_file_is_refused_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / YUNET).write_bytes((embedded.WEIGHTS / YUNET).read_bytes()[:5000])
    monkeypatch.setattr(embedded, "WEIGHTS", tmp_path)
    with pytest.raises(WeightsError, match="install the pack again"):
        embedded.with_weights(YuNet(), YUNET, "YuNet")


def test_weights_of_another_network_are_refused() -> None:
    with pytest.raises(WeightsError, match="68 missing"):
        embedded.with_weights(YuNet(), MESH, "YuNet")
