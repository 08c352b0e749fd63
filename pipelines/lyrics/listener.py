"""What the lyrics folder asks of a sound and of a speech model that listens to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError
from ..core.host import Host
from ..core.lyrics import Timings, Word
from .recognise.presets import Preset


class TooManyWordsError(InputError):
    """More words than a listener can be given at once."""


class Sound(Protocol):
    """Mono sound at 16 kHz, read in pieces. `audio.resample.MonoReader` is one."""

    def __len__(self) -> int:
        """Samples in all."""

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        """float32 [stop - start], full scale -1..1; zeros outside the sound."""


class Listener(Protocol):
    """A speech model with one sound before it. Seconds are those of the sound."""

    @property
    def longest(self) -> float:
        """Seconds that `place` can listen to at once."""

    def recognise(self, host: Host) -> Timings:
        """What is said or sung in the whole sound, with the time of each word; `notes` tell what was dropped."""

    def place(self, words: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
        """When each of the known `words` is said between `start` and `end` (at most `longest` seconds apart).

        One `Word` for each, in order, inside start..end. confidence: how well the sound fits the word, 0-1. Raises
        TooManyWordsError where it cannot be given so many at once.
        """


class SpeechModel(Protocol):
    """A speech model that is loaded: the LIPSYNC_LISTENER socket."""

    def listener(self, sound: Sound, language: str, preset: Preset) -> Listener:
        """It, with `sound` before it.

        language: ISO 639-1 code, or "auto". Raises InputError for a language that it does not know.
        """
