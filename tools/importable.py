"""Makes ComfyUI's source and this pack importable: the pack as ComfyUI loads it, by its path."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent


def make_importable(*, cpu: bool) -> None:
    """Register the pack as `lipsync_studio`, whatever its folder is called; needs COMFYUI_PATH.

    cpu: have ComfyUI leave a GPU alone.
    """
    comfyui = Path(os.environ.get("COMFYUI_PATH", ""))
    if not (comfyui / "main.py").is_file():
        raise SystemExit("This needs ComfyUI: run `python tools/test.py`, or set COMFYUI_PATH to its folder.")
    sys.path.insert(0, str(comfyui))
    import torch_operators

    torch_operators.declare_before_torchvision()
    from comfy.cli_args import args

    args.cpu = cpu
    spec = importlib.util.spec_from_file_location(
        "lipsync_studio", PACK / "__init__.py", submodule_search_locations=[str(PACK)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["lipsync_studio"] = module
    spec.loader.exec_module(module)
