"""The samplers: IMAGE in and out for graph builders, VIDEO in and out at constant memory."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, get_args

from comfy_api.latest import Input, InputImpl, io
from torch import Tensor

from ..pipelines.blending.parsing import FaceParsing
from ..pipelines.core.report import Report
from ..pipelines.core.timing import AudioLonger, LengthPolicy, VideoLonger
from ..pipelines.core.types import Codec, EncodeSettings, PixelFormat, SpeakerFaces
from ..pipelines.engines.base import Engine
from ..pipelines.lipsync import LipSyncSettings, MaskSettings, find_speaker, lip_sync_images, lip_sync_video
from .host import ComfyHost, temp_video
from .inputs import SOUNDS, THE_AUDIO, audio_clip, clip_of, image_clip, sound_of
from .sockets import LipSyncEngine, LipSyncFaces, LipSyncParsing

log = logging.getLogger(__name__)

FPS = io.Float.Input(
    "fps",
    default=25.0,
    min=1.0,
    max=240.0,
    step=0.001,
    tooltip="Frames per second of an IMAGE batch; 23.976 and 29.97 mean the exact NTSC rates. A VIDEO keeps its own.",
)


PARSING = LipSyncParsing.Input(
    "parsing",
    optional=True,
    tooltip="From Face Parsing Mask. Without it the mask is made from the landmarks and needs no weights.",
)


def settings_inputs() -> list[io.Input]:
    """The widgets both samplers share."""
    return [
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
        io.Float.Input(
            "mask_grow",
            default=MaskSettings.grow,
            min=0.0,
            max=0.25,
            step=0.01,
            advanced=True,
            tooltip="How far the repainted area reaches beyond the jaw line, as a part of the crop's side. "
            "Not used with Face Parsing Mask.",
        ),
        io.Float.Input(
            "mask_feather",
            default=MaskSettings.feather,
            min=0.0,
            max=0.25,
            step=0.01,
            advanced=True,
            tooltip="Width of the soft edge of the repainted area, as a part of the crop's side. "
            "Not used with Face Parsing Mask.",
        ),
    ]


def _settings(
    audio_longer: AudioLonger, video_longer: VideoLonger, grow: float, feather: float, parsing: FaceParsing | None
) -> LipSyncSettings:
    mask = MaskSettings(grow=grow, feather=feather)
    return LipSyncSettings(LengthPolicy(audio_longer, video_longer), mask, parsing)


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
                PARSING,
                FPS,
                *settings_inputs(),
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
        engine: Engine,
        audio: Mapping[str, Any],
        fps: float,
        audio_longer: AudioLonger,
        video_longer: VideoLonger,
        mask_grow: float,
        mask_feather: float,
        parsing: FaceParsing | None = None,
    ) -> io.NodeOutput:
        settings = _settings(audio_longer, video_longer, mask_grow, mask_feather, parsing)
        clip = image_clip(images, fps)
        synced, masks, report = lip_sync_images(clip, faces, audio_clip(audio), engine, settings, ComfyHost())
        return io.NodeOutput(synced, masks, _report_text(report))


class LipSyncVideo(io.ComfyNode):
    """Node: VIDEO in, VIDEO out, at constant memory."""

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
                PARSING,
                FPS,
                *settings_inputs(),
                io.Combo.Input(
                    "sound",
                    options=list(SOUNDS),
                    default=THE_AUDIO,
                    tooltip="What is heard in the result. `the video's own` copies the source's sound untouched "
                    "(for example when the audio is only a vocal stem).",
                ),
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
            ],
            outputs=[io.Video.Output(display_name="video"), io.String.Output(display_name="report")],
        )

    @classmethod
    def execute(
        cls,
        source: Tensor | Input.Video,
        audio: Mapping[str, Any],
        engine: Engine,
        fps: float,
        audio_longer: AudioLonger,
        video_longer: VideoLonger,
        mask_grow: float,
        mask_feather: float,
        sound: str,
        codec: Codec,
        crf: int,
        preset: str,
        pixel_format: PixelFormat,
        faces: SpeakerFaces | None = None,
        parsing: FaceParsing | None = None,
    ) -> io.NodeOutput:
        host, speech, clip = ComfyHost(), audio_clip(audio), clip_of(source, fps, pixel_format)
        heard = sound_of(sound, speech, source, clip)
        settings = _settings(audio_longer, video_longer, mask_grow, mask_feather, parsing)
        encode = EncodeSettings(codec=codec, crf=crf, preset=preset, pixel_format=pixel_format)
        path = temp_video()
        faces = faces or find_speaker(clip, host)
        report = lip_sync_video(clip, faces, speech, engine, settings, path, encode, heard, host)
        return io.NodeOutput(InputImpl.VideoFromFile(str(path)), _report_text(report))
