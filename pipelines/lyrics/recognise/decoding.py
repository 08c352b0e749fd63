"""A window of sound to text: greedy at first, freer when the result is doubtful, as openai/whisper's `transcribe`."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .presets import Preset

_LONGEST = 224  # tokens: half of what a Whisper takes
_LATEST_FIRST_TIME = 50  # a text begins within the first second of time tokens


class Written(Protocol):
    """A text in the making; see `networks.whisper.Writing`."""

    def after(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """[len(tokens), vocabulary]: unnormalised log probabilities of what follows each."""


class Vocabulary(Protocol):
    """Which token is what; see `networks.whisper_text.WhisperText`."""

    end: int
    no_speech: int
    first_time: int
    silenced: tuple[int, ...]
    blank: tuple[int, ...]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""


@dataclass(frozen=True)
class Draft:
    """What was written. tokens: text, with a time token before and after each line. text: without the time tokens.

    log_probability: mean per token. no_speech: probability, 0-1, that nobody speaks.
    """

    tokens: tuple[int, ...]
    text: str
    log_probability: float
    no_speech: float

    @property
    def compression(self) -> float:
        """How many times smaller the text becomes when compressed: 1.5 or so, more when it goes round in circles."""
        raw = self.text.encode()
        return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def best_draft(begin: Callable[[], Written], prompt: Sequence[int], vocabulary: Vocabulary, preset: Preset) -> Draft:
    """The first attempt that is good enough, else the likeliest of them."""
    attempts = []
    for temperature in preset.temperatures:
        attempts.append(_written(begin(), prompt, vocabulary, temperature))
        if is_silence(attempts[-1], preset) or _is_good(attempts[-1], preset):
            return attempts[-1]
    return max(attempts, key=lambda draft: draft.log_probability - max(0.0, draft.compression - preset.compression))


def is_silence(draft: Draft, preset: Preset) -> bool:
    """Whether the text is unsure, and probably nobody speaks."""
    return draft.no_speech > preset.no_speech and draft.log_probability < preset.least_log_probability


def _is_good(draft: Draft, preset: Preset) -> bool:
    return draft.compression <= preset.compression and draft.log_probability >= preset.least_log_probability


def _written(writing: Written, prompt: Sequence[int], vocabulary: Vocabulary, temperature: float) -> Draft:
    chance = np.random.default_rng(0)  # the same sound gives the same text
    rows = writing.after(prompt)
    no_speech = float(np.exp(_log_softmax(rows[0])[vocabulary.no_speech]))
    tokens: list[int] = []
    total, row = 0.0, rows[-1]
    while len(tokens) < _LONGEST:
        likely = _log_softmax(allowed(row, tokens, vocabulary))
        if temperature == 0:
            token = int(likely.argmax())
        else:  # the largest of shifted log probabilities is a sample of them (Gumbel)
            token = int((likely / temperature + chance.gumbel(size=len(likely))).argmax())
        total += float(likely[token])
        if token == vocabulary.end:
            break
        tokens.append(token)
        row = writing.after([token])[-1]
    text = vocabulary.decode([token for token in tokens if token < vocabulary.end])
    return Draft(tuple(tokens), text.strip(), total / (len(tokens) + 1), no_speech)


def allowed(row: NDArray[np.float32], tokens: Sequence[int], vocabulary: Vocabulary) -> NDArray[np.float32]:
    """`row` with minus infinity for what may not follow `tokens`: times come in pairs and never go back.

    The rules are those of openai/whisper's `ApplyTimestampRules`.
    """
    row = row.copy()
    row[list(vocabulary.silenced)] = -np.inf
    times = [token for token in tokens if token >= vocabulary.first_time]
    if not tokens:
        row[list(vocabulary.blank)] = -np.inf
        row[: vocabulary.first_time] = -np.inf
        row[vocabulary.first_time + _LATEST_FIRST_TIME + 1 :] = -np.inf
        return row
    if tokens[-1] >= vocabulary.first_time:
        if len(tokens) == 1 or tokens[-2] >= vocabulary.first_time:
            row[vocabulary.first_time :] = -np.inf  # a line begins: text
        else:
            row[: vocabulary.end] = -np.inf  # a line has ended: the next one begins, or nothing does
    if times:
        # A line ends later than it begins; the next one may begin where it ended.
        earliest = times[-1] + (tokens[-1] < vocabulary.first_time)
        row[vocabulary.first_time : earliest] = -np.inf
    if (
        _log_sum(row[vocabulary.first_time :]) > row[: vocabulary.first_time].max()
    ):  # any time is likelier than any text
        row[: vocabulary.first_time] = -np.inf
    return row


def _log_softmax(row: NDArray[np.float32]) -> NDArray[np.float32]:
    return row - _log_sum(row)


def _log_sum(row: NDArray[np.float32]) -> np.float32:
    """The logarithm of the sum of the exponentials."""
    highest = row.max()
    if highest == -np.inf:
        return highest
    return highest + np.log(np.exp(row - highest).sum())
