"""What a client may ask of a job: values by name, from JSON or as the texts of a form."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from .jobs_errors import RequestError

EngineName = Literal["draft", "musetalk", "latentsync", "wav2lip"]
Role = Literal["video", "image", "audio"]
Value = int | float | bool | str

FILES: Final[tuple[Role, ...]] = ("video", "image", "audio")
DEFAULT_ENGINE: Final[EngineName] = "musetalk"

_FORMS: Final = {int: re.compile(r"-?[0-9]{1,19}"), float: re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,15})?")}


@dataclass(frozen=True)
class Parameter:
    """A value that becomes the input of that name of a node. Its range is the node's, which ComfyUI checks."""

    node: str
    kind: type[Value]

    def of_json(self, name: str, value: object) -> Value:
        """Raises RequestError for a value of another type; a whole number does where any number does."""
        if type(value) is self.kind or (self.kind is float and type(value) is int):
            if not isinstance(value, float) or math.isfinite(value):
                return value
        raise _refused(name, self.kind, value)

    def of_text(self, name: str, text: str) -> Value:
        """The same from a field of a form."""
        if self.kind is str:
            return text
        if self.kind is bool:
            if text in ("true", "false"):
                return text == "true"
        elif _FORMS[self.kind].fullmatch(text):
            return self.kind(text)
        raise _refused(name, self.kind, text)


_SHIFT, _SYNC, _LATENTSYNC = "LipSyncBBoxShift", "LipSyncVideo", "LipSyncLoadLatentSync"

PARAMETERS: Final = MappingProxyType(
    {
        "bbox_shift": Parameter(_SHIFT, int),
        "extra_margin": Parameter(_SHIFT, int),
        "upper_bound": Parameter(_SHIFT, int),
        "smoothing": Parameter(_SHIFT, float),
        "fps": Parameter(_SYNC, float),
        "audio_longer": Parameter(_SYNC, str),
        "video_longer": Parameter(_SYNC, str),
        "restore_in_silence": Parameter(_SYNC, bool),
        "sound": Parameter(_SYNC, str),
        "codec": Parameter(_SYNC, str),
        "crf": Parameter(_SYNC, int),
        "preset": Parameter(_SYNC, str),
        "pixel_format": Parameter(_SYNC, str),
        "steps": Parameter(_LATENTSYNC, int),
        "guidance": Parameter(_LATENTSYNC, float),
        "seed": Parameter(_LATENTSYNC, int),
        "accept_non_commercial_licence": Parameter("LipSyncLoadWav2Lip", bool),
    }
)


@dataclass(frozen=True)
class Wishes:
    """What is asked beside the files. values: by the names of `PARAMETERS`."""

    engine: EngineName
    values: Mapping[str, Value]

    @classmethod
    def of_json(cls, fields: Mapping[str, object]) -> Wishes:
        """Raises RequestError (400) for an unknown name or a wrong type."""
        engine = fields.get("engine", DEFAULT_ENGINE)
        rest = {name: value for name, value in fields.items() if name != "engine"}
        return cls(_engine(engine), {name: parameter(name).of_json(name, value) for name, value in rest.items()})

    @classmethod
    def of_texts(cls, fields: Mapping[str, str]) -> Wishes:
        """The same from the fields of a form."""
        rest = {name: text for name, text in fields.items() if name != "engine"}
        engine = _engine(fields.get("engine", DEFAULT_ENGINE))
        return cls(engine, {name: parameter(name).of_text(name, text) for name, text in rest.items()})


@dataclass(frozen=True)
class Order:
    """A whole job. source, audio: names that loader nodes know. still: the source is one picture."""

    source: str
    still: bool
    audio: str
    wishes: Wishes


def parameter(name: str) -> Parameter:
    """The parameter of that name. Raises RequestError (400) when there is none."""
    if name in PARAMETERS:
        return PARAMETERS[name]
    known = ", ".join((*FILES, "engine", *PARAMETERS))
    raise RequestError(
        400, "bad_request", expected=f"fields out of {known}", got=shown(name), next_step="Leave it out."
    )


def _engine(value: object) -> EngineName:
    if value in get_args(EngineName):
        return cast(EngineName, value)
    names = ", ".join(get_args(EngineName))
    raise RequestError(400, "bad_value", expected=f"engine: {names}", got=shown(value), next_step="Choose one of them.")


def _refused(name: str, kind: type[Value], value: object) -> RequestError:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}[kind]
    return RequestError(400, "bad_value", expected=f"{name}: {words}", got=shown(value), next_step="Correct it.")


def shown(value: Any) -> str:  # noqa: ANN401 - whatever a client sent
    """What messages say of it."""
    return ascii(value)[:60]
