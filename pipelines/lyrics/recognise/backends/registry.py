"""Which packages can run a speech model, and how each loads one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ....networks.whisper import load_whisper
from ...listener import SpeechModel
from ..whisper_listener import WhisperModel
from .faster_whisper import load_faster_whisper
from .whisper_timestamped import load_whisper_timestamped


@dataclass(frozen=True)
class Backend:
    """label: what a person should know of it. load: from the file of the weights; raises LipSyncError."""

    label: str
    load: Callable[[Path], SpeechModel]


DEFAULT: Final = "transformers"

BACKENDS: Final = MappingProxyType(
    {
        DEFAULT: Backend(
            "comes with ComfyUI and is under its memory management; model.safetensors",
            lambda path: WhisperModel(load_whisper(path)),
        ),
        "faster-whisper": Backend(
            "faster on a CPU, if you have installed it; model.bin of a Whisper for CTranslate2", load_faster_whisper
        ),
        "whisper-timestamped": Backend(
            "if you have installed it (its licence is AGPL-3.0); openai's .pt file", load_whisper_timestamped
        ),
    }
)
