"""Which sounds the editor of Edit Timestamps can hear, how long, and that it hears what is there."""

from __future__ import annotations

import gc
import wave
from pathlib import Path

import numpy as np
import pytest
from lipsync_studio.nodes.timestamp_sounds import PEAKS_PER_SECOND, SPARE, Sounds
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Timings
from lipsync_studio.pipelines.core.types import AudioClip

RATE = 11025  # 2.5 ms are no whole number of samples


def clip(seconds: float = 1.5, channels: int = 2) -> AudioClip:
    time = np.arange(int(seconds * RATE)) / RATE
    samples = np.stack([np.sin(2 * np.pi * 300 * time), np.zeros(len(time))])[:channels] * np.minimum(time, 1)
    return AudioClip(samples.astype(np.float32), RATE)


def zeros(seconds: float, rate: int) -> AudioClip:
    """They take no memory."""
    return AudioClip(np.broadcast_to(np.float32(0), (1, int(seconds * rate))), rate)


@pytest.fixture
def sounds(tmp_path: Path) -> Sounds:
    return Sounds(lambda: tmp_path / "temp")


def forget(sounds: Sounds) -> None:
    """What is dropped is noticed when the next sound comes."""
    gc.collect()
    result = Timings(())
    sounds.keep(result, clip(0.01), "the next")


def files(tmp_path: Path) -> int:
    return len(list((tmp_path / "temp").iterdir()))


def test_the_file_holds_the_sound_as_mono(sounds: Sounds) -> None:
    result, given = Timings(()), clip(130.3)  # more than two minutes: it is written in pieces
    sound = sounds.get(sounds.keep(result, given, "a"))
    assert sound is not None
    with wave.open(str(sound.path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
    assert np.abs(heard - given.samples.mean(axis=0)).max() < 1 / 32767
    assert len(sound.peaks) == pytest.approx(given.seconds * PEAKS_PER_SECOND, abs=1)
    assert sound.peaks[-PEAKS_PER_SECOND:].max() == 128, "half of full scale: one of two channels is silent"
    assert sound.peaks[0] <= 1, "it fades in"
    assert sound.picture.shape == (13029, 64)
    assert sound.onsets.tolist() == [], "nothing begins all at once"


def test_a_sound_stays_as_long_as_a_result_needs_it(sounds: Sounds, tmp_path: Path) -> None:
    kept = Timings(())
    names = [sounds.keep(kept, clip(), "kept")]
    for number in range(SPARE + 3):
        names.append(sounds.keep(Timings(()), clip(), f"dropped {number}"))
    forget(sounds)
    known = [sounds.get(name) is not None for name in names]
    assert known == [True, False, False, False, *[True] * SPARE], "the spare ones are those that were used last"
    assert files(tmp_path) == 1 + SPARE + 1


def test_the_same_sound_keeps_its_name_from_run_to_run(sounds: Sounds, tmp_path: Path) -> None:
    first = sounds.keep(Timings(()), clip(), "a")
    gc.collect()  # ComfyUI drops the result of a node before it runs it again
    result = Timings(())
    assert sounds.keep(result, clip(), "a") == first
    assert sounds.keep(result, clip(), "b") != first
    assert files(tmp_path) == 2


def test_another_length_is_another_sound(sounds: Sounds) -> None:
    for count in (100, 101):
        result = Timings(())
        sound = sounds.get(sounds.keep(result, AudioClip(np.ones((1, count), np.float32), RATE), "a"))
        assert sound is not None
        assert sound.seconds == count / RATE


def test_a_file_that_somebody_removed_is_written_again(sounds: Sounds) -> None:
    result = Timings(())
    first = sounds.get(sounds.keep(result, clip(), "a"))
    assert first is not None
    first.path.unlink()
    again = sounds.get(sounds.keep(result, clip(), "a"))
    assert again is not None
    assert again.path.exists()


@pytest.mark.parametrize(("hours", "rate", "most"), [(6.1, 44_100, 6), (3.2, 192_000, 3)])
def test_audio_that_no_wav_holds_is_refused(sounds: Sounds, hours: float, rate: int, most: int) -> None:
    with pytest.raises(InputError, match=f"at most {most} hours"):
        sounds.keep(Timings(()), zeros(hours * 3600, rate), "a")


def test_very_short_audio_has_a_picture(sounds: Sounds) -> None:
    result = Timings(())
    sound = sounds.get(sounds.keep(result, AudioClip(np.ones((1, 1), np.float32), 48000), "a"))
    assert sound is not None
    assert sound.peaks.tolist() == [255]
    assert sound.picture.shape == (1, 64)
