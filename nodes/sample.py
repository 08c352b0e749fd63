"""The samplers: IMAGE in and out for graph builders, VIDEO in and out in bounded memory."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, get_args

from comfy_api.latest import Input, io
from torch import Tensor

from ..pipelines.blending.compositor import BlendSettings
from ..pipelines.blending.parsing import FaceParsing
from ..pipelines.blending.shapes import ExternalMask, LandmarkShape, MaskShape
from ..pipelines.core.faces import SpeakerFaces
from ..pipelines.core.lyrics import Timings
from ..pipelines.core.report import Report
from ..pipelines.core.timing import AudioLonger, LengthPolicy, VideoLonger
from ..pipelines.core.types import Codec, EncodeSettings, PixelFormat
from ..pipelines.engines.base import Engine
from ..pipelines.engines.fallback import EngineChain
from ..pipelines.lipsync import find_speaker, lip_sync_images, lip_sync_video
from ..pipelines.plan import LipSyncSettings
from .host import ComfyHost
from .inputs import SOUNDS, THE_AUDIO, audio_clip, clip_of, image_clip, sound_of
from .run_summary import run_summary
from .sockets import LipSyncBlending, LipSyncEngine, LipSyncFaces, LipSyncParsing, LipSyncTimings
from .temp_files import passing_video, temp_video
from .widgets import FPS, encode_inputs

log = logging.getLogger(__name__)


def shared_inputs() -> list[io.Input]:
    """What both samplers take beside the clip, the audio and the engine."""
    return [
        LipSyncParsing.Input(
            "parsing",
            optional=True,
            tooltip="From Face Parsing Mask. Without it the mask is made from the landmarks and needs no weights.",
        ),
        io.Mask.Input(
            "mask",
            optional=True,
            tooltip="Your own mask instead, in pixels of the source: white is replaced, inside the crop only. One for "
            "all frames, or one for each.",
        ),
        io.Mask.Input(
            "occluders",
            optional=True,
            tooltip="What is in front of the mouth, a hand or a microphone: white keeps its pixels. In pixels of the "
            "source; one for all frames, or one for each. ComfyUI's SAM3 nodes make such masks.",
        ),
        LipSyncBlending.Input(
            "blending", optional=True, tooltip="From Blend Settings: how the mouth is laid over the picture."
        ),
        FPS,
        io.Combo.Input(
            "audio_longer",
            options=list(get_args(AudioLonger)),
            default="ping-pong",
            tooltip="When the audio outlasts the picture: play the picture back and forth, loop it, hold its last "
            "frame, or stop with the picture.",
        ),
        io.Combo.Input(
            "video_longer",
            options=list(get_args(VideoLonger)),
            default="keep the rest",
            tooltip="When the picture outlasts the audio: keep the rest unchanged, or stop with the audio.",
        ),
        io.Boolean.Input(
            "restore_in_silence",
            default=False,
            tooltip="Where the audio is silent, fade back to the source's own mouth. For sources whose mouth is still; "
            "one that talks would be seen talking.",
        ),
        LipSyncTimings.Input(
            "timings",
            optional=True,
            tooltip="For restore_in_silence: the words tell where somebody speaks, so that music does not count as "
            "speech. Without them loudness tells.",
        ),
    ]


def _settings(
    audio_longer: AudioLonger,
    video_longer: VideoLonger,
    restore_in_silence: bool,
    parsing: FaceParsing | None = None,
    mask: Tensor | None = None,
    occluders: Tensor | None = None,
    blending: BlendSettings | None = None,
    timings: Timings | None = None,
) -> LipSyncSettings:
    """From the values of `shared_inputs`, but for `fps`."""
    return LipSyncSettings(
        lengths=LengthPolicy(audio_longer, video_longer),
        shape=_shape(parsing, mask),
        blend=blending or BlendSettings(),
        occluders=None if occluders is None else ExternalMask(occluders),
        restore_in_silence=restore_in_silence,
        words=timings,
    )


def _shape(parsing: FaceParsing | None, mask: Tensor | None) -> MaskShape:
    if mask is not None:
        return ExternalMask(mask)
    return parsing or LandmarkShape()


def _report_text(report: Report) -> str:
    log.info("LipSync Studio: %s", report.summary())
    for note in report.notes:
        log.warning("LipSync Studio: %s", note)
    return report.to_json()


class LipSyncImages(io.ComfyNode):
    """Node: IMAGE batch in, IMAGE batch out."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncSample",
            display_name="MuseTalk Sample",
            category="LipSync Studio",
            description="Makes the speaker of an IMAGE batch say the audio, with MuseTalk or any other engine. Holds "
            "the whole clip in memory; for long clips use LipSync Video.",
            search_aliases=["lip", "talk", "dub", "lip sync images", "musetalk sample"],
            inputs=[
                io.Image.Input("images"),
                LipSyncFaces.Input("faces", tooltip="From Face Preprocess on these same images."),
                LipSyncEngine.Input("engine"),
                io.Audio.Input("audio", tooltip="Speech or song. Resampled for the engine only, never changed."),
                *shared_inputs(),
            ],
            outputs=[
                io.Image.Output(display_name="images"),
                io.Mask.Output(display_name="mask"),
                io.String.Output(display_name="report"),
            ],
        )

    @classmethod
    def execute(
        cls,
        images: Tensor,
        faces: SpeakerFaces,
        engine: Engine | EngineChain,
        audio: Mapping[str, Any],
        fps: float,
        **shared: Any,  # noqa: ANN401 - the rest of `shared_inputs`
    ) -> io.NodeOutput:
        clip, speech, settings = image_clip(images, fps), audio_clip(audio), _settings(**shared)
        synced, masks, report = lip_sync_images(clip, faces, speech, engine, settings, ComfyHost())
        return io.NodeOutput(synced, masks, _report_text(report), ui=run_summary(clip, speech, report))


