"""Sheets of lyrics, made into the words that are sung."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.lyrics.align.clean import LONGEST_LINE, MAX_WORDS, clean, matched_text


def shown(text: str) -> list[list[str]]:
    return [[word.shown for word in line] for line in clean(text).lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[Verse 1]\nHello there\n\n\nGeneral", [["Hello", "there"], ["General"]]),
        ("Verse 1:\nhello\n(Chorus)\nthere\nEstribillo\nfin", [["hello"], ["there"], ["fin"]]),
        ("# a comment\n// another\n{soft}\nsung", [["sung"]]),
        ("[00:12.30]Hello [whispers] there", [["Hello", "there"]]),
        ("[never closed\nsung", [["sung"]]),
        ("♪♪♪\n---\nsung", [["sung"]]),
        ("bridge over water", [["bridge", "over", "water"]]),
        ("hello (there)", [["hello", "(there)"]]),
        ("hello - there …", [["hello", "there …"]]),
        ("- hello", [["- hello"]]),
        ("\ufeffa\r\nb\rc", [["a"], ["b"], ["c"]]),
        ("我爱你。 hello", [["我", "爱", "你。", "hello"]]),
        ("「君の名は」", [["「君", "の", "名", "は」"]]),
        ("ที่นี่", [["ที่", "นี่"]]),
        ("사랑해 너를", [["사랑해", "너를"]]),
        ("שלום עולם", [["שלום", "עולם"]]),
    ],
)
def test_what_is_sung_stays(text: str, lines: list[list[str]]) -> None:
    assert shown(text) == lines


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("la x2\nend", {"la": 2}),
        ("la (x3)\nend", {"la": 3}),
        ("la [2x]\nend", {"la": 2}),
        ("la ×2\nend", {"la": 2}),  # noqa: RUF001
        ("a\nla\nx2\nend", {"a": 2, "la": 2}),
        ("a\n\nla\n(x2)\nend", {"a": 1, "la": 2}),
        ("[Chorus x2]\na\nla\n\nend", {"a": 2, "la": 2}),
        ("a\n[Chorus x2]\nla", {"a": 1, "la": 2}),
        ("chanel x", {"chanel": 1, "x": 1}),
        ("route 2x4", {"route": 1, "2x4": 1}),
    ],
)
def test_repeats_are_written_out(text: str, times: dict[str, int]) -> None:
    words = [word.shown for word in clean(text).words]
    assert {word: words.count(word) for word in set(words) - {"end"}} == times


def test_a_repeated_part_is_repeated_as_a_whole() -> None:
    assert shown("a\nb\nx2\nc") == [["a"], ["b"], ["a"], ["b"], ["c"]]


def test_prose_is_cut_into_lines_at_its_punctuation() -> None:
    text = "one two three four five, " * 12
    lyrics = clean(text)
    assert "".join(word.shown + word.after for word in lyrics.words).strip() == text.strip()
    assert all(line[-1].shown == "five," for line in lyrics.lines)
    assert all(sum(len(word.match) for word in line) <= LONGEST_LINE for line in lyrics.lines)
    assert lyrics.notes == (f"Lines made of rows that are too long for one: {len(lyrics.lines)}.",)
    assert [len(line) for line in clean("word " * 50).lines] == [LONGEST_LINE // 4, LONGEST_LINE // 4, 8]
    assert len(clean("ab" * 500).lines) == 1


def test_what_was_left_out_and_added_is_told() -> None:
    notes = clean("[Verse]\nhello x2\n# no").notes
    assert notes == (
        "Lines added because a mark such as x2 says that they are sung again: 1.",
        "Headings, comments and signs that are not sung, left out: 2.",
    )
    assert clean("plain\nwords").notes == ()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("Don't", "dont"),
        ("l’amour", "lamour"),  # noqa: RUF001
        ("Straße", "strasse"),
        ("EXTRAÑA", "extrana"),
        ("İstanbul", "istanbul"),
        ("ﬁn", "fin"),
        ("Sooooo", "soo"),
        ("שָׁלוֹם", "שלום"),
        ("...", ""),
    ],
)
def test_case_accents_and_signs_do_not_count(text: str, match: str) -> None:
    assert matched_text(text) == match


def test_right_to_left_lyrics_keep_their_order_and_their_text() -> None:
    (line,) = clean("أنا أحبك، يا ليلى").lines
    assert "".join(word.shown + word.after for word in line).strip() == "أنا أحبك، يا ليلى"


@pytest.mark.parametrize("text", ["", "\n\n", "[Verse]\n# nothing", "♪ ♪", "word " * (MAX_WORDS + 1)])
def test_lyrics_without_words_or_with_far_too_many_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="lyrics of 1 to"):
        clean(text)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=80))
def test_every_word_has_something_to_compare(text: str) -> None:
    try:
        lyrics = clean(text)
    except InputError:
        return
    assert all(word.match and word.shown.strip() == word.shown for word in lyrics.words)
    assert lyrics.edges[-1] == len(lyrics.words)
