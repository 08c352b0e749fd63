"""What a speech model makes up: found, left out, and reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.lyrics import Word
from .decoding import Draft, is_silence
from .presets import Preset
from .voice import Voice
from .windows import Window

_LONGEST_PHRASE = 12  # words of a phrase that may be repeated
_NEAR = 0.5  # seconds: what is so near to speech may be a soft part of it
_SHOWN = 60  # letters of a text in a note


@dataclass(frozen=True)
class Checked:
    """kept: the words that are believed. notes: what was left out, and why."""

    kept: tuple[Word, ...]
    notes: tuple[str, ...] = ()


def silent_window(draft: Draft, window: Window, preset: Preset) -> str:
    """Why nothing of this window is believed; empty when it is."""
    if not is_silence(draft, preset) or not draft.text:
        return ""
    reason = f"nobody seems to speak ({draft.no_speech:.0%}), and the text is unsure"
    return left_out(window.start, window.stop, draft.text, reason)


def without_repeats(words: Sequence[Word], most: int) -> Checked:
    """Without the repetitions of a phrase beyond `most` in a row: models go round in circles."""
    heard = [word.text.casefold().strip(".,!?;: ") for word in words]
    kept: list[Word] = []
    notes: list[str] = []
    place = 0
    while place < len(words):
        length, times = _repeated(heard, place, most)
        kept += words[place : place + min(times, most) * length]
        if times > most:
            dropped = words[place + most * length : place + times * length]
            phrase = " ".join(heard[place : place + length])
            notes.append(left_out(dropped[0].start, dropped[-1].end, phrase, f"said {times} times in a row"))
        place += times * length
    return Checked(tuple(kept), tuple(notes))


def without_silence(words: Sequence[Word], voice: Voice) -> Checked:
    """Without the words that lie where nobody speaks, nor just before or after."""
    unheard = [word for word in words if voice.heard(word.start - _NEAR, word.end + _NEAR) == 0]
    if not unheard:
        return Checked(tuple(words))
    text = " ".join(word.text for word in unheard)
    note = left_out(unheard[0].start, unheard[-1].end, text, "it is silent there")
    return Checked(tuple(word for word in words if word not in unheard), (note,))


def left_out(start: float, end: float, text: str, reason: str) -> str:
    """A note about a text that was left out."""
    short = text if len(text) <= _SHOWN else text[:_SHOWN].rstrip() + " ..."
    return f'Left out at {clock(start)} to {clock(end)}: "{short}"; {reason}.'


def clock(seconds: float) -> str:
    """1:02.5"""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


def _repeated(heard: Sequence[str], place: int, most: int) -> tuple[int, int]:
    """(words, times) of the phrase at `place` that is said more than `most` times in a row; else (1, 1)."""
    for length in range(1, _LONGEST_PHRASE + 1):
        phrase = heard[place : place + length]
        times = 1
        while heard[place + times * length : place + (times + 1) * length] == phrase:
            times += 1
        if times > most:
            return length, times
    return 1, 1
