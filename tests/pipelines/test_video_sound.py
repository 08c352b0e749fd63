"""The sound of a result, through the whole pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import portrait_clip
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings
from lipsync_studio.pipelines.engines.draft import DraftEngine
from lipsync_studio.pipelines.lipsync import find_speaker, lip_sync_video
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.sound import read_audio
from lipsync_studio.pipelines.plan import LipSyncSettings


def test_the_videos_own_sound_ends_with_its_trim(tmp_path: Path) -> None:
    """Also where the picture goes on, back and forth: what comes after the trim must not be heard."""
    file = portrait_clip.write(tmp_path / "clip.mp4", 50, sound_seconds=2.0)
    clip = open_video(file, start=0.0, duration=0.4)
    speech = AudioClip(np.zeros((1, 16000), np.float32), 16000)
    host, path = PlainHost(), tmp_path / "result.mp4"
    faces = find_speaker(clip, host)
    settings, encode = LipSyncSettings(), EncodeSettings(preset="ultrafast")
    lip_sync_video(clip, faces, speech, DraftEngine(), settings, path, encode, clip.sound, host)
    assert len(open_video(path).clock) == 25
    assert 0.38 <= read_audio(path).seconds <= 0.46
