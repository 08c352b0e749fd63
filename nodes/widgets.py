"""Widgets that several nodes share."""

from __future__ import annotations

from typing import get_args

from comfy_api.latest import io

from ..pipelines.core.types import Codec, PixelFormat
from ..pipelines.lyrics.recognise.languages import AUTO, LANGUAGES
from ..pipelines.lyrics.recognise.presets import PRESETS

FPS = io.Float.Input(
    "fps",
    default=25.0,
    min=1.0,
    max=240.0,
    step=0.001,
    tooltip="Frames per second of an IMAGE batch; 23.976 and 29.97 mean the exact NTSC rates. A VIDEO keeps its own.",
)


def encode_inputs() -> list[io.Input]:
    """How a VIDEO is encoded: the fields of `EncodeSettings`."""
    return [
        io.Combo.Input("codec", options=list(get_args(Codec)), default="h264", advanced=True),
        io.Int.Input(
            "crf",
            default=17,
            min=0,
            max=51,
            advanced=True,
            tooltip="Lower is better and larger; 17 looks like the source.",
        ),
        io.Combo.Input(
            "preset",
            options=["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower"],
            default="veryfast",
            advanced=True,
            tooltip="Slower presets make smaller files.",
        ),
        io.Combo.Input(
            "pixel_format",
            options=list(get_args(PixelFormat)),
            default="yuv420p",
            advanced=True,
            tooltip="yuv420p plays everywhere. yuv420p10le keeps 10-bit sources, yuv444p keeps full colour "
            "resolution; fewer players can show them.",
        ),
    ]


def listening_inputs(preset: str) -> list[io.Input]:
    """How a recording is listened to. preset: the one that a new node has."""
    return [
        io.Combo.Input(
            "language",
            options=[AUTO, *LANGUAGES],
            default=AUTO,
            tooltip="What is spoken or sung. auto listens to three parts of the recording; a wrong guess spoils it.",
        ),
        io.Combo.Input(
            "preset",
            options=list(PRESETS),
            default=preset,
            tooltip="speech: listens only where somebody speaks. song: listens everywhere, expects words that are "
            "held, and allows more repetition.",
        ),
        io.Audio.Input(
            "vocals",
            optional=True,
            tooltip="The voice alone, separated from this very audio: it is listened to instead. Its instruments make "
            "a song hard to understand.",
        ),
    ]
