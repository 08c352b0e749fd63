"""What D-ID is asked and what it answers, as values. Names and bounds: D-ID's published API, version 4.2.1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from ..core.errors import CloudError, InputError

Provider = Literal["microsoft", "azure-openai", "elevenlabs", "amazon", "google"]
ResultFormat = Literal["mp4", "mov"]
Mood = Literal["neutral", "happy", "serious", "surprise"]

IMAGE_BYTES = 10_000_000  # of an upload
AUDIO_BYTES = 6_000_000  # of an upload
AUDIO_SECONDS = 600  # of a talk
TEXT_LENGTH = (3, 10_000)  # characters
LONGEST_PAD = 60.0  # s
BILLED_STEP = 15  # s; a talk is billed in steps of so many

_HAS_OWN_VOICE = ("elevenlabs", "google")  # a voice need not be named
_ENDED = ("done", "error", "rejected")


def billed_seconds(seconds: float) -> int:
    """What a talk of that length is billed as: rounded up to 15 s."""
    return max(math.ceil(seconds / BILLED_STEP), 1) * BILLED_STEP


@dataclass(frozen=True)
class SpokenText:
    """Text that D-ID speaks. voice: a name of the provider's; may be empty where the provider has a default."""

    text: str
    provider: Provider
    voice: str

    def __post_init__(self) -> None:
        least, most = TEXT_LENGTH
        if not least <= len(self.text.strip()) <= most:
            raise InputError(
                expected=f"an AUDIO, or a text of {least} to {most} characters",
                got=f"no audio and {len(self.text.strip())} characters",
                next_step="Connect `audio`, or write the text.",
            )
        if not self.voice.strip() and self.provider not in _HAS_OWN_VOICE:
            raise InputError(
                expected=f"a voice of {self.provider}, such as en-US-JennyNeural",
                got="none",
                next_step="Write its name into `voice`.",
            )

    def script(self) -> dict[str, Any]:
        """The `script` of a talk."""
        provider = {"type": self.provider, "voice_id": self.voice.strip()}
        if not self.voice.strip():
            del provider["voice_id"]
        return {"type": "text", "input": self.text.strip(), "provider": provider}


@dataclass(frozen=True)
class Expression:
    """A mood from a frame on. frame: from 0. intensity: 0-1."""

    frame: int
    mood: Mood
    intensity: float

    def __post_init__(self) -> None:
        if self.frame < 0 or self.mood not in get_args(Mood) or not 0 <= self.intensity <= 1:
            raise InputError(
                expected=f"a frame from 0, one of {', '.join(get_args(Mood))}, and an intensity from 0 to 1",
                got=f"{self.frame} {self.mood} {self.intensity}",
                next_step="Correct `expressions`.",
            )


def read_expressions(text: str) -> tuple[Expression, ...]:
    """One per row: `frame mood intensity`. Raises InputError that names the row."""
    return tuple(_read_expression(row) for row in map(str.strip, text.splitlines()) if row)


def _read_expression(row: str) -> Expression:
    try:
        frame, mood, intensity = row.split()
        return Expression(int(frame), cast(Mood, mood), float(intensity))
    except ValueError:
        raise InputError(
            expected="rows such as `0 happy 0.7`: frame, mood, intensity",
            got=f"`{row[:60]}`",
            next_step="Correct `expressions`, or leave it empty.",
        ) from None


@dataclass(frozen=True)
class TalkOptions:
    """The `config` of a talk. stitch: lay the head back into the whole picture. fluent: end the motion
    as it begins. pad_audio: seconds of silence after the speech."""

    stitch: bool = True
    fluent: bool = False
    pad_audio: float = 0.0
    expressions: tuple[Expression, ...] = ()
    result_format: ResultFormat = "mp4"

    def __post_init__(self) -> None:
        if not 0 <= self.pad_audio <= LONGEST_PAD:
            raise InputError(
                expected=f"`pad_audio` from 0 to {LONGEST_PAD:g} s",
                got=f"{self.pad_audio:g} s",
                next_step="Lower `pad_audio`.",
            )

    def config(self) -> dict[str, Any]:
        """As D-ID names it."""
        made: dict[str, Any] = {
            "stitch": self.stitch,
            "fluent": self.fluent,
            "pad_audio": self.pad_audio,
            "result_format": self.result_format,
        }
        if self.expressions:
            rows = [{"start_frame": e.frame, "expression": e.mood, "intensity": e.intensity} for e in self.expressions]
            made["driver_expressions"] = {"expressions": rows}
        return made


@dataclass(frozen=True)
class Upload:
    """A file at D-ID. id: None when it was not told. faces: how many were found in a picture; None: not told."""

    url: str
    id: str | None
    faces: int | None

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Upload:
        id, faces = answer.get("id"), answer.get("faces")
        known = len(faces) if isinstance(faces, list) else None
        return cls(text_of(answer, "url"), id if isinstance(id, str) and id else None, known)


@dataclass(frozen=True)
class Talk:
    """A job. status: created, started, done, error, rejected, or a word that D-ID may add. reason: of a failure."""

    id: str
    status: str
    result_url: str
    reason: str

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Talk:
        url, error = answer.get("result_url"), answer.get("error")
        said = [error.get("kind"), error.get("description")] if isinstance(error, dict) else []
        reason = ": ".join(part for part in said if isinstance(part, str) and part)
        return cls(text_of(answer, "id"), text_of(answer, "status"), url if isinstance(url, str) else "", reason)


@dataclass(frozen=True)
class Credits:
    """What is left of the plan, and what it began with, in D-ID's credits."""

    remaining: float
    total: float

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Credits:
        remaining, total = answer.get("remaining"), answer.get("total")
        if not isinstance(remaining, (int, float)) or not isinstance(total, (int, float)):
            raise _unknown("the credits")
        return cls(float(remaining), float(total))


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """A text that D-ID promises to send. Raises CloudError when it is not there."""
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise _unknown(f"`{name}`")
    return value


def _unknown(what: str) -> CloudError:
    return CloudError(
        expected=f"{what} in D-ID's answer",
        got="none",
        next_step="Try again; if it stays so, D-ID has changed and this pack needs an update.",
    )
