"""Lyrics aligned with a listener that mishears, makes things up and gets lost."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.align.clean import clean
from lipsync_studio.pipelines.lyrics.align.hybrid import align
from scripted_listener import LETTER, ScriptedListener, sing

VERSES = (
    "walking by the river in the morning\nlooking for a letter with my name",
    "yesterday the market closed its windows\nnow the old piano cannot play",
    "tell the mountain someone will be coming\nsleeping in the shadow of the moon",
)
CHORUS = "carry me over the water\ncarry me all the way home"
LYRICS = "\n".join(f"{verse}\n{CHORUS}" for verse in VERSES)
INSTRUMENTAL = 18.0


def song() -> list[Word]:
    """All of LYRICS, with an instrumental before each verse."""
    words: list[Word] = []
    for verse in VERSES:
        start = (words[-1].end if words else 0.0) + INSTRUMENTAL
        words += sing(f"{verse}\n{CHORUS}", start)
    return words


def aligned(listener: ScriptedListener, lyrics: str = LYRICS, seconds: float = 120.0) -> Timings:
    return align(clean(lyrics), listener.recognise(PlainHost()), listener, seconds, PlainHost())


def errors(timings: Timings, sung: list[Word]) -> list[float]:
    return [abs(found.start - word.start) for found, word in zip(timings.words, sung, strict=True)]


def test_a_song_that_is_recognised_is_aligned() -> None:
    timings = aligned(ScriptedListener(song()))
    assert [line.text for line in timings.lines] == LYRICS.splitlines()
    assert max(errors(timings, song())) < 1e-6
    assert {word.source for word in timings.words} == {"heard"}
    assert timings.language == "en"
    assert timings.notes == (f"{len(song())} of {len(song())} words were heard.",)


def test_nothing_is_listened_to_across_an_instrumental() -> None:
    listener = ScriptedListener(song())
    aligned(listener)
    gaps = [(before.end, after.start) for before, after in pairwise(song()) if after.start - before.end > 2]
    assert len(gaps) == 2
    assert not [asked for asked in listener.asked for begin, end in gaps if asked[0] < begin and asked[1] > end]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 0.4))
def test_choruses_stay_in_order_under_random_errors(seed: int, rate: float) -> None:
    chance, sung = random.Random(seed), song()
    misheard = {number: chance.choice(["", "zzz", "carry"]) for number in range(len(sung)) if chance.random() < rate}
    timings = aligned(ScriptedListener(sung, misheard))
    assert [line.text for line in timings.lines] == LYRICS.splitlines()
    assert all(before.start <= after.start for before, after in pairwise(timings.words))
    assert all(0 <= word.start <= word.end <= 120 for word in timings.words)


def test_random_errors_cost_few_words() -> None:
    """Of 30 songs in which three words in ten are misheard, 95 % of the words are right all the same."""
    wrong = 0
    for seed in range(30):
        chance, sung = random.Random(seed), song()
        misheard = {number: chance.choice(["", "zzz", "carry"]) for number in range(len(sung)) if chance.random() < 0.3}
        wrong += sum(error > 0.3 for error in errors(aligned(ScriptedListener(sung, misheard)), sung))
    assert wrong <= 0.05 * 30 * len(song())


def test_a_line_that_is_not_sung_is_marked() -> None:
    extra = "nobody ever sang these words"
    lines = LYRICS.splitlines()
    timings = aligned(ScriptedListener(song()), "\n".join([*lines[:5], extra, *lines[5:]]))
    assert [line.text for line in timings.lines if line.words[0].source == "not found"] == [extra]
    assert f"1 lines were not found: {extra}" in timings.notes
    others = [word for line in timings.lines if line.text != extra for word in line.words]
    assert max(abs(found.start - word.start) for found, word in zip(others, song(), strict=True)) < 1e-6


def test_ad_libs_and_what_was_made_up_in_instrumentals_are_ignored() -> None:
    made_up = sing("thanks for watching carry me", 4.0) + sing("oh yeah oh yeah", song()[-1].end + 0.2)
    timings = aligned(ScriptedListener(song(), extra=made_up))
    assert max(errors(timings, song())) < 1e-6


def test_a_verse_that_was_not_recognised_is_placed_between_the_others() -> None:
    sung = song()
    second = range(len(sung) // 3, len(sung) // 3 + 12)
    timings = aligned(ScriptedListener(sung, dict.fromkeys(second, "")))
    assert max(errors(timings, sung)) < 1e-6


def test_lines_too_many_for_their_time_are_not_found_and_the_others_are() -> None:
    """A page of text between two lines that are sung one after the other."""
    sung = song()
    first, _, rest = LYRICS.partition("\n")
    timings = aligned(ScriptedListener(sung, most=40), f"{first}\n{'nobody ever sings any of this ' * 60}\n{rest}")
    assert len(timings.words) == len(sung) + 360
    later = timings.words[-(2 * len(sung) // 3) :]
    assert {word.source for word in later} == {"heard"}
    assert max(abs(word.start - wanted.start) for word, wanted in zip(later, sung[-len(later) :], strict=True)) < 1e-6


def test_lines_are_looked_for_when_nothing_was_recognised() -> None:
    sung = song()
    timings = aligned(ScriptedListener(sung, dict.fromkeys(range(len(sung)), "")))
    good = sum(error < 0.3 for error in errors(timings, sung))
    assert good >= 0.8 * len(sung)


def test_a_line_that_was_placed_somewhere_else_goes_where_it_was_recognised() -> None:
    sung = song()
    timings = aligned(ScriptedListener(sung, late=3.0))
    assert max(errors(timings, sung)) < 1e-6


def test_a_small_lateness_of_the_placing_counts_as_more_exact() -> None:
    sung = song()
    timings = aligned(ScriptedListener(sung, late=0.05))
    assert max(errors(timings, sung)) == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("lyrics", ["我 爱你\n在 梦里", "אני אוהב אותך\nכל הלילה", "ฉันรักเธอ\nในคืนนี้"])
def test_other_scripts(lyrics: str) -> None:
    words = clean(lyrics).words
    sung = [Word(word.shown, 2 + LETTER * 3 * number, 2.2 + LETTER * 3 * number) for number, word in enumerate(words)]
    timings = aligned(ScriptedListener(sung), lyrics, 20.0)
    assert max(errors(timings, sung)) < 1e-6
    assert [line.text for line in timings.lines] == lyrics.splitlines()


made_up = st.builds(
    lambda text, start, lasts, confidence: Word(text, start, start + lasts, confidence),
    st.sampled_from([*LYRICS.split(), "zzz", "-", "我爱"]),
    st.floats(0, 130),
    st.floats(0, 20),
    st.floats(0, 1),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(made_up, max_size=40), st.sampled_from([5.0, 28.0, 30.0]))
def test_whatever_was_recognised_the_result_is_in_order(words: list[Word], longest: float) -> None:
    recognised = Timings((Line.of(tuple(sorted(words, key=lambda word: word.start))),) if words else ())
    listener = ScriptedListener(song(), longest=longest)
    timings = align(clean(LYRICS), recognised, listener, 120.0, PlainHost())
    assert [line.text for line in timings.lines] == LYRICS.splitlines()
    assert all(before.start <= after.start for before, after in pairwise(timings.words))
    assert all(0 <= word.start <= word.end <= 120 + 1e-9 for word in timings.words)


def test_lyrics_of_another_song_are_not_found() -> None:
    timings = aligned(ScriptedListener(song()), "quite different matters\nnothing fits anywhere")
    assert {word.source for word in timings.words} == {"not found"}
