"""Words of a recording, or of the voice that was separated from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import small_whisper
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.lyrics.recognise.presets import SPEECH
from lipsync_studio.pipelines.lyrics.recognise.whisper_listener import WhisperModel
from lipsync_studio.pipelines.networks.whisper import load_whisper
from lipsync_studio.pipelines.word_timestamps import heard, word_timestamps


def clip(seconds: float, rate: int = 44_100, channels: int = 2) -> AudioClip:
    return AudioClip(np.zeros((channels, round(seconds * rate)), np.float32), rate)


def test_the_voice_is_listened_to_where_there_is_one() -> None:
    mix, vocals = clip(10.0), clip(10.3, 16_000, 1)
    assert heard(mix, None) is mix
    assert heard(mix, vocals) is vocals


@pytest.mark.parametrize("seconds", [9.4, 10.6])
def test_the_voice_of_another_recording_is_refused(seconds: float) -> None:
    with pytest.raises(InputError, match=rf"as long as the audio \(10.00 s\).*got vocals of {seconds:.2f} s"):
        heard(clip(10.0), clip(seconds))


def test_a_recording_without_words_says_so(tmp_path: Path) -> None:
    model = WhisperModel(load_whisper(small_whisper.write(tmp_path)))
    timings = word_timestamps(clip(3.0), None, model, "auto", SPEECH, PlainHost())
    assert timings.words == ()
    assert timings.notes == ("No words were heard.",)
