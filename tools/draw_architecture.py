"""Draws docs/architecture.md from the real imports, so that the picture cannot go stale.

python tools/draw_architecture.py               write the file
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACK = Path(__file__).resolve().parent.parent
PICTURE = PACK / "docs" / "architecture.md"

INTRODUCTION = """# Architecture

<!-- Written by tools/draw_architecture.py. Change that, or the docstring of a folder, and run it. -->

## The way of the data

```
VIDEO or IMAGE --> media: decode --> faces: detect, follow, crop plan --+
AUDIO -----------> audio: features, one window per frame ---------------+
                                                                        v
                   engines, segment by segment --> blending --> media: encode --> VIDEO or IMAGE
```

A clip is read twice and never held whole. The first reading finds faces and shots and keeps about 0.6 kB for each face
and frame. The second crops, asks the engine, pastes and encodes; decoding, network and encoding run side by side over
small queues. An engine sees segments only: frames in a row of one person in one shot. All other frames pass through
unchanged.

## Who imports whom

An arrow means "imports". `tests/test_imports.py` says which arrows are allowed.

"""


@dataclass(frozen=True)
class Import:
    """One import statement of one file. folder: the file's folder, "pipelines" for the files right in it.

    target: the folder it leads to when the import is relative, else the module's full name. own: it is relative.
    """

    file: Path
    line: int
    folder: str
    target: str
    own: bool


def source_files() -> list[Path]:
    """The Python files that ComfyUI loads."""
    return [PACK / "__init__.py", *sorted([*PACK.glob("nodes/**/*.py"), *PACK.glob("pipelines/**/*.py")])]


def imports_of(file: Path) -> Iterator[Import]:
    """Every import in `file`, those inside functions and TYPE_CHECKING blocks too."""
    folder = folder_of(file)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(file, node.lineno, folder, name.name, own=False)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield Import(file, node.lineno, folder, node.module or "", own=False)
        elif isinstance(node, ast.ImportFrom):
            for module in _relative_modules(file, node):
                yield Import(file, node.lineno, folder, folder_of(module), own=True)


def _relative_modules(file: Path, node: ast.ImportFrom) -> list[Path]:
    """The files or folders that a relative import names."""
    start = file.parents[node.level - 1].joinpath(*(node.module or "").split("."))
    inner = [start / name.name for name in node.names]
    if not start.is_dir():
        return [start.with_suffix(".py")]
    return [path if path.is_dir() else path.with_suffix(".py") for path in inner]


def folder_of(path: Path) -> str:
    """The name in the picture: "core" for anything in pipelines/core, "pipelines" for pipelines/lipsync.py."""
    first, *rest = path.relative_to(PACK).parts
    if first == "pipelines" and rest and not rest[0].endswith(".py"):
        return rest[0]
    return "root" if first.endswith(".py") else first


def render() -> str:
    """The content of docs/architecture.md."""
    imports = [found for file in source_files() for found in imports_of(file)]
    edges = sorted({(found.folder, found.target) for found in imports if found.own and found.folder != found.target})
    picture = ["```mermaid", "graph TD", *(f"    {start} --> {end}" for start, end in edges), "```", ""]
    folders = ["## Folders", "", "| folder | what it is for |", "|---|---|", *_folder_rows()]
    return INTRODUCTION + "\n".join([*picture, *folders]) + "\n"


def _folder_rows() -> Iterator[str]:
    for file in [PACK / "nodes" / "__init__.py", *sorted(PACK.glob("pipelines/**/__init__.py"))]:
        text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
        yield f"| `{file.parent.relative_to(PACK).as_posix()}/` | {text.splitlines()[0] if text else ''} |"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(render(), encoding="utf-8")
