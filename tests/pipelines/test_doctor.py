"""What the doctor's report hides, and what it says of versions and cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from lipsync_studio.pipelines.doctor import Finding, comfyui_version, report, without_paths
from lipsync_studio.pipelines.weights.bundles import BUNDLES, fit

GB = 10**9


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "torch: cannot open /home/someone/venv/lib/libcudart.so.12: no such file",
            "torch: cannot open …/libcudart.so.12",
        ),
        (r"DLL load failed: C:\Users\someone\av\_core.pyd", "DLL load failed: …/_core.pyd"),
        ("in '/opt/comfy/models/'", "in '…/'"),
        ("see https://huggingface.co/a/b", "see https://huggingface.co/a/b"),
        ("models/vae is empty, 3/4 of it", "models/vae is empty, 3/4 of it"),
    ],
)
def test_folders_are_hidden(text: str, shown: str) -> None:
    assert without_paths(text).startswith(shown)
    assert "someone" not in without_paths(text)


def test_a_finding_says_what_to_do_below_it() -> None:
    told = report(
        [Finding("A", "fine"), Finding("B", "little", "warning", "Add."), Finding("C", "none", "problem", "Mend.")]
    )
    assert told == "ok  A: fine\n?   B: little\n      Add.\n!   C: none\n      Mend."


@pytest.mark.parametrize(
    ("vram", "words"),
    [(0, "runs on the CPU, slowly"), (2 * GB, "is slow: it wants 4 GB"), (int(3.9 * GB), "fits"), (140 * GB, "fits")],
)
def test_what_fits_a_card(vram: int, words: str) -> None:
    assert fit(BUNDLES["musetalk"], vram).startswith(words)
    assert fit(BUNDLES["draft"], vram) == "needs no graphics card"


def test_comfyui_s_version_is_read_from_its_file(tmp_path: Path) -> None:
    assert comfyui_version(tmp_path) == ""
    (tmp_path / "comfyui_version.py").write_text('# generated\n__version__ = "0.31.2"\n')
    assert comfyui_version(tmp_path) == "0.31.2"
