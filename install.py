"""Run by ComfyUI-Manager after cloning. Checks what the pack needs and says so; installs and downloads nothing."""

from __future__ import annotations

import importlib.util
import sys

REQUIRED_PYTHON = (3, 10)
NEEDED = ("torch", "numpy", "av", "scipy", "PIL", "safetensors")


def problems() -> list[str]:
    """Each sentence: what is expected, what is here, what to do."""
    found = []
    if sys.version_info < REQUIRED_PYTHON:
        found.append(
            f"Expected Python {REQUIRED_PYTHON[0]}.{REQUIRED_PYTHON[1]} or newer; this is {sys.version.split()[0]}. "
            "Update ComfyUI's Python."
        )
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        found.append(
            f"Expected the packages that ComfyUI itself installs; {', '.join(missing)} cannot be found by "
            f"{sys.executable}. Run this with ComfyUI's own Python, or reinstall ComfyUI's requirements.txt."
        )
    return found


def main() -> int:
    """Print the findings; 0 when nothing is wrong."""
    found = problems()
    for sentence in found:
        print(f"LipSync Studio: {sentence}")
    if not found:
        print("LipSync Studio: ready. Restart ComfyUI; the nodes are in the category `LipSync Studio`.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
