"""What this machine has and lacks, as a report to read and to paste: no path, no key, no name of a person or a machine.

`install.py` runs this before ComfyUI does, so what may be missing is imported where it is looked at.
"""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from .weights.bundles import BUNDLES, fit
from .weights.installed import free_space

Level = Literal["ok", "warning", "problem"]

PACK = Path(__file__).parent.parent

# What the pack imports, by import name -> by the name that it is installed under. All of it comes with ComfyUI.
NEEDED = {
    "torch": "torch",
    "numpy": "numpy",
    "scipy": "scipy",
    "PIL": "pillow",
    "av": "av",
    "einops": "einops",
    "safetensors": "safetensors",
    "transformers": "transformers",
    "huggingface_hub": "huggingface-hub",
    "filelock": "filelock",
}
OLDEST_AV = (16,)
LITTLE_DISK = 5 * 10**9  # bytes: MuseTalk 1.5 and a result

# Folders of packs in custom_nodes -> what they do to others, as their own users report.
TROUBLEMAKERS = {
    "comfyui-musetalk": "loads its models when ComfyUI starts and keeps that video memory",
    "comfyui-latentsyncwrapper": "may move ComfyUI's temp folder, where this pack writes its videos",
}

_PATH = re.compile(r"(?<![\w./:])(?:[A-Za-z]:)?[\\/](?:[^\s\\/'\":,;]+[\\/])+")


@dataclass(frozen=True)
class Finding:
    """One line of the report. advice: what to do about it; empty when it is well."""

    topic: str
    text: str
    level: Level = "ok"
    advice: str = ""


@dataclass(frozen=True)
class Place:
    """Where ComfyUI is. None for what is not known from here."""

    comfyui: Path | None
    models: Path | None
    custom_nodes: Path | None


def examine(place: Place) -> tuple[Finding, ...]:
    """All findings, in the order of the report."""
    return (
        Finding("LipSync Studio", _of_pyproject("version")),
        _python(),
        *_packages(),
        _comfyui(place.comfyui),
        *_torch(),
        _media(),
        _disk(place.models),
        *_other_packs(place.custom_nodes),
    )


def report(findings: Iterable[Finding]) -> str:
    """The findings as text, one line each, with what to do below those that are not well."""
    marks = {"ok": "ok  ", "warning": "?   ", "problem": "!   "}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.level]}{finding.topic}: {finding.text}")
        if finding.advice:
            lines.append(f"      {finding.advice}")
    return without_paths("\n".join(lines))


def without_paths(text: str) -> str:
    """Folders become an ellipsis; the last name stays."""
    return _PATH.sub("…/", text)


