"""How to listen: to speech, or to a song."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Preset:
    """What is believed, and what is left out.

    voice_only: listen only where somebody seems to speak (music has no such places). no_speech: from this probability
    of silence on, an unsure text is left out. least_log_probability: mean per token below which a text is unsure.
    compression: how many times smaller a text may become when compressed; more means that it goes round in circles.
    repeats: how often a phrase may be said in a row. temperatures: of the attempts; the first that is good enough
    counts. pauses: share of a token's attention below which a frame belongs to no word (see `dtw`); the median of what
    follows from each of them counts.

    But for `repeats` and `pauses`, the numbers of speech are those of openai/whisper's `transcribe`. A pause of 0.008
    has the smallest error of onsets on recordings of two people and on synthetic speech in three languages, with
    whisper-tiny and -base; from 0.006 to 0.012 it changes by less than 20 ms.
    """

    voice_only: bool
    no_speech: float = 0.6
    least_log_probability: float = -1.0
    compression: float = 2.4
    repeats: int = 4
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    pauses: tuple[float, ...] = (0.008,)


SPEECH: Final = Preset(voice_only=True)
# Choruses repeat themselves, so they compress well; what is sung is less sure than what is said. Words are held, and
# attention to them is spread thinly: a high pause cuts them short, a low one draws them out, and which of the two is
# worse differs from line to line: with whisper-tiny, 0.005 instead of 0.004 moves ten percent of a song out of 0.3 s.
SONG: Final = Preset(
    voice_only=False,
    least_log_probability=-1.4,
    compression=3.4,
    repeats=12,
    temperatures=(0.0, 0.4, 0.8),
    pauses=(0.002, 0.004, 0.008),
)

PRESETS: Final = MappingProxyType({"speech": SPEECH, "song": SONG})
