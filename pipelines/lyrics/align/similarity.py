"""How alike two texts are, for many texts at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Vocabulary:
    """Texts that others are compared with. Equal ones are compared once, and no text twice."""

    def __init__(self, texts: Sequence[str]) -> None:
        unique = list(dict.fromkeys(texts))
        numbers = {text: number for number, text in enumerate(unique)}
        self._which = np.array([numbers[text] for text in texts], dtype=np.intp)
        self._lengths = np.array([len(text) for text in unique], dtype=np.int32)
        self._letters = np.full((len(unique), max(map(len, unique), default=0)), -1, dtype=np.int32)
        for row, text in zip(self._letters, unique, strict=True):
            row[: len(text)] = [ord(letter) for letter in text]
        self._known: dict[str, NDArray[np.float32]] = {}

    def similarity(self, text: str) -> NDArray[np.float32]:
        """float32 [texts], 0-1: 1 - edits / letters of the longer one (normalised Levenshtein distance)."""
        if text not in self._known:
            longer = np.maximum(self._lengths, max(len(text), 1))
            self._known[text] = (1 - self._edits(text) / longer).astype(np.float32)
        return self._known[text][self._which]

    def _edits(self, text: str) -> NDArray[np.int32]:
        """int32 [unique texts]: letters put in, left out or exchanged (Wagner & Fischer 1974), a row at a time.

        Putting letters in is a running minimum: edits[j] = min over k <= j of (edits[k] + j - k).
        """
        columns = np.arange(self._letters.shape[1] + 1, dtype=np.int32)
        edits = np.broadcast_to(columns, (len(self._lengths), len(columns))).copy()
        for row, letter in enumerate(text, 1):
            exchanged = edits[:, :-1] + (self._letters != ord(letter))
            edits[:, 1:] = np.minimum(edits[:, 1:] + 1, exchanged)
            edits[:, 0] = row
            edits = np.minimum.accumulate(edits - columns, axis=1) + columns
        return np.take_along_axis(edits, self._lengths[:, None], axis=1)[:, 0]
