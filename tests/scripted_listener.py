"""A listener that knows what is sung and when, and makes the mistakes it is told to make. An input for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from lipsync_studio.pipelines.core.host import Host
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.listener import Sound, TooManyWordsError
from lipsync_studio.pipelines.lyrics.recognise.presets import Preset

FITS, DOES_NOT = 0.9, 0.01
LETTER = 0.1  # seconds


def sing(text: str, start: float, pause: float = 0.5) -> list[Word]:
    """Words at one letter every `LETTER` seconds; a pause after each row."""
    words = []
    for row in text.splitlines():
        for word in row.split():
            words.append(Word(word, start, start + LETTER * len(word)))
            start = words[-1].end
        start += pause
    return words


class ScriptedListener:
    """sung: all that is to be heard. misheard: number of a sung word -> what is recognised instead; "" for nothing.
    extra: words that are recognised although nobody sings them. late: seconds that `place` is wrong by.
    most: words that it can be given at once.
    """

    def __init__(
        self,
        sung: Sequence[Word],
        misheard: Mapping[int, str] | None = None,
        extra: Sequence[Word] = (),
        longest: float = 30.0,
        late: float = 0.0,
        most: int = 1000,
    ) -> None:
        self._sung, self._extra, self._late = list(sung), list(extra), late
        self._misheard, self._most = dict(misheard or {}), most
        self.longest = longest
        self.asked: list[tuple[float, float]] = []
        self.recognised = 0

    def recognise(self, host: Host) -> Timings:
        """One line with all of it."""
        self.recognised += 1
        heard = [
            Word(self._misheard.get(number, word.text), word.start, word.end)
            for number, word in enumerate(self._sung)
            if self._misheard.get(number, word.text)
        ]
        words = sorted([*heard, *self._extra], key=lambda word: word.start)
        return Timings((Line.of(tuple(words)),) if words else (), "en")

    def place(self, words: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
        """Words that are sung between `start` and `end` are found; the others are squeezed in before the next one."""
        assert 0 <= start < end
        assert end - start <= self.longest + 1e-6
        if len(words) > self._most:
            raise TooManyWordsError(expected=f"{self._most} words", got=str(len(words)), next_step="Give fewer.")
        self.asked.append((start, end))
        near = [word for word in self._sung if start <= word.start and word.end <= end]
        matcher = SequenceMatcher(None, list(words), [word.text for word in near], autojunk=False)
        found = {
            first + k: near[second + k] for first, second, size in matcher.get_matching_blocks() for k in range(size)
        }
        placed: list[Word] = []
        now = start
        for number, text in enumerate(words):
            if number in found:
                begin = min(max(found[number].start + self._late, now), end)
                now = min(max(found[number].end + self._late, begin), end)
                placed.append(Word(text, begin, now, FITS))
            else:
                placed.append(Word(text, now, now, DOES_NOT))
        return tuple(placed)


class ScriptedModel:
    """The model of one listener."""

    def __init__(self, listener: ScriptedListener) -> None:
        self._listener = listener
        self.asked: list[tuple[int, str]] = []

    def listener(self, sound: Sound, language: str, preset: Preset) -> ScriptedListener:
        """The listener, whatever the sound is."""
        self.asked.append((len(sound), language))
        return self._listener
