"""Makes ComfyUI's source and this pack importable, the way ComfyUI itself would load the pack."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

PACK = Path(__file__).resolve().parent.parent
COMFYUI = Path(os.environ["COMFYUI_PATH"])


def _make_importable() -> None:
    import torch

    sys.path.insert(0, str(COMFYUI))
    if torch.version.cuda is None:
        _torchvision_without_operators()
    from comfy.cli_args import args

    args.cpu = not torch.cuda.is_available()
    spec = importlib.util.spec_from_file_location(
        "lipsync_studio", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lipsync_studio"] = module
    spec.loader.exec_module(module)


def _torchvision_without_operators() -> None:
    import torch

    global _library
    _library = torch.library.Library("torchvision", "FRAGMENT")
    _library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _library.define(
        "qnms(Tensor dets, Tensor scores, Tensor areas, float iou_threshold, float scale, int zero_point) -> Tensor"
    )


_make_importable()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of large test material beside the repository; tests that need it skip without it."""
    folder = PACK.parent / "shared"
    if not (folder / "goldens").is_dir():
        pytest.skip("the folder ../shared with large goldens, clips and weights is not here")
    return folder


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The small goldens kept in the repository."""
    return PACK / "tests" / "goldens"
