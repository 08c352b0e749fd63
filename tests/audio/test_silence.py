"""The gate is open wherever a word is spoken, and closes in pauses that last, whatever the recording."""

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.audio.band_power import BLOCK_SAMPLES, WINDOW_SECONDS
from lipsync_studio.pipelines.audio.silence import SHORT_PAUSE, SilenceGate
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.core.types import AudioClip
from numpy.typing import NDArray

RATE = 16000
FRAMES = np.arange(0, 6, 0.02)


def speech(*stretches: tuple[float, float], level: float = 0.2, noise: float = 1e-3, seconds: float = 6) -> AudioClip:
    """A voice with five syllables a second in the given stretches (seconds), in a room with noise."""
    times = np.arange(round(seconds * RATE)) / RATE
    voice = sum(np.sin(2 * np.pi * pitch * times) / pitch for pitch in (300, 600, 900, 2400)) * 300
    syllables = 0.15 + 0.85 * np.sin(np.pi * 5 * times) ** 2
    spoken = sum(((times >= start) & (times < stop)).astype(float) for start, stop in stretches) if stretches else 0
    hiss = np.random.default_rng(2).standard_normal(len(times))
    return AudioClip((level * voice * syllables * spoken + noise * hiss)[None].astype(np.float32), RATE)


def within(times: NDArray[np.float64], start: float, stop: float) -> NDArray[np.bool_]:
    return (times >= start) & (times < stop)


@pytest.mark.parametrize("level", [0.5, 0.05, 0.005])
@pytest.mark.parametrize("noise", [0, 1e-4, 1e-2])
def test_open_in_speech_and_closed_in_a_pause(level: float, noise: float) -> None:
    """Whatever the level; noise here is 34 dB and more below the voice."""
    gate = SilenceGate.of_sound(speech((1, 2.5), (4, 5), level=level, noise=noise * level)).at(FRAMES)
    assert (gate[within(FRAMES, 1, 2.5) | within(FRAMES, 4, 5)] == 1).all()
    assert (gate[within(FRAMES, 0, 0.7) | within(FRAMES, 2.9, 3.6) | within(FRAMES, 5.4, 6)] == 0).all()


def test_it_opens_before_the_speech() -> None:
    gate = SilenceGate.of_sound(speech((2, 4)))
    assert gate.at(np.array([1.95]))[0] == 1
    assert 0 < gate.at(np.array([1.85]))[0] < 1


def test_it_fades() -> None:
    """No frame is much unlike the one before it, at 25 fps."""
    steps = np.abs(np.diff(SilenceGate.of_sound(speech((2, 4))).at(np.arange(0, 6, 0.04))))
    assert 0.35 <= steps.max() <= 0.5


@pytest.mark.parametrize("pause", [0.1, 0.2, 0.35])
def test_short_pauses_do_not_close_it(pause: float) -> None:
    gate = SilenceGate.of_sound(speech((1, 3), (3 + pause, 5))).at(FRAMES)
    assert (gate[within(FRAMES, 1, 5)] == 1).all()


@pytest.mark.parametrize("noise", [0, 1e-3])
def test_a_clip_that_is_all_speech_stays_open(noise: float) -> None:
    assert (SilenceGate.of_sound(speech((0, 6), noise=noise)).at(FRAMES) == 1).all()


@pytest.mark.parametrize(
    "samples",
    [np.zeros(RATE), np.zeros(1), np.full(RATE, 0.5), np.random.default_rng(1).standard_normal(6 * RATE) * 1e-3],
    ids=["digital", "one sample", "offset", "a quiet room"],
)
def test_a_clip_that_is_all_silence_stays_closed(samples: NDArray[np.float64]) -> None:
    assert not SilenceGate.of_sound(AudioClip(samples[None].astype(np.float32), RATE)).at(FRAMES).any()


def test_sound_that_is_loud_all_along_stays_open() -> None:
    """Dense music hardly varies in loudness; a mouth that sings to it must move."""
    loud = np.random.default_rng(3).standard_normal((2, 6 * RATE)) * 0.1
    assert (SilenceGate.of_sound(AudioClip(loud.astype(np.float32), RATE)).at(FRAMES) == 1).all()


def test_opposite_channels_do_not_cancel() -> None:
    mono = speech((1, 2), (4, 5)).samples
    stereo = AudioClip(np.concatenate([mono, -mono]), RATE)
    np.testing.assert_array_equal(
        SilenceGate.of_sound(stereo).at(FRAMES), SilenceGate.of_sound(AudioClip(mono, RATE)).at(FRAMES)
    )


