"""What a file of sound holds, without holding it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import portrait_clip
import pytest
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.media.overview import sound_overview
from lipsync_studio.pipelines.media.sound import read_audio


@pytest.mark.parametrize("channels", [1, 2])
def test_length_and_loudness_are_those_of_the_samples(tmp_path: Path, channels: int) -> None:
    path = portrait_clip.write_speech(tmp_path / "a.wav", 2.0, channels=channels)
    found, whole = sound_overview(path, 40), read_audio(path)
    assert (found.rate, found.seconds) == (whole.rate, whole.seconds)
    assert len(found.loudest) == 40
    parts = np.array_split(np.abs(whole.samples).max(axis=0), 40)
    expected = [part.max() for part in parts]
    np.testing.assert_allclose(found.loudest, expected, atol=0.05)  # the parts end at whole blocks


def test_a_short_sound_has_fewer_parts(tmp_path: Path) -> None:
    found = sound_overview(portrait_clip.write_speech(tmp_path / "a.wav", 0.02), 200)  # 320 samples
    assert len(found.loudest) == 5


def test_the_sound_of_a_video_counts(tmp_path: Path) -> None:
    path = portrait_clip.write(tmp_path / "a.mp4", 10, side=64, sound_seconds=0.4)
    assert sound_overview(path, 10).seconds == pytest.approx(0.4, abs=0.05)


def test_a_file_without_sound_is_explained(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    with pytest.raises(MediaError, match=r"a\.mp4, which has none"):
        sound_overview(make_clip("a.mp4"), 10)
