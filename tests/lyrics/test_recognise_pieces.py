"""Tokens to words: spaces, punctuation, scripts without spaces, characters of several tokens."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Word
from lipsync_studio.pipelines.lyrics.recognise.pieces import given_words, split_word, written_words


def encode(text: str) -> list[int]:
    return list(text.encode())


def decode(tokens: Sequence[int]) -> str:
    return bytes(tokens).decode("utf-8", errors="replace")


WRITTEN = [
    (" Hello, world.", [("Hello,", " "), ("world.", "")]),
    ("don't stop-", [("don't", " "), ("stop-", "")]),
    (' "Yes," she said', [('"Yes,"', " "), ("she", " "), ("said", "")]),
    (" ¿Qué? (oh)", [("¿Qué?", " "), ("(oh)", "")]),
    (" fast - slow ...", [("fast", " - "), ("slow", "")]),
    ("日本語。はい", [("日", ""), ("本", ""), ("語。", ""), ("は", ""), ("い", "")]),
    ("「愛」 you", [("「愛」", " "), ("you", "")]),
    ("ラーメン", [("ラー", ""), ("メ", ""), ("ン", "")]),
    (" 한국어 노래", [("한국어", " "), ("노래", "")]),
    ("น้ำ", [("น้", ""), ("ำ", "")]),
    (" שלום עולם", [("שלום", " "), ("עולם", "")]),
    (" ... ♪ !", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "words"), WRITTEN)
def test_words_of_a_text(text: str, words: list[tuple[str, str]]) -> None:
    pieces = written_words(encode(text), decode)
    assert [(word.text, word.after) for word in pieces.words] == words
    assert len(pieces.begins) == len(pieces.tokens) == len(encode(text))


def test_the_tokens_of_a_word_are_those_of_its_letters() -> None:
    pieces = written_words(encode(' a "bc," d'), decode)
    assert [(word.first, word.last) for word in pieces.words] == [(1, 2), (4, 6), (9, 10)]
    assert [token for token, begins in enumerate(pieces.begins) if begins] == [0, 1, 2, 3, 4, 6, 7, 8, 9]


def test_characters_that_share_a_token_share_its_time() -> None:
    table = {1: "こんに", 2: "ちは"}
    pieces = written_words([1, 2], lambda tokens: "".join(table[token] for token in tokens))
    assert [word.text for word in pieces.words] == list("こんにちは")
    assert [(word.first, word.last) for word in pieces.words] == [(0, 1)] * 3 + [(1, 2)] * 2
    assert [word.share for word in pieces.words][:4] == [(0, 1 / 3), (1 / 3, 2 / 3), (2 / 3, 1), (0, 0.5)]


def test_a_character_cut_off_at_the_end_is_dropped() -> None:
    pieces = written_words(encode(" ah é")[:-1], decode)
    assert [word.text for word in pieces.words] == ["ah"]


@given(st.lists(st.text(min_size=1).filter(lambda text: bool(text.strip())), max_size=8))
def test_known_words_keep_their_number_and_order(words: list[str]) -> None:
    pieces = given_words(words, encode, decode)
    assert [piece.text for piece in pieces.words] == words
    assert all(piece.first < piece.last for piece in pieces.words)
    assert all(a.last <= b.first for a, b in zip(pieces.words, pieces.words[1:], strict=False))
    assert all(pieces.begins[piece.first] for piece in pieces.words)
    assert len(pieces.begins) == len(pieces.tokens)


def test_known_words_are_spelled_as_whisper_does() -> None:
    assert decode(given_words(["Oh,", "my", "愛", "愛", "love"], encode, decode).tokens) == " Oh, my愛愛love"


@given(st.text())
def test_any_text_gives_its_letters(text: str) -> None:
    pieces = written_words(encode(text.encode(errors="replace").decode()), decode)
    shown = "".join(word.text + word.after for word in pieces.words)
    letters = [letter for letter in text if letter.isalnum()]
    assert [letter for letter in shown if letter.isalnum()] == letters


def test_a_word_of_another_package_is_split_where_no_spaces_are_written() -> None:
    assert [(w.text, w.start, w.after) for w in split_word(Word("日本。", 1.0, 2.0, after="x"))] == [
        ("日", 1.0, ""),
        ("本。", 1.5, "x"),
    ]
    assert split_word(Word("word", 1.0, 2.0)) == [Word("word", 1.0, 2.0)]
