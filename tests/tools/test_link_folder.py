"""The link through which ComfyUI and mypy see the pack."""

from __future__ import annotations

from pathlib import Path

import pytest
from link_folder import link_folder


def test_a_link_moves_but_a_folder_stays(tmp_path: Path) -> None:
    for name in ("first", "second", "real"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "which").write_text(name)
    link = tmp_path / "link"
    for target in ("first", "first", "second"):
        link_folder(tmp_path / target, link)
        assert (link / "which").read_text() == target
    assert (tmp_path / "first" / "which").exists()
    with pytest.raises((IsADirectoryError, PermissionError)):
        link_folder(tmp_path / "first", tmp_path / "real")
    assert (tmp_path / "real" / "which").read_text() == "real"
