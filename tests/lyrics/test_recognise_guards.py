"""What is made up is left out, with a note; what is said is kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Word
from lipsync_studio.pipelines.lyrics.recognise.decoding import Draft
from lipsync_studio.pipelines.lyrics.recognise.guards import clock, silent_window, without_repeats, without_silence
from lipsync_studio.pipelines.lyrics.recognise.presets import SONG, SPEECH
from lipsync_studio.pipelines.lyrics.recognise.voice import Voice
from lipsync_studio.pipelines.lyrics.recognise.windows import Window, complete, resumed, window_from
from numpy.typing import NDArray

RATE = 16_000
WINDOW = Window(60.0, 90.0, True)


def words(text: str, start: float = 0.0) -> list[Word]:
    """Half a second each."""
    return [Word(word, start + number / 2, start + number / 2 + 0.5) for number, word in enumerate(text.split())]


class Samples:
    """A `Sound` that is in memory."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._samples = samples

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        padded = np.zeros(stop - start, np.float32)
        first, last = max(start, 0), min(stop, len(self))
        if first < last:
            padded[first - start : last - start] = self._samples[first:last]
        return padded


def spoken(stretches: list[tuple[float, float]], seconds: float, noise: float = 0.0005) -> Samples:
    """Loud noise in `stretches`, soft noise elsewhere."""
    generator = np.random.default_rng(1)
    samples = noise * generator.standard_normal(round(seconds * RATE))
    for start, end in stretches:
        samples[round(start * RATE) : round(end * RATE)] = 0.1 * generator.standard_normal(round((end - start) * RATE))
    return Samples(samples.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "kept", "notes"),
    [
        ("we said no no no no", "we said no no no no", 0),
        ("we said no no no no no no, and", "we said no no no no and", 1),
        (
            "la la land la la land la la land la la land la la land end",
            "la la land la la land la la land la la land end",
            1,
        ),
        ("a b a b a b a b c d c d c d c d c d", "a b a b a b a b c d c d c d c d", 1),
        ("", "", 0),
    ],
)
def test_a_phrase_is_believed_so_often(text: str, kept: str, notes: int) -> None:
    checked = without_repeats(words(text), most=4)
    assert " ".join(word.text.strip(",") for word in checked.kept) == kept
    assert len(checked.notes) == notes
    assert all("times in a row" in note for note in checked.notes)


def test_a_song_may_repeat_itself() -> None:
    chorus = words("na na na hey " * 12)
    assert without_repeats(chorus, SONG.repeats).kept == tuple(chorus)


@given(st.lists(st.sampled_from("ab"), max_size=40), st.integers(1, 6))
def test_what_is_kept_was_said_in_this_order(letters: list[str], most: int) -> None:
    said = words(" ".join(letters))
    kept = without_repeats(said, most).kept
    assert [word for word in said if word in kept] == list(kept)
    assert (len(kept) < len(said)) == bool(without_repeats(said, most).notes)


@pytest.mark.parametrize(
    ("no_speech", "log_probability", "text", "silent"),
    [
        (0.9, -1.5, "Thanks!", True),
        (0.9, -0.5, "Thanks!", False),
        (0.1, -1.5, "Thanks!", False),
        (0.9, -1.5, "", False),
    ],
)
def test_an_unsure_text_where_nobody_speaks_is_left_out(
    no_speech: float, log_probability: float, text: str, silent: bool
) -> None:
    note = silent_window(Draft((), text, log_probability, no_speech), WINDOW, SPEECH)
    assert bool(note) == silent
    assert note == "" or note.startswith('Left out at 1:00.0 to 1:30.0: "Thanks!"; nobody seems to speak (90%)')


