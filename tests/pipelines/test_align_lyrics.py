"""Lyrics, a sound and a model in; timings out."""

from __future__ import annotations

import numpy as np
import pytest
from lipsync_studio.pipelines.align_lyrics import align_lyrics
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.lyrics.recognise.presets import SONG
from scripted_listener import ScriptedListener, ScriptedModel, sing

RATE = 8_000
SUNG = sing("hello there\nworld", 1.0)


def clip(seconds: float) -> AudioClip:
    return AudioClip(np.zeros((1, round(seconds * RATE)), dtype=np.float32), RATE)


def test_the_whole_sound_is_recognised_and_aligned_at_16_khz() -> None:
    listener = ScriptedListener(SUNG)
    model = ScriptedModel(listener)
    timings = align_lyrics("hello there\nworld", clip(10), None, model, "en", SONG, PlainHost())
    assert [word.start for word in timings.words] == [word.start for word in SUNG]
    assert (model.asked, listener.recognised) == ([(160_000, "en")], 1)


def test_what_was_recognised_before_is_not_recognised_again() -> None:
    listener = ScriptedListener(SUNG)
    model = ScriptedModel(listener)
    before = Timings((Line.of(tuple(SUNG)),), "de")
    timings = align_lyrics("hello there\nworld", clip(10), None, model, "auto", SONG, PlainHost(), before)
    assert [word.start for word in timings.words] == [word.start for word in SUNG]
    assert (model.asked, listener.recognised) == ([(160_000, "de")], 0)


def test_the_vocals_are_listened_to_and_must_fit() -> None:
    model = ScriptedModel(ScriptedListener(SUNG))
    align_lyrics("hello", clip(10), clip(10.2), model, "en", SONG, PlainHost())
    assert model.asked == [(163_200, "en")]
    with pytest.raises(InputError, match="vocals as long as the audio"):
        align_lyrics("hello", clip(10), clip(7), model, "en", SONG, PlainHost())


def test_words_recognised_in_a_longer_sound_do_no_harm() -> None:
    before = Timings((Line.of((Word("hello", 50.0, 51.0), Word("there", 60.0, 61.0))),), "en")
    model = ScriptedModel(ScriptedListener(SUNG))
    timings = align_lyrics("hello there", clip(10), None, model, "en", SONG, PlainHost(), before)
    assert all(0 <= word.start <= word.end <= 10 for word in timings.words)
    assert "Recognised words reach beyond the end of the audio; they may be those of another one." in timings.notes
