"""Words with their times, from speech or singing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import folder_paths
from comfy_api.latest import io

from ..pipelines.core.lyrics import Timings
from ..pipelines.lyrics.edits import aligned_words
from ..pipelines.lyrics.listener import SpeechModel
from ..pipelines.lyrics.recognise.backends.registry import BACKENDS, DEFAULT
from ..pipelines.lyrics.recognise.languages import LANGUAGES
from ..pipelines.lyrics.recognise.presets import PRESETS
from ..pipelines.networks.whisper import ADVICE
from ..pipelines.word_timestamps import word_timestamps
from .host import ComfyHost
from .inputs import audio_clip
from .sockets import LipSyncListener, LipSyncTimings, WhisperAlignment
from .weight_files import full_path
from .widgets import listening_inputs

# Where the weights of a Whisper may lie. ComfyUI knows the first; the second is where people put them.
FOLDERS = ("audio_encoders", "whisper")
folder_paths.add_model_folder_path(FOLDERS[1], str(Path(folder_paths.models_dir) / FOLDERS[1]))
_ENDINGS = (".safetensors", ".bin", ".pt")


class LoadWhisper(io.ComfyNode):
    """Node: a Whisper from the user's files."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLoadWhisper",
            display_name="Load Whisper",
            category="LipSync Studio",
            description="A Whisper of any size, for Word Timestamps and Align Lyrics. The weights are yours to "
            "download; the help page says which and where they go.",
            search_aliases=["whisper", "speech to text", "transcribe", "asr", "word timestamps"],
            inputs=[
                io.Combo.Input(
                    "model",
                    options=_models() or ["(models/audio_encoders and models/whisper are empty)"],
                    tooltip=f"The weights, with tokenizer.json in the same folder. {ADVICE}",
                ),
                io.Combo.Input(
                    "backend",
                    options=list(BACKENDS),
                    default=DEFAULT,
                    advanced=True,
                    tooltip="; ".join(f"{name}: {backend.label}" for name, backend in BACKENDS.items()),
                ),
            ],
            outputs=[LipSyncListener.Output(display_name="listener")],
        )

    @classmethod
    def validate_inputs(cls, model: str | None) -> bool | str:
        """The input is None where another node gives it; then `execute` finds out."""
        if model is None or model in _models():
            return True
        return f"Expected the weights of a Whisper; found no models/{model}. {ADVICE}"

    @classmethod
    def execute(cls, model: str, backend: str) -> io.NodeOutput:
        folder, _, name = model.partition("/")
        return io.NodeOutput(BACKENDS[backend].load(full_path(folder, name)))


class WordTimestamps(io.ComfyNode):
    """Node: the words of a recording."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncWordTimestamps",
            display_name="Word Timestamps",
            category="LipSync Studio",
            description="Hears what is said or sung, and when each word begins and ends. Of any length. What it left "
            "out because it seemed made up is in the notes.",
            search_aliases=["whisper", "transcribe", "speech to text", "subtitles", "lyrics", "karaoke", "srt", "asr"],
            inputs=[
                io.Audio.Input("audio", tooltip="The recording that the times are for."),
                LipSyncListener.Input("listener", tooltip="From Load Whisper."),
                *listening_inputs("speech"),
            ],
            outputs=[
                LipSyncTimings.Output(display_name="timings"),
                WhisperAlignment.Output(display_name="whisper_alignment"),
                io.String.Output(display_name="text"),
                io.String.Output(display_name="notes"),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: Mapping[str, Any],
        listener: SpeechModel,
        language: str,
        preset: str,
        vocals: Mapping[str, Any] | None = None,
    ) -> io.NodeOutput:
        stem = None if vocals is None else audio_clip(vocals)
        host = ComfyHost("seconds", "times as fast as it plays")
        code = LANGUAGES.get(language, language)  # auto stays; what another node gives is checked by the listener
        timings = word_timestamps(audio_clip(audio), stem, listener, code, PRESETS[preset], host)
        return io.NodeOutput(timings, aligned_words(timings), _text(timings), "\n".join(timings.notes))


def _text(timings: Timings) -> str:
    return "\n".join(line.text for line in timings.lines)


def _models() -> list[str]:
    """`folder/name` of every file that may be the weights of a Whisper."""
    return [
        f"{folder}/{name}"
        for folder in FOLDERS
        for name in folder_paths.get_filename_list(folder)
        if name.lower().endswith(_ENDINGS)
    ]
