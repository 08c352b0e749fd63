"""Lets ComfyUI start where the torch build and the torchvision and torchaudio wheels do not fit each other.

The package index has the CUDA builds of torchvision and torchaudio only. Beside a CPU build of torch their compiled
libraries cannot be loaded. ComfyUI needs torchvision to import, not its compiled operators, and torchaudio works
without its libraries.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

# The schemas that torchvision itself registers fakes for while it is imported (torchvision/_meta_registrations.py).
SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, Tensor areas, float iou_threshold, float scale, int zero_point) -> Tensor",
)

# The declarations vanish with the object that made them.
_kept: list[object] = []


class _BeforeTorchvision(MetaPathFinder):
    """Finds nothing; declares the operators at the moment torchvision is first looked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name == "torchvision":
            sys.meta_path.remove(self)
            _declare_missing_operators()
        return None


def declare_before_torchvision() -> None:
    """Declare torchvision's operators when it is first imported, if its own library cannot be loaded.

    Waits for that import because ComfyUI sets up the GPU before anything may import torch.
    """
    sys.meta_path.insert(0, _BeforeTorchvision())


def _declare_missing_operators() -> None:
    if all(_loads(library) for library in _libraries("torchvision", "_C.*")):
        return
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    _kept.append(library)
    for schema in SCHEMAS:
        library.define(schema)


def remove_unloadable_torchaudio_libraries() -> None:
    """Delete torchaudio's compiled libraries where they cannot be loaded; it then runs in pure Python."""
    for library in _libraries("torchaudio", "lib/*.so"):
        if not _loads(library):
            library.unlink()


def _libraries(package: str, pattern: str) -> list[Path]:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return []
    return sorted(Path(spec.origin).parent.glob(pattern))


def _loads(library: Path) -> bool:
    import torch

    try:
        torch.ops.load_library(library)
    except OSError:
        return False
    return True


def main() -> None:
    """Mend a fresh installation, and fail when ComfyUI could not import the two packages."""
    remove_unloadable_torchaudio_libraries()
    declare_before_torchvision()
    importlib.import_module("torchvision")
    importlib.import_module("torchaudio")


if __name__ == "__main__":
    main()
