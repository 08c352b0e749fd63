"""When each word of a recording is said or sung."""

from __future__ import annotations

from dataclasses import replace

from .audio.resample import MonoReader
from .core.errors import InputError
from .core.host import Host
from .core.lyrics import Timings
from .core.types import AudioClip
from .lyrics.listener import SpeechModel
from .lyrics.recognise.presets import Preset

# Seconds by which a stem may be longer or shorter than its mix. Separators and codecs pad by up to a tenth or so.
STEM_TOLERANCE = 0.5


def word_timestamps(
    mix: AudioClip, vocals: AudioClip | None, model: SpeechModel, language: str, preset: Preset, host: Host
) -> Timings:
    """The words of `mix`, with its times.

    vocals: the voice alone, from a separator, which is listened to instead. language: ISO 639-1 code, or "auto".
    Raises InputError for a stem of another length, and for a language that the model does not know.
    """
    timings = model.listener(MonoReader(heard(mix, vocals)), language, preset).recognise(host)
    if timings.words:
        return timings
    return replace(timings, notes=(*timings.notes, "No words were heard."))


def heard(mix: AudioClip, vocals: AudioClip | None) -> AudioClip:
    """What to listen to: the vocals where there are any. Raises InputError unless both have the same timeline."""
    if vocals is None:
        return mix
    if abs(vocals.seconds - mix.seconds) > STEM_TOLERANCE:
        raise InputError(
            expected=f"vocals as long as the audio ({mix.seconds:.2f} s): the same recording without its instruments",
            got=f"vocals of {vocals.seconds:.2f} s",
            next_step="Separate the vocals from this very audio, and trim neither of the two afterwards.",
        )
    return vocals