class LipSyncVideo(io.ComfyNode):
    """Node: VIDEO in, VIDEO out. Pictures are never all in memory, only some bytes about each."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncVideo",
            display_name="LipSync Video",
            category="LipSync Studio",
            description="Makes the speaker of a video or a still image say the audio. Reads and writes as it goes "
            "and never holds the whole clip. Outside the mouth mask nothing is repainted.",
            search_aliases=["lip", "lip sync", "talk", "dub", "musetalk video", "talking head"],
            inputs=[
                io.MultiType.Input(
                    "source", [io.Video, io.Image], tooltip="The clip: a VIDEO, an IMAGE batch, or one still IMAGE."
                ),
                io.Audio.Input("audio", tooltip="Speech or song. Resampled for the engine only, never changed."),
                LipSyncEngine.Input("engine"),
                LipSyncFaces.Input(
                    "faces",
                    optional=True,
                    tooltip="From Face Preprocess on this same clip. Without it, faces are found here.",
                ),
                *shared_inputs(),
                io.Combo.Input(
                    "sound",
                    options=list(SOUNDS),
                    default=THE_AUDIO,
                    tooltip="What is heard in the result. `the video's own` copies the source's sound untouched.",
                ),
                io.Audio.Input(
                    "soundtrack",
                    optional=True,
                    tooltip="What is heard in place of the audio: the mix, when the audio is one speaker of several or "
                    "a vocal stem. The lips still follow the audio.",
                ),
                *encode_inputs(),
            ],
            outputs=[io.Video.Output(display_name="video"), io.String.Output(display_name="report")],
        )

    @classmethod
    def execute(
        cls,
        source: Tensor | Input.Video,
        audio: Mapping[str, Any],
        engine: Engine | EngineChain,
        fps: float,
        sound: str,
        codec: Codec,
        crf: int,
        preset: str,
        pixel_format: PixelFormat,
        faces: SpeakerFaces | None = None,
        soundtrack: Mapping[str, Any] | None = None,
        **shared: Any,  # noqa: ANN401 - the rest of `shared_inputs`
    ) -> io.NodeOutput:
        host, speech, clip = ComfyHost(), audio_clip(audio), clip_of(source, fps, pixel_format)
        heard = sound_of(sound, speech if soundtrack is None else audio_clip(soundtrack), source, clip)
        settings = _settings(**shared)
        encode = EncodeSettings(codec=codec, crf=crf, preset=preset, pixel_format=pixel_format)
        settings.check(len(clip.clock), clip.width, clip.height)  # before the minutes that finding faces takes
        path = temp_video()
        faces = faces or find_speaker(clip, host)
        report = lip_sync_video(clip, faces, speech, engine, settings, path, encode, heard, host)
        return io.NodeOutput(passing_video(path), _report_text(report), ui=run_summary(clip, speech, report))
