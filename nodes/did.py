"""A still picture talks, made by D-ID with the user's own key."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, get_args

import comfy.model_management
from comfy_api.latest import Input, InputImpl, io
from comfy_execution.utils import get_executing_context
from server import PromptServer
from torch import Tensor

from ..pipelines.cloud.did import DIDClient
from ..pipelines.cloud.did_values import (
    LONGEST_PAD,
    Mood,
    Provider,
    ResultFormat,
    SpokenText,
    TalkOptions,
    read_expressions,
)
from ..pipelines.cloud.order import Account, Afterwards
from ..pipelines.core.errors import InputError
from ..pipelines.portrait import Wish, talking_portrait
from .did_key import NO_KEY, current_journal, current_key, current_service, whence
from .inputs import audio_clip, clip_of
from .temp_files import temp_video

log = logging.getLogger(__name__)

NO_CONSENT = (
    "Turn `consent` on first: the picture and the voice or text leave this machine and go to D-ID, a company, which "
    "makes the video and bills your account. Nothing was sent."
)


class DIDTalk(io.ComfyNode):
    """Node: IMAGE and speech in, VIDEO out, for money."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncDIDTalk",
            display_name="D-ID Talk (cloud, paid)",
            category="LipSync Studio",
            description="Sends a still picture and speech to D-ID, which animates the face, with your own key and "
            "credits. It does not edit videos: of a VIDEO only the first frame is used.",
            search_aliases=["lip", "d-id", "did", "talking head", "talking photo", "avatar", "portrait", "cloud"],
            inputs=[
                io.MultiType.Input(
                    "image",
                    [io.Image, io.Video],
                    tooltip="The face. Only the first frame is sent, of an IMAGE batch and of a VIDEO.",
                ),
                io.Boolean.Input(
                    "consent",
                    default=False,
                    label_on="send face and voice",
                    label_off="send nothing",
                    tooltip="On: this face and voice (or text) are sent to D-ID, and your account there is billed. "
                    "Have the consent of the person in the picture.",
                ),
                io.Audio.Input(
                    "audio",
                    optional=True,
                    tooltip="What is said, up to 10 minutes. Sent at 16 kHz with one channel, which is what D-ID "
                    "works with. With it, `text`, `provider` and `voice` are not used.",
                ),
                *_text_inputs(),
                *_option_inputs(),
                io.Combo.Input(
                    "afterwards",
                    options=list(get_args(Afterwards)),
                    default="delete the uploads",
                    tooltip="What is deleted at D-ID once the result is here. While the talk is kept there, it can be "
                    "fetched again without paying.",
                ),
                io.Int.Input(
                    "run_again",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    tooltip="The same inputs are never bought twice. Another number buys a new talk of them.",
                ),
            ],
            outputs=[
                io.Video.Output(display_name="video"),
                io.String.Output(display_name="id"),
                io.String.Output(display_name="report"),
            ],
        )

    @classmethod
    def validate_inputs(cls, consent: bool | None) -> bool | str:
        """The input is None where another node gives it; then `execute` finds out."""
        if consent is not None and not consent:
            return NO_CONSENT
        return NO_KEY if whence() == "nowhere" else True

    @classmethod
    def execute(
        cls,
        image: Tensor | Input.Video,
        consent: bool,
        text: str,
        provider: Provider,
        voice: str,
        stitch: bool,
        fluent: bool,
        pad_audio: float,
        expressions: str,
        result_format: ResultFormat,
        afterwards: Afterwards,
        run_again: int,
        audio: Mapping[str, Any] | None = None,
    ) -> io.NodeOutput:
        if not consent:
            raise InputError(expected="`consent` to be on", got="off", next_step=NO_CONSENT)
        account = Account(DIDClient.of(current_service(), current_key()), current_journal())
        sound = SpokenText(text, provider, voice) if audio is None else audio_clip(audio)
        options = TalkOptions(
            stitch=stitch,
            fluent=fluent,
            pad_audio=pad_audio,
            expressions=read_expressions(expressions),
            result_format=result_format,
        )
        wish = Wish(clip_of(image), sound, options, afterwards, run_again)
        # It was paid for, so it stays until ComfyUI empties the folder.
        path = temp_video().with_suffix(f".{result_format}")
        report = talking_portrait(wish, account, path, NodeWatcher())
        for note in report.notes:
            log.warning("LipSync Studio: %s", note)
        return io.NodeOutput(InputImpl.VideoFromFile(str(path)), report.id, report.to_json())


def _text_inputs() -> list[io.Input]:
    return [
        io.String.Input(
            "text",
            multiline=True,
            default="",
            tooltip="Without `audio`: what D-ID's voice says, 3 to 10,000 characters.",
        ),
        io.Combo.Input("provider", options=list(get_args(Provider)), default="microsoft", tooltip="Of the voice."),
        io.String.Input(
            "voice",
            default="en-US-JennyNeural",
            tooltip="The provider's name of the voice. elevenlabs and google have one of their own when it is empty.",
        ),
    ]


def _option_inputs() -> list[io.Input]:
    return [
        io.Boolean.Input(
            "stitch", default=True, tooltip="Lay the head back into the whole picture. Some plans do not allow it."
        ),
        io.Boolean.Input(
            "fluent",
            default=False,
            advanced=True,
            tooltip="D-ID's `fluent`: the motion ends as it begins, so that clips of one face join without a jump.",
        ),
        io.Float.Input(
            "pad_audio",
            default=0.0,
            min=0.0,
            max=LONGEST_PAD,
            step=0.1,
            advanced=True,
            tooltip="Seconds of silence after the speech. They are billed, too.",
        ),
        io.String.Input(
            "expressions",
            multiline=True,
            default="",
            advanced=True,
            tooltip="One per row: frame, mood, intensity from 0 to 1, such as `0 happy 0.7`. Moods: "
            f"{', '.join(get_args(Mood))}. Empty: none.",
        ),
        io.Combo.Input("result_format", options=list(get_args(ResultFormat)), default="mp4", advanced=True),
    ]


class NodeWatcher:
    """The node that runs: its text and the stop button. Implements `pipelines.cloud.waiting.Watcher`."""

    def __init__(self) -> None:
        context = get_executing_context()
        self._node = None if context is None else context.node_id
        self._said = ""

    def say(self, text: str) -> None:
        if text != self._said and self._node is not None and PromptServer.instance is not None:
            self._said = text
            PromptServer.instance.send_progress_text(text, self._node)

    def check_interrupt(self) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()

    def is_interrupted(self) -> bool:
        return bool(comfy.model_management.processing_interrupted())
