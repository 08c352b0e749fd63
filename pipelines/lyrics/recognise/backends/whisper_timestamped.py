"""whisper-timestamped, if the user has it: openai's Whisper with words timed while they are written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ....core.errors import InputError, WeightsError
from ....core.host import Host
from ....core.lyrics import Timings, Word
from ...listener import Sound
from ..guards import without_repeats
from ..presets import Preset
from .optional import installed, line_of, lines_of


def load_whisper_timestamped(path: Path) -> WhisperTimestampedModel:
    """The model in openai's file (base.pt, ...). Raises MissingPackageError or WeightsError; fetches nothing."""
    module = installed("whisper_timestamped", "whisper-timestamped")
    if path.suffix != ".pt" or not path.is_file():
        raise WeightsError(
            expected="a Whisper as openai publishes it, a .pt file",
            got=str(path),
            next_step="Put base.pt, or another of openai's files, into models/whisper and choose it.",
        )
    try:
        return WhisperTimestampedModel(module, module.load_model(str(path)))
    except (RuntimeError, ValueError, KeyError, OSError) as error:
        raise WeightsError(
            expected=f"a Whisper as openai publishes it in {path}",
            got=f"a file that cannot be read ({error})",
            next_step="Download it again.",
        ) from error


class WhisperTimestampedModel:
    """Implements `listener.SpeechModel`. It manages its memory by itself, outside ComfyUI's."""

    def __init__(self, module: Any, model: Any) -> None:  # noqa: ANN401 - of a package that need not be there
        self._module, self._model = module, model

    def listener(self, sound: Sound, language: str, preset: Preset) -> WhisperTimestampedListener:
        """See `SpeechModel.listener`."""
        return WhisperTimestampedListener(self._module, self._model, sound, language, preset)


class WhisperTimestampedListener:
    """Implements `listener.Listener`, but for `place`."""

    longest = 30.0

    def __init__(
        self,
        module: Any,  # noqa: ANN401 - of a package that need not be there
        model: Any,  # noqa: ANN401
        sound: Sound,
        language: str,
        preset: Preset,
    ) -> None:
        self._module, self._model, self._sound, self._preset = module, model, sound, preset
        self._language = None if language == "auto" else language

    def recognise(self, host: Host) -> Timings:
        """See `Listener.recognise`. The whole sound is in memory; it cannot be stopped before its end."""
        host.check_interrupt()
        heard = self._module.transcribe_timestamped(
            self._model,
            torch.from_numpy(self._sound.read(0, len(self._sound))),
            language=self._language,
            vad=False,  # its own would be fetched from the internet
            condition_on_previous_text=False,
            no_speech_threshold=self._preset.no_speech,
            logprob_threshold=self._preset.least_log_probability,
            compression_ratio_threshold=self._preset.compression,
            temperature=self._preset.temperatures,
            verbose=None,  # neither text nor a progress bar in the console
        )
        notes: list[str] = []
        lines: list[Sequence[Word]] = []
        for segment in heard["segments"]:
            words = ((f" {word['text']}", word["start"], word["end"], word["confidence"]) for word in segment["words"])
            checked = without_repeats(line_of(words), self._preset.repeats)
            lines.append(checked.kept)
            notes += checked.notes
        return Timings(lines_of(lines), heard["language"], notes=tuple(notes))

    def place(self, words: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
        """Raises InputError: it cannot be given a text."""
        raise InputError(
            expected="a speech model that can be given the lyrics",
            got="whisper-timestamped, which times only what it has written itself",
            next_step="Load the model with the backend `transformers` or `faster-whisper` for this.",
        )