def comfyui_version(folder: Path) -> str:
    """As ComfyUI's own comfyui_version.py says; empty when that is not there."""
    try:
        found = re.search(r'__version__ = "([^"]+)"', (folder / "comfyui_version.py").read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""


def _python() -> Finding:
    text = f"{platform.python_version()} on {platform.system()} {platform.release()}, {platform.machine()}"
    oldest = _numbers(_of_pyproject("requires-python"))
    if sys.version_info[:2] >= oldest:
        return Finding("Python", text)
    return Finding("Python", text, "problem", f"Update to {_dotted(oldest)} or newer.")


def _packages() -> Iterator[Finding]:
    """One line with all versions, and one for each package that cannot be used."""
    broken = {name: why for name in NEEDED if (why := _why_not(name))}
    versions = ", ".join(f"{NEEDED[name]} {_version(NEEDED[name])}" for name in NEEDED if name not in broken)
    yield Finding("Packages", versions or "none")
    for name, why in broken.items():
        advice = "Run this with ComfyUI's own Python, or install ComfyUI's requirements.txt again."
        yield Finding(NEEDED[name], why, "problem", advice)


def _why_not(name: str) -> str:
    try:
        importlib.import_module(name)
    except ImportError as error:
        return f"cannot be imported: {error}".splitlines()[0]
    return ""


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(unknown)"


def _comfyui(folder: Path | None) -> Finding:
    oldest = _numbers(_of_pyproject("requires-comfyui"))
    version = comfyui_version(folder) if folder else ""
    if not version:
        advice = "Put this folder into ComfyUI/custom_nodes, or set COMFYUI_PATH to ComfyUI's folder."
        return Finding("ComfyUI", "not found from here", "warning", advice)
    if _numbers(version) >= oldest:
        return Finding("ComfyUI", version)
    return Finding("ComfyUI", version, "problem", f"Update ComfyUI to {_dotted(oldest)} or newer.")


def _torch() -> Iterator[Finding]:
    """PyTorch's build, the graphics cards and what fits them."""
    try:
        import torch
    except ImportError:  # `_packages` has said so
        return
    built_for = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU"
    if getattr(torch.version, "hip", None):
        built_for = f"ROCm {torch.version.hip}"
    yield Finding("PyTorch", f"{torch.__version__}, built for {built_for}")
    cards = [torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count())]
    for card in cards:
        yield Finding("GPU", f"{card.name}, {card.total_memory / 1e9:.1f} GB")
    if not cards and torch.backends.mps.is_available():
        yield Finding("GPU", "Apple, with the machine's own memory")
    elif not cards:
        advice = "The Draft Engine is made for that; MuseTalk takes seconds for each frame."
        yield Finding("GPU", "none that PyTorch can use: everything runs on the CPU", "warning", advice)
    most = max((card.total_memory for card in cards), default=0)
    if most:
        words = [
            f"{bundle.label} {fit(bundle, most)}" for bundle in BUNDLES.values() if bundle.is_usable and bundle.vram
        ]
        yield Finding("Engines", "; ".join(words))


def _media() -> Finding:
    try:
        from .media.libraries import media_libraries
    except ImportError:
        return Finding("Video", "PyAV cannot be imported", "problem", "Install ComfyUI's requirements.txt again.")
    found = media_libraries()
    text = f"PyAV {found.pyav}, {', '.join(found.ffmpeg)}"
    if _numbers(found.pyav) < OLDEST_AV:
        return Finding("Video", text, "problem", f"Update PyAV (av) to {_dotted(OLDEST_AV)} or newer.")
    if found.missing:
        return Finding("Video", f"{text}, without {', '.join(found.missing)}", "warning", "Install PyAV from PyPI.")
    return Finding("Video", text)


def _disk(models: Path | None) -> Finding:
    if models is None:
        return Finding("Disk", "the models folder is not known from here", "warning")
    free = free_space(models)
    text = f"{free / 1e9:.1f} GB free where the models are"
    if free >= LITTLE_DISK:
        return Finding("Disk", text)
    return Finding("Disk", text, "warning", f"MuseTalk 1.5 takes {BUNDLES['musetalk'].size / 1e9:.1f} GB.")


def _other_packs(folder: Path | None) -> Iterator[Finding]:
    """Copies of this pack, and packs that are known to get in its way."""
    if folder is None or not folder.is_dir():
        return
    packs = [pack for pack in sorted(folder.iterdir()) if pack.is_dir() and not pack.name.endswith(".disabled")]
    copies = [pack.name for pack in packs if _of_pyproject("name", pack) == _of_pyproject("name")]
    if len(copies) > 1:
        advice = "Keep one: of nodes with the same name, ComfyUI takes only one."
        yield Finding("Other packs", f"several copies of this pack: {', '.join(copies)}", "problem", advice)
    known = [pack.name for pack in packs if pack.name.lower() in TROUBLEMAKERS]
    for name in known:
        yield Finding("Other packs", f"{name} {TROUBLEMAKERS[name.lower()]}", "warning", "Disable it if that happens.")
    if len(copies) <= 1 and not known:
        yield Finding("Other packs", f"{max(len(packs) - 1, 0)}, none known to get in the way")


def _of_pyproject(key: str, folder: Path = PACK) -> str:
    """A text of pyproject.toml, without a TOML reader: Python 3.10 has none. Empty when it is not there."""
    try:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = re.search(rf'^{re.escape(key)}\s*=\s*"([^"]*)"', text, re.MULTILINE)
    return found[1] if found else ""


def _numbers(version: str) -> tuple[int, ...]:
    """(0, 30, 0) of ">=0.30.0"; () of nothing."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
