"""Whisper with a sound before it: the pack's own `Listener`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import ceil

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ...core.errors import InputError
from ...core.host import Host
from ...core.lyrics import Line, Timings, Word
from ...networks.whisper import FRAMES, RATE, SECONDS, Attention, Whisper
from ..listener import Sound, TooManyWordsError
from .decoding import best_draft
from .guards import silent_window, without_repeats, without_silence
from .languages import AUTO
from .pieces import Pieces, given_words, written_words
from .presets import Preset
from .timing import FRAME, timed_words
from .voice import Voice
from .windows import Window, complete, resumed, window_from

# Tokens of a text that a Whisper can be given at once, its prompt and end apart: half of its 448 for what is written
# (openai/whisper), all of them for what is known.
_LONGEST_TEXT = 440
_PARTS_FOR_LANGUAGE = 3
_SHORTEST = 0.1  # seconds of sound that may hold a word
# A frame to which the prompt pays attention is more likely without words: attention of the text over that of the prompt
# tells singing from music better than attention of the text alone does (whisper-tiny, area under the curve 0.86
# against 0.76 on a song). Times that of the prompt; from 1 to 4 changes little.
_UNHEARD = 2.0
_UNHEARD_AROUND = 5  # frames


class WhisperModel:
    """Whisper as the `SpeechModel` of the pack."""

    def __init__(self, whisper: Whisper) -> None:
        self._whisper = whisper

    def listener(self, sound: Sound, language: str, preset: Preset) -> WhisperListener:
        """language: ISO 639-1 code, or "auto". Raises InputError for one that this Whisper does not know."""
        return WhisperListener(self._whisper, sound, language, preset)


class WhisperListener:
    """Implements `lyrics.listener.Listener`. language: found out from the sound, once, when it is "auto"."""

    longest = SECONDS

    def __init__(self, whisper: Whisper, sound: Sound, language: str, preset: Preset) -> None:
        known = whisper.text.languages
        if language not in (AUTO, *known):
            raise InputError(
                expected=f"a language that this Whisper knows: {', '.join(known)}",
                got=f"`{language}`",
                next_step="Choose one of them, or `auto`; an English-only Whisper (.en) knows nothing but `en`.",
            )
        self._whisper, self._sound, self._preset = whisper, sound, preset
        self._language = "" if language == AUTO else language

    @property
    def language(self) -> str:
        """What is spoken."""
        if not self._language:
            self._language = self._found_language()
        return self._language

    def recognise(self, host: Host) -> Timings:
        """See `Listener.recognise`. Lines are as Whisper breaks them."""
        duration = len(self._sound) / RATE
        voice = Voice(self._sound, everywhere=not self._preset.voice_only)
        lines: list[Line] = []
        notes: list[str] = []
        start = voice.next_start(0.0)
        while start < duration - _SHORTEST:
            host.check_interrupt()
            window = window_from(start, voice, duration)
            found, following, said = self._listened(window, voice)
            lines += found
            notes += said
            start = voice.next_start(following)
            host.progress(ceil(min(start, duration)), ceil(duration), "Words")
        return Timings(tuple(lines), self._language, notes=tuple(notes))

    def place(self, words: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
        """See `Listener.place`. A Whisper takes 440 tokens at once."""
        text = self._whisper.text
        pieces = given_words(words, text.encode, text.decode)
        if not words:
            return ()
        if len(pieces.tokens) > _LONGEST_TEXT:
            raise TooManyWordsError(
                expected=f"at most {_LONGEST_TEXT} tokens between {start:.1f} and {end:.1f} s",
                got=f"{len(words)} words of {len(pieces.tokens)} tokens",
                next_step="Check that the lyrics belong to this song, and that its lines are in the right order.",
            )
        return self._timed(pieces, self._heard(start, end), start, end)

    def _timed(self, pieces: Pieces, heard: Tensor, start: float, end: float) -> tuple[Word, ...]:
        text = self._whisper.text
        prompt = text.prompt(self.language, times=False)
        frames = min(FRAMES, max(1, round((end - start) / FRAME)))
        shown = self._whisper.attend(heard, [*prompt, *pieces.tokens], frames)
        pauses = [level + _unheard(shown, len(prompt)) for level in self._preset.pauses]
        return timed_words(pieces, shown.after(len(prompt)), pauses, start, end)

    def _listened(self, window: Window, voice: Voice) -> tuple[list[Line], float, list[str]]:
        """The lines of a window, the second at which the next one may begin, and notes."""
        heard = self._heard(window.start, window.stop)
        text = self._whisper.text
        prompt = text.prompt(self.language, times=True)
        draft = best_draft(lambda: self._whisper.write(heard), prompt, text, self._preset)
        silent = silent_window(draft, window, self._preset)
        if silent:
            return [], window.stop, [silent]
        pieces = written_words([token for token in draft.tokens if token < text.end], text.decode)
        if not pieces.words:
            return [], window.stop, []
        words = self._timed(pieces, heard, window.start, window.stop)
        kept, following = complete(words, window)
        voiced = without_silence(kept, voice)
        checked = without_repeats(voiced.kept, self._preset.repeats)
        numbers = _line_numbers(draft.tokens, text.first_time)
        line_of = {word: numbers[piece.first] for word, piece in zip(words, pieces.words, strict=True)}
        lines = [Line.of(tuple(line)) for _, line in groupby(checked.kept, key=line_of.__getitem__)]
        return lines, resumed(checked.kept, window, following, voice), [*voiced.notes, *checked.notes]

    def _heard(self, start: float, stop: float) -> Tensor:
        return self._whisper.hear(self._sound.read(round(start * RATE), round(stop * RATE)))

    def _found_language(self) -> str:
        """The likeliest one in parts spread over the sound: songs begin without words."""
        text = self._whisper.text
        if not text.multilingual:
            return "en"
        names, tokens = zip(*text.languages.items(), strict=True)
        total = np.zeros(len(names))
        last = max(0, len(self._sound) - round(RATE * SECONDS))
        for start in sorted({round(last * part / (_PARTS_FOR_LANGUAGE - 1)) for part in range(_PARTS_FOR_LANGUAGE)}):
            heard = self._whisper.hear(self._sound.read(start, min(start + round(RATE * SECONDS), len(self._sound))))
            logits = self._whisper.write(heard).after(text.prompt("en", times=True)[:1])[-1][list(tokens)]
            total += logits - np.logaddexp.reduce(logits)
        return str(names[int(total.argmax())])


def _unheard(shown: Attention, prompt: int) -> NDArray[np.float32]:
    """[frames]: share of attention for what belongs to no word: that of the last of `prompt` tokens."""
    from scipy.ndimage import uniform_filter1d

    around: NDArray[np.float32] = uniform_filter1d(shown.frames[prompt - 1], _UNHEARD_AROUND)
    return _UNHEARD * around


def _line_numbers(tokens: Sequence[int], first_time: int) -> list[int]:
    """For each token of text, how many time tokens come before it: two for every line."""
    numbers: list[int] = []
    times = 0
    for token in tokens:
        if token >= first_time:
            times += 1
        else:
            numbers.append(times)
    return numbers
