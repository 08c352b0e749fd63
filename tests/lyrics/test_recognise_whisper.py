"""Whisper with a sound before it: a random one for the order of things, and the real whisper-tiny for the times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import bench_lyrics
import numpy as np
import pytest
import small_whisper
import torch
from lipsync_studio.pipelines.audio.resample import MonoReader
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.lyrics.recognise.presets import SONG, SPEECH, Preset
from lipsync_studio.pipelines.lyrics.recognise.whisper_listener import WhisperModel
from lipsync_studio.pipelines.networks.whisper import load_whisper
from numpy.typing import NDArray

RATE = 16_000
ONCE = Preset(voice_only=False, temperatures=(0.0,))


class Samples:
    """A `Sound` that notes how much was read at once."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._reader = MonoReader(AudioClip(samples[None], RATE))
        self.most = 0

    def __len__(self) -> int:
        return len(self._reader)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        self.most = max(self.most, stop - start)
        return self._reader.read(start, stop)


class Progress(PlainHost):
    """Notes what is done, and is stopped when it is asked for the `stop`-th time."""

    def __init__(self, stop: int = 10**9) -> None:
        self.done: list[tuple[int, int]] = []
        self._left = stop

    def progress(self, done: int, total: int, text: str) -> None:
        self.done.append((done, total))

    def check_interrupt(self) -> None:
        self._left -= 1
        if self._left <= 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """A token takes hundreds of small steps; many threads wait for each other in each of them on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> WhisperModel:
    return WhisperModel(load_whisper(small_whisper.write(tmp_path_factory.mktemp("models") / "small")))


@pytest.fixture(scope="module")
def noise() -> NDArray[np.float32]:
    return 0.1 * np.random.default_rng(2).standard_normal(62 * RATE).astype(np.float32)


@pytest.fixture(scope="module")
def tiny(shared: Path) -> WhisperModel:
    folder = shared / "weights" / "whisper-tiny"
    if not folder.is_dir():
        pytest.skip("the real Whisper-tiny is not in ../shared/weights")
    return WhisperModel(load_whisper(folder))


@pytest.fixture(scope="module")
def corpora(shared: Path) -> dict[str, bench_lyrics.Speech]:
    recordings = bench_lyrics.read_speech(shared / "media" / "words")
    if not recordings:
        pytest.skip("no recordings with word times in ../shared/media/words")
    return {recording.name: recording for recording in recordings}


def samples_of(recording: bench_lyrics.Speech) -> NDArray[np.float32]:
    reader = MonoReader(bench_lyrics.read_audio(recording.audio))
    return reader.read(0, len(reader))


def test_a_long_sound_is_heard_in_windows_to_its_end(small: WhisperModel, noise: NDArray[np.float32]) -> None:
    sound, host = Samples(noise), Progress()
    timings = small.listener(sound, "auto", ONCE).recognise(host)
    assert timings.language == "en"
    assert host.done[-1] == (62, 62)
    assert len(host.done) >= 3
    assert [done for done, _ in host.done] == sorted({done for done, _ in host.done})
    assert sound.most <= 30.1 * RATE
    assert all(0 <= word.start <= word.end <= 62 for word in timings.words)


def test_stop_is_heard_between_windows(small: WhisperModel, noise: NDArray[np.float32]) -> None:
    host = Progress(stop=2)
    with pytest.raises(KeyboardInterrupt):
        small.listener(Samples(noise), "en", ONCE).recognise(host)
    assert len(host.done) == 1


@pytest.mark.parametrize("seconds", [0.0001, 0.05, 0.5])
def test_very_short_sounds_are_no_error(small: WhisperModel, noise: NDArray[np.float32], seconds: float) -> None:
    sound = Samples(noise[: max(1, round(seconds * RATE))])
    assert all(word.end <= seconds for word in small.listener(sound, "en", ONCE).recognise(PlainHost()).words)


def test_every_known_word_has_its_place(small: WhisperModel, noise: NDArray[np.float32]) -> None:
    words = ["Hello,", "愛", "愛", "...", "שלום", "world"]
    found = small.listener(Samples(noise), "en", SONG).place(words, 31.5, 60.0)
    assert [word.text for word in found] == words
    assert all(31.5 <= word.start <= word.end <= 60.0 for word in found)
    assert all(a.end <= b.start + 1e-9 for a, b in pairwise(found))
    assert small.listener(Samples(noise), "en", SONG).place([], 1.0, 2.0) == ()


def test_too_little_sound_for_so_many_words_is_told_by_no_confidence(
    small: WhisperModel, noise: NDArray[np.float32]
) -> None:
    found = small.listener(Samples(noise), "en", SONG).place(["ten", "letters"], 1.0, 1.1)
    assert [(word.start, word.end, word.confidence, word.source) for word in found] == [
        (1.0, 1.05, 0.0, "filled in"),
        (1.05, 1.1, 0.0, "filled in"),
    ]


def test_more_words_than_a_whisper_takes_are_refused(small: WhisperModel, noise: NDArray[np.float32]) -> None:
    with pytest.raises(InputError, match=r"at most 440 tokens between 0.0 and 20.0 s; got 90 words of 450 tokens"):
        small.listener(Samples(noise), "en", SONG).place(["word"] * 90, 0.0, 20.0)


@pytest.mark.parametrize("name", ["acoustic_corpus", "cold_corpus"])
def test_words_of_speech_are_found_in_time(
    name: str, tiny: WhisperModel, corpora: dict[str, bench_lyrics.Speech]
) -> None:
    sound = Samples(samples_of(corpora[name]))
    timings = tiny.listener(sound, "auto", SPEECH).recognise(PlainHost())
    errors = bench_lyrics.word_errors(corpora[name].words, [(w.text, w.start, w.end) for w in timings.words])
    assert timings.language == "en"
    assert errors["heard"] >= 75, errors
    assert errors["onset"] <= 100, errors  # measured: 80 and 79
    assert abs(errors["onset_bias"]) <= 60, errors
    assert timings.words[0].start > 0.5, "the first word does not begin with the sound"
    assert all(word.confidence > 0 for word in timings.words)


def test_known_words_of_speech_are_placed_in_time(tiny: WhisperModel, corpora: dict[str, bench_lyrics.Speech]) -> None:
    recording = corpora["acoustic_corpus"]
    listener = tiny.listener(Samples(samples_of(recording)), "en", SPEECH)
    words = [text for text, *_ in recording.words]
    found = listener.place(words, 0.0, 26.7)
    onsets = np.array([word.start for word in found]) - [start for _, start, _ in recording.words]
    assert np.abs(onsets).mean() <= 0.08  # measured: 0.051
    assert np.mean([word.confidence for word in found]) > 0.6
    wrong = listener.place([f"{word[::-1]}" for word in words], 0.0, 26.7)
    assert np.mean([word.confidence for word in wrong]) < 0.3, "other words do not fit"


def test_times_stay_right_over_many_windows(tiny: WhisperModel, corpora: dict[str, bench_lyrics.Speech]) -> None:
    pieces, known = [], []
    place = 0.0
    for name, pause in [("acoustic_corpus", 1.5), ("cold_corpus", 8.0), ("acoustic_corpus", 2.0)]:
        samples = samples_of(corpora[name])
        pieces += [samples, np.zeros(round(pause * RATE), np.float32)]
        known += [(text, place + start, place + end) for text, start, end in corpora[name].words]
        place += len(samples) / RATE + pause
    sound = Samples(np.concatenate(pieces))
    timings = tiny.listener(sound, "en", SPEECH).recognise(PlainHost())
    errors = bench_lyrics.word_errors(known, [(word.text, word.start, word.end) for word in timings.words])
    assert errors["heard"] >= 75, errors
    assert errors["onset"] <= 110, errors  # measured: 76
    assert len(timings.words) <= len(known), "nothing is heard twice where windows meet"
    assert sound.most <= 30.1 * RATE


def test_nothing_is_heard_in_silence_and_hum(tiny: WhisperModel) -> None:
    hum = 0.01 * np.sin(2 * np.pi * 100 * np.arange(45 * RATE) / RATE).astype(np.float32)
    assert tiny.listener(Samples(np.zeros(45 * RATE, np.float32)), "en", SPEECH).recognise(PlainHost()).words == ()
    timings = tiny.listener(Samples(hum), "en", SPEECH).recognise(PlainHost())
    assert len(timings.words) <= 2, json.dumps([word.text for word in timings.words])