def test_hum_is_no_speech() -> None:
    quiet = speech((1, 2), (4, 5), noise=1e-4).samples
    hum = 0.05 * np.sin(2 * np.pi * 50 * np.arange(quiet.shape[1]) / RATE)[None]
    gate = SilenceGate.of_sound(AudioClip((quiet + hum).astype(np.float32), RATE)).at(FRAMES)
    assert (gate[within(FRAMES, 2.5, 3.5)] == 0).all()


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0, 3)), max_size=4), st.floats(0.001, 1))
@settings(max_examples=40, deadline=None)
def test_any_clip_gives_a_gate(stretches: list[tuple[float, float]], level: float) -> None:
    clip = speech(*((start, start + length) for start, length in stretches), level=level)
    gate = SilenceGate.of_sound(clip).at(np.linspace(-1, 8, 300))
    assert gate.dtype == np.float32
    assert gate.shape == (300,)
    assert ((gate >= 0) & (gate <= 1)).all()


def line(*spans: tuple[float, float], source: str = "heard") -> Line:
    return Line.of(tuple(Word("la", start, end, source=source) for start, end in spans))


def test_words_open_it_whatever_is_heard() -> None:
    gate = SilenceGate.of_words(Timings((line((1, 1.4), (1.6, 2)), line((4, 5)))), 6).at(FRAMES)
    assert (gate[within(FRAMES, 1, 2) | within(FRAMES, 4, 5)] == 1).all()
    assert (gate[within(FRAMES, 0, 0.7) | within(FRAMES, 2.4, 3.6) | within(FRAMES, 5.4, 6)] == 0).all()


def test_a_line_without_words_opens_it_and_a_word_not_found_does_not() -> None:
    timings = Timings((Line("la la", 1, 2), line((3, 3), source="not found"), line((4, 5))))
    gate = SilenceGate.of_words(timings, 6).at(FRAMES)
    assert (gate[within(FRAMES, 1, 2)] == 1).all()
    assert (gate[within(FRAMES, 2.4, 3.6)] == 0).all()


@given(st.lists(st.tuples(st.floats(0, 6), st.floats(0, 3)), min_size=1, max_size=8))
@settings(deadline=None)
def test_every_word_of_any_timings_opens_it(spans: list[tuple[float, float]]) -> None:
    lines = tuple(line((start, min(start + length, 6))) for start, length in sorted(spans))
    gate = SilenceGate.of_words(Timings(lines), 6)
    for word in Timings(lines).words:
        assert (gate.at(np.linspace(word.start, word.end, 9)) > 0.99).all()


@pytest.mark.parametrize("lines", [(), (line((1, 1), source="not found"),)])
def test_timings_without_a_time_are_refused(lines: tuple[Line, ...]) -> None:
    with pytest.raises(InputError, match="at least one word or line"):
        SilenceGate.of_words(Timings(lines), 6)


def test_long_sound_is_read_in_pieces() -> None:
    """Longer than a block: the seams do not show."""
    clip = speech((3, 5), (20, 21), seconds=40, noise=1e-4)
    assert clip.samples.shape[1] / RATE * 100 * round(WINDOW_SECONDS * RATE) > 4 * BLOCK_SAMPLES
    times = np.arange(0, 40, 0.02)
    gate = SilenceGate.of_sound(clip).at(times)
    assert (gate[within(times, 3, 5) | within(times, 20, 21)] == 1).all()
    assert (gate[within(times, 6, 19) | within(times, 22, 40)] == 0).all()


def recording(path: Path) -> AudioClip:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="fltp")
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        return AudioClip(np.concatenate(pieces, axis=1).astype(np.float32), container.streams.audio[0].rate)


def spans_of(path: Path) -> list[tuple[float, float]]:
    """When each word starts and stops, from the first tier of a TextGrid, long or short."""
    tier = path.read_text(encoding="utf-8").split("IntervalTier")[1]
    number = r"(?:xmin = |xmax = )?([\d.]+)\s+"
    found = re.findall(number + number + r'(?:text = )?"([^"]*)"', tier)
    return [(float(start), float(stop)) for start, stop, text in found if text.strip()]


@pytest.mark.parametrize(("name", "spoken", "pauses"), [("acoustic_corpus", 58, 6), ("cold_corpus", 64, 6)])
def test_real_speech(shared: Path, name: str, spoken: int, pauses: int) -> None:
    """Fully open for 99 % of the time of words; fully closed in every pause of more than SHORT_PAUSE."""
    clip = recording(shared / "media" / "words" / f"{name}.wav")
    said = spans_of(shared / "media" / "words" / f"{name}.TextGrid")
    assert len(said) == spoken
    times = np.arange(0, clip.seconds, 0.01)
    gate = SilenceGate.of_sound(clip).at(times)
    in_words = np.any([within(times, *word) for word in said], axis=0)
    assert (gate[in_words] == 1).mean() > 0.99
    starts, stops = np.array([0, *(stop for _, stop in said)]), np.array([*(start for start, _ in said), clip.seconds])
    lasting = stops - starts > SHORT_PAUSE
    assert lasting.sum() == pauses
    for start, stop in zip(starts[lasting], stops[lasting], strict=True):
        assert gate[within(times, start, stop)].min() == 0
    silent = np.any([within(times, *pause) for pause in zip(starts[lasting], stops[lasting], strict=True)], axis=0)
    assert (gate[silent] == 0).mean() > 0.45
