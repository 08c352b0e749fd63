"""How good a result is: the sync score, and the result against its source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import folder_paths
import numpy as np
import torch
from comfy_api.latest import Input, InputImpl, io
from torch import Tensor

from ..pipelines.core.errors import InputError
from ..pipelines.core.faces import SpeakerFaces
from ..pipelines.core.timing import AudioLonger
from ..pipelines.core.types import AudioClip
from ..pipelines.lipsync import find_speaker
from ..pipelines.media.decode import VideoClip
from ..pipelines.media.image_picture import ImageClip
from ..pipelines.media.sound import read_source_sound
from ..pipelines.networks.sface import SFace
from ..pipelines.quality import Comparison, compare
from ..pipelines.sync_score import Scored, draw, report, sync_score
from ..pipelines.weights.catalog import SFACE, SYNCNET_V2
from ..pipelines.weights.loaders import load_sface, load_syncnet
from .host import ComfyHost
from .inputs import audio_clip, clip_of
from .sockets import LipSyncFaces
from .temp_files import passing_video, temp_video
from .weight_files import OWN_FOLDER, file_input, full_path, missing
from .widgets import FPS

IF_HERE, OFF = IDENTITY = ("if the file is here", "off")


def _clip(name: str, tooltip: str, optional: bool = False) -> io.MultiType.Input:
    return io.MultiType.Input(name, [io.Video, io.Image], tooltip=tooltip, optional=optional)


def _heard(tooltip: str) -> io.Audio.Input:
    return io.Audio.Input("audio", optional=True, tooltip=tooltip)


def _audio_longer() -> io.Combo.Input:
    return io.Combo.Input(
        "audio_longer",
        options=list(get_args(AudioLonger)),
        default="ping-pong",
        optional=True,
        tooltip="As in the sampler: how the picture went on where the result is longer than its source.",
    )


class Score(io.ComfyNode):
    """Node: LSE-C, LSE-D and offset."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncScore",
            display_name="Lip-Sync Score",
            category="LipSync Studio",
            description="How well lips and sound fit together, by SyncNet v2: LSE-C, LSE-D and the offset, beside "
            "those of the source clip. No licence is stated for SyncNet's weights; they are yours to download.",
            search_aliases=["lip", "syncnet", "LSE-C", "LSE-D", "sync confidence", "av offset", "evaluate"],
            inputs=[
                file_input("syncnet", OWN_FOLDER, SYNCNET_V2),
                _clip("result", "What is scored, at any frame rate; SyncNet sees it at 25 frames per second."),
                _clip("source", "The clip it was made of, scored with its own sound to compare with.", optional=True),
                _heard("What the lips should say. Without it, the result's own sound."),
                LipSyncFaces.Input(
                    "faces",
                    optional=True,
                    tooltip="From Face Preprocess on `source`, or on `result` where no source is connected. Without "
                    "it, faces are found here.",
                ),
                FPS,
                _audio_longer(),
            ],
            outputs=[io.String.Output(display_name="report"), io.Image.Output(display_name="plot")],
        )

    @classmethod
    def validate_inputs(cls, syncnet: str | None) -> bool | str:
        """The input is None where another node gives it; then `execute` finds out."""
        return missing(OWN_FOLDER, syncnet, SYNCNET_V2) or True

    @classmethod
    def execute(
        cls,
        syncnet: str,
        result: Tensor | Input.Video,
        fps: float,
        source: Tensor | Input.Video | None = None,
        audio: Mapping[str, Any] | None = None,
        faces: SpeakerFaces | None = None,
        audio_longer: AudioLonger = "ping-pong",
    ) -> io.NodeOutput:
        host, clip = ComfyHost(), clip_of(result, fps)
        before = None if source is None else clip_of(source, fps)
        heard = _sound(audio, result, clip)
        if heard is None:
            raise InputError(
                expected="a result with sound, or an AUDIO", got="neither", next_step="Connect `audio`, too."
            )
        own = None if source is None or before is None else _sound(None, source, before)
        network = load_syncnet(full_path(OWN_FOLDER, syncnet))
        faces = faces or find_speaker(before or clip, host)
        ours, theirs = sync_score(Scored(clip, heard, faces, before, own, audio_longer), network, host)
        plot = torch.from_numpy(np.asarray(draw(ours, theirs), np.float32) / 255)[None]
        return io.NodeOutput(report(ours, theirs), plot)


class QualityReport(io.ComfyNode):
    """Node: a result against its source."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncQualityReport",
            display_name="Quality Report",
            category="LipSync Studio",
            description="A result against its source: what changed outside the mask, flicker, sharpness, seams, "
            "identity, and whether the mouth opens with the sound. Needs no download. Shows both beside each other.",
            search_aliases=["lip", "quality", "compare", "metrics", "side by side", "flicker", "sharpness", "seam"],
            inputs=[
                _clip("source", "The clip as it was."),
                _clip("result", "What was made of it, of the same size."),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Of the sampler: one for each frame of the result, or one for all. Without it, outside is "
                    "what is far from the face.",
                ),
                LipSyncFaces.Input(
                    "faces",
                    optional=True,
                    tooltip="From Face Preprocess on `source`. Without it, faces are found here.",
                ),
                _heard("What the lips should say, and what the preview plays. Without it, the result's own sound."),
                FPS,
                _audio_longer(),
                io.Combo.Input(
                    "identity",
                    options=list(IDENTITY),
                    default=IF_HERE,
                    optional=True,
                    tooltip=f"Whether the result shows the same person, by {SFACE.what}. {SFACE.advice}",
                ),
            ],
            outputs=[io.String.Output(display_name="report"), io.Video.Output(display_name="preview")],
        )

    @classmethod
    def execute(
        cls,
        source: Tensor | Input.Video,
        result: Tensor | Input.Video,
        fps: float,
        mask: Tensor | None = None,
        faces: SpeakerFaces | None = None,
        audio: Mapping[str, Any] | None = None,
        audio_longer: AudioLonger = "ping-pong",
        identity: str = IF_HERE,
    ) -> io.NodeOutput:
        host, before, after, path = ComfyHost(), clip_of(source, fps), clip_of(result, fps), temp_video()
        heard, (sface, no_sface) = _sound(audio, result, after), _sface(identity)
        found = faces or find_speaker(before, host)
        given = Comparison(before, after, found, mask, heard, audio_longer, sface, no_sface)
        return io.NodeOutput(compare(given, path, host), passing_video(path))


def _sound(
    audio: Mapping[str, Any] | None, video: Tensor | Input.Video, clip: VideoClip | ImageClip
) -> AudioClip | None:
    """`audio`, else the sound of `video` itself, which `clip` was made of; None where there is none."""
    if audio is not None:
        return audio_clip(audio)
    if isinstance(clip, VideoClip):
        return None if clip.sound is None else read_source_sound(clip.sound)
    if isinstance(video, InputImpl.VideoFromComponents) and video.get_components().audio is not None:
        return audio_clip(video.get_components().audio)
    return None


def _sface(identity: str) -> tuple[SFace | None, str]:
    """The network, or why there is none."""
    if identity == OFF:
        return None, "turned off"
    path = folder_paths.get_full_path(OWN_FOLDER, SFACE.place)
    if path is None:
        return None, f"{SFACE.name} is missing. {SFACE.advice}"
    return load_sface(Path(path)), ""
