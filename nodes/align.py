"""Lyrics that are known, with the times at which they are sung."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfy_api.latest import io

from ..pipelines.align_lyrics import align_lyrics
from ..pipelines.core.lyrics import Timings
from ..pipelines.lyrics.edits import aligned_words
from ..pipelines.lyrics.listener import SpeechModel
from ..pipelines.lyrics.recognise.languages import LANGUAGES
from ..pipelines.lyrics.recognise.presets import PRESETS
from .host import ComfyHost
from .inputs import audio_clip
from .sockets import LipSyncListener, LipSyncTimings, WhisperAlignment
from .widgets import listening_inputs


class AlignLyrics(io.ComfyNode):
    """Node: known words, found in a recording."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncAlignLyrics",
            display_name="Align Lyrics",
            category="LipSync Studio",
            description="Finds when each line and word of lyrics that you have is sung. The words stay as you "
            "wrote them; those that are not in the recording are marked, not guessed.",
            search_aliases=["lyrics", "karaoke", "forced alignment", "lrc", "song", "word timestamps", "whisper"],
            inputs=[
                io.Audio.Input("audio", tooltip="The song, or the speech, that the times are for."),
                io.String.Input(
                    "lyrics",
                    multiline=True,
                    tooltip="One line of the song in each row, in the order in which they are sung, every chorus "
                    "written out. [Verse] and rows that begin with # are left out; x2 behind a line doubles it.",
                ),
                LipSyncListener.Input("listener", tooltip="From Load Whisper."),
                *listening_inputs("song"),
                LipSyncTimings.Input(
                    "recognised",
                    optional=True,
                    tooltip="From Word Timestamps of the same audio: saves hearing it a second time.",
                ),
            ],
            outputs=[
                LipSyncTimings.Output(display_name="timings"),
                WhisperAlignment.Output(display_name="whisper_alignment"),
                io.String.Output(display_name="notes"),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: Mapping[str, Any],
        lyrics: str,
        listener: SpeechModel,
        language: str,
        preset: str,
        vocals: Mapping[str, Any] | None = None,
        recognised: Timings | None = None,
    ) -> io.NodeOutput:
        stem = None if vocals is None else audio_clip(vocals)
        host = ComfyHost("seconds", "times as fast as it plays")
        code = LANGUAGES.get(language, language)  # auto stays; what another node gives is checked by the listener
        timings = align_lyrics(lyrics, audio_clip(audio), stem, listener, code, PRESETS[preset], host, recognised)
        return io.NodeOutput(timings, aligned_words(timings), "\n".join(timings.notes))
