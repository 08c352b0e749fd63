"""Run by ComfyUI-Manager after cloning. Checks what the pack needs and says so; installs and downloads nothing.

Ends with 0 when the pack can run, with 1 when something is in its way.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

REQUIRED_PYTHON = (3, 10)  # of the rest of the pack, which is not read before this is known

PACK = Path(__file__).absolute().parent  # as it is called: custom_nodes may hold a link to it


def main() -> int:
    """Print the report and the next step."""
    if sys.version_info < REQUIRED_PYTHON:
        needed = ".".join(map(str, REQUIRED_PYTHON))
        print(f"LipSync Studio: Expected Python {needed} or newer; this is {sys.version.split()[0]}. Update ComfyUI.")
        return 1
    from pipelines.doctor import Place, examine, report

    comfyui = comfyui_folder()
    findings = examine(
        Place(comfyui, comfyui / "models" if comfyui else None, comfyui / "custom_nodes" if comfyui else None)
    )
    print(report(findings))
    if any(finding.level == "problem" for finding in findings):
        print("Next: mend what is marked with ! and run this again.")
        return 1
    print("Next: restart ComfyUI. The nodes are in the category `LipSync Studio`; the sidebar's `LipSync models` gets")
    print("weights when you ask it to. The template `quick_start` needs none.")
    return 0


def comfyui_folder() -> Path | None:
    """The ComfyUI that this pack is in, or that COMFYUI_PATH names; None when there is neither."""
    if named := os.environ.get("COMFYUI_PATH"):
        return Path(named)
    return PACK.parent.parent if PACK.parent.name == "custom_nodes" else None


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[attr-defined, union-attr]  # consoles without the ellipsis
    sys.exit(main())
