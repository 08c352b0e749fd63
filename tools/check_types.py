"""Runs mypy over the pack and its tools.

    python tools/check_types.py

The pack is a package whose folder may have any name, also one that Python cannot import ("lipsync-studio"). mypy
therefore sees it through a link called lipsync_studio, the name that the tests use too.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import environment
from link_folder import link_folder

TOOLS = Path(__file__).resolve().parent
PACK = TOOLS.parent


def main() -> int:
    environment.enter()
    place = PACK / ".mypy_cache" / "as_package"
    place.mkdir(parents=True, exist_ok=True)
    link_folder(PACK, place / "lipsync_studio")
    packages = ["-m", "lipsync_studio", *(f"-plipsync_studio.{name}" for name in ("nodes", "pipelines"))]
    tools = [f"-m{file.stem}" for file in sorted(TOOLS.glob("*.py"))]
    settings = ["--config-file", str(PACK / "pyproject.toml"), "--cache-dir", str(PACK / ".mypy_cache")]
    command = [sys.executable, "-m", "mypy", *settings, *packages, *tools]
    return subprocess.run(command, cwd=place, env=os.environ | {"MYPYPATH": str(TOOLS)}).returncode


if __name__ == "__main__":
    sys.exit(main())
