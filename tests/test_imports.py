"""Who may import whom: the table of docs/architecture.md, enforced on every import of the pack."""

from __future__ import annotations

import sys
from pathlib import Path

import draw_architecture
import pytest
from draw_architecture import Import, imports_of, source_files

# What ComfyUI's own requirements bring. torchaudio and torchvision are not among them: they leave, or do not fit.
LIBRARIES = {"PIL", "einops", "numpy", "safetensors", "scipy", "torch", "transformers"}
COMFYUI = {"comfy", "comfy_api", "comfy_execution", "comfy_extras", "execution", "folder_paths", "server"}

FEATURES = {"audio", "blending", "cloud", "engines", "faces", "lyrics", "measure", "media", "weights"}

# folder -> (folders it may import beside itself, modules from outside it may import beside the standard library)
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "core": (set(), {"numpy", "torch"}),
    "networks": ({"core"}, LIBRARIES | {"comfy", "comfy_extras"}),
    **{feature: ({"core", "networks"}, LIBRARIES) for feature in FEATURES},
    "media": ({"core", "networks"}, LIBRARIES | {"av"}),
    "cloud": ({"core"}, {"numpy", "requests", "torch", "urllib3"}),
    "weights": ({"core", "networks"}, LIBRARIES | {"filelock", "huggingface_hub"}),
    "pipelines": (FEATURES | {"core", "networks"}, LIBRARIES),
    "nodes": (FEATURES | {"core", "networks", "pipelines"}, LIBRARIES | COMFYUI | {"aiohttp", "filelock"}),
    "root": ({"nodes"}, {"comfy_api"}),
}


def is_allowed(found: Import) -> bool:
    folders, modules = ALLOWED[found.folder]
    if found.own:
        return found.target == found.folder or found.target in folders
    module = found.target.split(".")[0]
    return module in sys.stdlib_module_names or module in modules


def test_every_import_is_allowed() -> None:
    imports = [found for file in source_files() for found in imports_of(file)]
    assert len(imports) > 50, "nothing was read, so nothing was checked"
    forbidden = [
        f"{found.file.relative_to(draw_architecture.PACK)}:{found.line}: {found.folder} may not import {found.target}"
        for found in imports
        if not is_allowed(found)
    ]
    assert forbidden == []


@pytest.mark.parametrize(
    ("file", "source", "allowed"),
    [
        ("pipelines/core/a.py", "import torch, json", True),
        ("pipelines/core/a.py", "import scipy", False),
        ("pipelines/core/a.py", "from ..networks import residency", False),
        ("pipelines/faces/a.py", "from ..networks.yunet import YuNet", True),
        ("pipelines/faces/a.py", "from .. import networks", True),
        ("pipelines/faces/a.py", "from ..media.decode import open_video", False),
        ("pipelines/faces/a.py", "from .. import media", False),
        ("pipelines/faces/deeper/a.py", "from ...media import decode", False),
        ("pipelines/faces/a.py", "from ..lipsync import lip_sync_video", False),
        ("pipelines/faces/a.py", "def f():\n    import comfy.utils", False),
        ("pipelines/faces/a.py", "import av", False),
        ("pipelines/media/a.py", "import av", True),
        ("pipelines/cloud/a.py", "import requests", True),
        ("pipelines/cloud/a.py", "from ..media.sound import attach", False),
        ("pipelines/networks/a.py", "import comfy.ops", True),
        ("pipelines/networks/a.py", "from folder_paths import models_dir", False),
        ("pipelines/networks/a.py", "import torchvision", False),
        ("pipelines/song.py", "from .audio.mel import log_mel", True),
        ("pipelines/song.py", "from ..nodes import host", False),
        ("pipelines/song.py", "from pipelines.audio import mel", False),
        ("nodes/a.py", "from ..pipelines.faces import crop", True),
        ("nodes/a.py", "import lipsync_studio", False),
        ("nodes/a.py", "import nodes", False),
    ],
)
def test_the_rules_see(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, source: str, allowed: bool) -> None:
    monkeypatch.setattr(draw_architecture, "PACK", tmp_path)
    for folder in ("nodes", "pipelines/core", "pipelines/faces/deeper", "pipelines/media", "pipelines/networks"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pipelines" / "audio").mkdir()
    (tmp_path / "pipelines" / "cloud").mkdir()
    path = tmp_path / file
    path.write_text(source)
    assert all(is_allowed(found) for found in imports_of(path)) is allowed


def test_the_picture_is_up_to_date() -> None:
    committed = draw_architecture.PICTURE.read_text(encoding="utf-8")
    assert committed == draw_architecture.render(), "run: python tools/draw_architecture.py"


def test_every_folder_says_what_it_is_for() -> None:
    assert [row for row in draw_architecture.render().splitlines() if row.endswith("|  |")] == []
