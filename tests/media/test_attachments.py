"""Pictures and sounds made to fit what a service takes."""

from __future__ import annotations

import io
import wave

import av
import numpy as np
import pytest
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.media.attachments import picture_file, speech_file
from numpy.typing import NDArray
from PIL import Image


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def tone(seconds: float, rate: int = 44100, channels: int = 2) -> AudioClip:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate).astype(np.float32)
    return AudioClip(np.repeat(wave[None], channels, axis=0), rate)


def test_a_picture_looks_the_same() -> None:
    ramp = np.linspace(0, 255, 320, dtype=np.uint8)
    pixels = np.stack([np.tile(ramp, (200, 1)), np.tile(ramp[::-1], (200, 1)), np.full((200, 320), 90, np.uint8)], -1)
    file = picture_file(pixels, 10_000_000)
    assert (file.suffix, file.kind, file.notes) == (".jpg", "image/jpeg", ())
    with Image.open(io.BytesIO(file.content)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (320, 200))
        assert np.abs(np.asarray(picture, int) - pixels).max() <= 8


def test_a_tiny_picture_is_sent_as_it_is() -> None:
    with Image.open(io.BytesIO(picture_file(noise(1, 3), 10_000_000).content)) as picture:
        assert picture.size == (3, 1)


def test_a_large_picture_is_scaled() -> None:
    file = picture_file(np.zeros((3000, 6000, 3), np.uint8), 10_000_000)
    with Image.open(io.BytesIO(file.content)) as picture:
        assert picture.size == (4096, 2048)
    assert file.notes == ("The picture was scaled from 6000x3000 to 4096x2048 px to be sent.",)


@pytest.mark.parametrize("most", [300_000, 100_000])
def test_a_picture_is_made_to_fit(most: int) -> None:
    file = picture_file(noise(600, 800), most)
    assert most / 8 < len(file.content) <= most
    assert file.notes


def test_a_picture_that_cannot_fit() -> None:
    with pytest.raises(InputError, match="which does not even"):
        picture_file(noise(600, 800), 1000)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (16000, 1), (8000, 1), (48000, 6), (96000, 9)])
def test_speech_is_what_it_was(rate: int, channels: int) -> None:
    file = speech_file(tone(2.5, rate, channels), 6_000_000, 600)
    assert (file.suffix, file.kind, file.notes) == (".wav", "audio/wav", ())
    with wave.open(io.BytesIO(file.content)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16000, 1, 2)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16) / 32768
    assert len(samples) == pytest.approx(40000, abs=64)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / 16000)
    middle = slice(2000, -2000)
    assert np.abs(samples[middle] - expected[middle]).max() < 0.02


def test_too_loud_speech_is_clipped_and_does_not_wrap() -> None:
    loud = AudioClip(np.full((1, 16000), 3.0, np.float32), 16000)
    with wave.open(io.BytesIO(speech_file(loud, 6_000_000, 600).content)) as sound:
        assert np.frombuffer(sound.readframes(16000), np.int16).min() > 32000


def test_long_speech_is_compressed() -> None:
    file = speech_file(tone(30, 16000, 1), 500_000, 600)
    assert (file.suffix, file.kind) == (".m4a", "audio/mp4")
    assert len(file.content) <= 500_000
    assert file.notes == ("The sound was compressed to 64 kbit/s to fit into 0.5 MB.",)
    with av.open(io.BytesIO(file.content)) as container:
        assert (container.streams.audio[0].rate, container.streams.audio[0].channels) == (16000, 1)
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / 16000 == pytest.approx(30, abs=0.2)


def test_ten_minutes_fit_into_what_d_id_takes() -> None:
    quiet = np.random.default_rng(0).standard_normal((1, 600 * 8000)).astype(np.float32) * 0.1
    assert len(speech_file(AudioClip(quiet, 8000), 6_000_000, 600).content) <= 6_000_000


@pytest.mark.parametrize(
    ("seconds", "most_bytes", "words"),
    [(11.0, 6_000_000, "at most 0.166667 min"), (5.0, 9_000, "fits into 0.009 MB")],
)
def test_speech_that_is_too_long(seconds: float, most_bytes: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        speech_file(tone(seconds, 16000, 1), most_bytes, 10)
