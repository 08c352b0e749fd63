"""When each word of lyrics that are known is sung or said."""

from __future__ import annotations

from .audio.resample import WHISPER_RATE, MonoReader
from .core.host import Host
from .core.lyrics import Timings
from .core.types import AudioClip
from .lyrics.align.clean import clean
from .lyrics.align.hybrid import align
from .lyrics.listener import SpeechModel
from .lyrics.recognise.languages import AUTO
from .lyrics.recognise.presets import Preset
from .word_timestamps import heard


def align_lyrics(
    lyrics: str,
    mix: AudioClip,
    vocals: AudioClip | None,
    model: SpeechModel,
    language: str,
    preset: Preset,
    host: Host,
    recognised: Timings | None = None,
) -> Timings:
    """The words and lines of `lyrics`, with the times of `mix`.

    vocals: the voice alone, from a separator, which is listened to instead. language: ISO 639-1 code, or "auto".
    recognised: the words of the same sound where they are known already, so that they are not recognised again.
    Raises InputError for lyrics without words, a stem of another length, and a language that the model does not know.
    """
    known = clean(lyrics)
    sound = MonoReader(heard(mix, vocals))
    if language == AUTO and recognised is not None and recognised.language:
        language = recognised.language
    listener = model.listener(sound, language, preset)
    if recognised is None:
        recognised = listener.recognise(host)
    return align(known, recognised, listener, len(sound) / WHISPER_RATE, host)
