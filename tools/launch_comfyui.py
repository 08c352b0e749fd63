"""Runs ComfyUI's main.py, from the folder COMFYUI_PATH, with the arguments given."""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

import torch_operators

if __name__ == "__main__":
    comfyui = Path(os.environ["COMFYUI_PATH"])
    sys.path[0] = str(comfyui)  # in place of tools/
    torch_operators.declare_before_torchvision()
    runpy.run_path(str(comfyui / "main.py"), run_name="__main__")
