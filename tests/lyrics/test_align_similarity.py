"""How alike two texts are."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.lyrics.align.similarity import Vocabulary


def by_hand(first: str, second: str) -> int:
    """Edits, by the recursion of the definition."""
    row = list(range(len(second) + 1))
    for letter in first:
        following = [row[0] + 1]
        for column, other in enumerate(second, 1):
            following.append(min(row[column] + 1, following[-1] + 1, row[column - 1] + (letter != other)))
        row = following
    return row[-1]


@pytest.mark.parametrize(
    ("known", "heard", "similarity"),
    [
        ("love", "love", 1.0),
        ("love", "live", 0.75),
        ("love", "glove", 0.8),
        ("a", "b", 0.0),
        ("kitten", "sitting", 4 / 7),
    ],
)
def test_known_words(known: str, heard: str, similarity: float) -> None:
    assert Vocabulary([heard]).similarity(known).tolist() == pytest.approx([similarity])


letters = st.text("abcé你", max_size=6)


@settings(deadline=None)
@given(letters, st.lists(letters, max_size=6))
def test_it_is_the_edit_distance_over_the_longer_length(text: str, texts: list[str]) -> None:
    expected = [1 - by_hand(text, other) / max(len(text), len(other), 1) for other in texts]
    assert Vocabulary(texts).similarity(text).tolist() == pytest.approx(expected, abs=1e-6)
