"""Temporary videos live as long as a VIDEO of them."""

from __future__ import annotations

import gc
from pathlib import Path

import folder_paths
import portrait_clip
import pytest
from lipsync_studio.nodes.temp_files import passing_video, temp_video


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clip in ComfyUI's temp folder."""
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "temp"))
    return portrait_clip.write(temp_video(), 10, side=64)


def test_a_file_goes_with_its_video(made: Path) -> None:
    video = passing_video(made)
    assert video.get_dimensions() == (64, 64)
    del video
    gc.collect()
    assert not made.exists()


def test_a_trimmed_video_keeps_the_file(made: Path) -> None:
    video = passing_video(made)
    trimmed = video.as_trimmed(0.1, 0.2)
    assert trimmed is not None
    del video
    gc.collect()
    assert len(trimmed.get_components().images) == 5
    del trimmed
    gc.collect()
    assert not made.exists()


def test_a_file_that_is_gone_already_is_no_error(made: Path) -> None:
    video = passing_video(made)
    made.unlink()
    del video
    gc.collect()
    assert not made.exists()
