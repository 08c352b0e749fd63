"""install.py as ComfyUI-Manager runs it: a process in ComfyUI/custom_nodes that reports and changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from link_folder import link_folder

PACK = Path(__file__).resolve().parents[1]


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    """A folder like ComfyUI's, with a link to this pack where packs are."""
    folder = tmp_path / "ComfyUI"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "comfyui_version.py").write_text('__version__ = "0.30.0"\n')
    link_folder(PACK, folder / "custom_nodes" / "lipsync-studio")
    return folder


def run(comfyui: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """-B: Python itself leaves no compiled files either."""
    environment = {name: value for name, value in os.environ.items() if name not in ("COMFYUI_PATH", "PYTHONPATH")}
    script = comfyui / "custom_nodes" / "lipsync-studio" / "install.py"
    return subprocess.run(
        [sys.executable, "-B", *flags, str(script)],
        env=environment | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def test_a_machine_that_can_run_it(comfyui: Path) -> None:
    before = sorted(comfyui.rglob("*"))
    told = run(comfyui)
    assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    topics = [line[4:].split(":")[0] for line in lines if line.startswith(("ok  ", "?   "))]
    assert topics[:5] == ["LipSync Studio", "Python", "Packages", "ComfyUI", "PyTorch"]
    assert {"GPU", "Video", "Disk", "Other packs"} <= set(topics)
    assert lines[-2].startswith("Next: restart ComfyUI")
    assert sorted(comfyui.rglob("*")) == before
    for private in (str(comfyui), str(PACK), str(Path.home())):
        assert private not in told.stdout


def test_an_old_comfyui_is_a_problem_with_its_cure(comfyui: Path) -> None:
    (comfyui / "comfyui_version.py").write_text('__version__ = "0.3.75"\n')
    told = run(comfyui)
    assert told.returncode == 1
    assert "!   ComfyUI: 0.3.75\n      Update ComfyUI to 0.30.0 or newer." in told.stdout
    assert told.stdout.rstrip().endswith("Next: mend what is marked with ! and run this again.")


def test_a_second_copy_and_a_pack_that_gets_in_the_way_are_named(comfyui: Path) -> None:
    copy = comfyui / "custom_nodes" / "lipsync-copy"
    copy.mkdir()
    (copy / "pyproject.toml").write_text('[project]\nname = "lipsync-studio"\n')
    (comfyui / "custom_nodes" / "ComfyUI-LatentSyncWrapper").mkdir()
    told = run(comfyui)
    assert told.returncode == 1
    assert "!   Other packs: several copies of this pack: lipsync-copy, lipsync-studio" in told.stdout
    assert "?   Other packs: ComfyUI-LatentSyncWrapper may move ComfyUI's temp folder" in told.stdout


def test_without_any_package_it_still_reports(comfyui: Path) -> None:
    """-S leaves Python without its site-packages: the wrong Python, as people call it by mistake."""
    told = run(comfyui, "-S")
    assert told.returncode == 1
    assert "Traceback" not in told.stderr
    for package in ("torch", "av", "safetensors"):
        assert f"!   {package}: cannot be imported" in told.stdout
    assert "Run this with ComfyUI's own Python" in told.stdout