def test_words_in_silence_are_left_out_but_not_those_beside_speech() -> None:
    voice = Voice(spoken([(1.0, 3.0), (9.0, 11.0)], 12.0))
    said = [*words("one two three four", 1.0), *words("thank you", 5.5), *words("five", 9.0)]
    checked = without_silence(said, voice)
    assert [word.text for word in checked.kept] == ["one", "two", "three", "four", "five"]
    assert checked.notes == ('Left out at 0:05.5 to 0:06.5: "thank you"; it is silent there.',)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (3725.25, "62:05.2")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_voice_is_where_somebody_speaks() -> None:
    voice = Voice(spoken([(2.0, 4.0), (4.3, 6.0), (10.0, 12.0)], 20.0))
    assert np.allclose(voice.spans, [[2.0, 6.0], [10.0, 12.0]], atol=0.25)
    assert voice.next_start(0.0) == voice.spans[0, 0]
    assert voice.next_start(3.0) == 3.0
    assert voice.next_start(13.0) == np.inf
    assert voice.heard(5.0, 11.0) == pytest.approx(voice.spans[0, 1] - 5 + 11 - voice.spans[1, 0])
    assert voice.pause_between(4.0, 11.0) == pytest.approx(8.0, abs=0.2)
    assert voice.pause_between(4.5, 5.5) is None


def test_a_soft_speaker_after_a_loud_one_is_heard() -> None:
    loud, soft = spoken([(1.0, 29.0)], 40.0), spoken([(35.0, 55.0)], 60.0)
    both = loud.read(0, 40 * RATE)
    both = np.concatenate([both, 0.03 * soft.read(34 * RATE, 60 * RATE)])
    assert Voice(Samples(both)).heard(41.0, 60.0) > 18


@pytest.mark.parametrize("level", [0.0, 1e-7])
def test_nobody_speaks_in_digital_silence(level: float) -> None:
    silence = np.full(5 * RATE, level, np.float32)
    assert Voice(Samples(silence)).next_start(0.0) == np.inf


def test_steady_sound_may_be_speech_and_a_song_is_heard_everywhere() -> None:
    assert Voice(spoken([(0.0, 8.0)], 8.0)).heard(0, 8) == 8
    assert Voice(spoken([(2.0, 3.0)], 8.0), everywhere=True).spans.tolist() == [[0.0, 8.0]]


def test_the_level_is_that_of_the_signal_and_does_not_depend_on_blocks() -> None:
    tone = (0.5 * np.sin(2 * np.pi * 1000 * np.arange(40 * RATE) / RATE)).astype(np.float32)
    level = Voice(Samples(tone), everywhere=True).level
    assert len(level) == 4000
    assert np.allclose(level[10:-10], -9.03, atol=0.1)  # 0.5 / sqrt(2)


def test_a_window_ends_in_the_longest_pause() -> None:
    voice = Voice(spoken([(0.0, 17.0), (20.0, 26.0), (28.0, 48.0)], 50.0))
    window = window_from(0.0, voice, 50.0)
    assert window.whole
    assert window.stop == pytest.approx(18.5, abs=0.2)
    assert window_from(21.0, voice, 50.0) == Window(21.0, 50.0, True)


def test_without_a_pause_the_last_words_are_heard_again() -> None:
    window = window_from(0.0, Voice(spoken([(0.0, 50.0)], 50.0)), 50.0)
    assert window == Window(0.0, 30.0, False)
    said = words("all but these two", 27.4)
    kept, following = complete(said, window)
    assert [word.text for word in kept] == ["all", "but", "these"]
    assert following == pytest.approx(28.9)
    assert complete(said, replace(window, whole=True)) == (tuple(said), 30.0)
    only = words("loooong", 29.2)
    assert complete(only, window) == (tuple(only), 30.0)


def test_much_speech_after_the_last_word_is_heard_again() -> None:
    voice = Voice(spoken([(0.0, 30.0)], 30.0))
    assert resumed(words("one two", 10.0), Window(0.0, 30.0, True), 30.0, voice) == 11.0
    assert resumed(words("one two", 27.0), Window(0.0, 30.0, True), 30.0, voice) == 30.0
    assert resumed([], Window(0.0, 30.0, True), 30.0, voice) == 30.0
