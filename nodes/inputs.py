"""Turns ComfyUI's AUDIO, IMAGE and VIDEO values into the pack's own, with a clear word when they cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from comfy_api.latest import Input, InputImpl
from torch import Tensor

from ..pipelines.core.errors import InputError
from ..pipelines.core.timing import exact_rate
from ..pipelines.core.types import AudioClip
from ..pipelines.media.decode import VideoClip, open_video
from ..pipelines.media.image_picture import ImageClip
from ..pipelines.media.sound import SourceSound

Sound = AudioClip | SourceSound | None

THE_AUDIO, OWN_SOUND, NO_SOUND = SOUNDS = ("the audio", "the video's own", "none")


def audio_clip(audio: Mapping[str, Any]) -> AudioClip:
    """AUDIO {"waveform": [B, C, T], "sample_rate"} -> AudioClip. A batch must hold one clip."""
    waveform = audio["waveform"]
    if waveform.ndim != 3 or waveform.shape[0] != 1:
        raise InputError(
            expected="one AUDIO clip, waveform [1, channels, samples]",
            got=f"a waveform of shape {list(waveform.shape)}",
            next_step="Pick one clip of the batch before this node.",
        )
    samples = waveform[0].detach().to("cpu", torch.float32).numpy()
    if not np.isfinite(samples).all():
        raise InputError(
            expected="audio samples that are numbers",
            got="NaN or infinite samples",
            next_step="Check the node that makes the AUDIO.",
        )
    return AudioClip(samples=samples, rate=int(audio["sample_rate"]))


def image_clip(images: Tensor, fps: float) -> ImageClip:
    """IMAGE [N, H, W, C] shown at `fps`."""
    return ImageClip(images, exact_rate(fps))


def clip_of(source: Tensor | Input.Video, fps: float = 25.0) -> VideoClip | ImageClip:
    """A VIDEO (its own rate; `fps` is not used) or an IMAGE batch at `fps`."""
    if isinstance(source, Tensor):
        return image_clip(source, fps)
    if isinstance(source, InputImpl.VideoFromComponents):
        parts = source.get_components()  # they are in memory already; writing them to a file would lose quality
        return ImageClip(parts.images, parts.frame_rate)
    start, duration = source.get_active_trim_window()
    return open_video(source.get_stream_source(), start, duration)


def sound_of(choice: str, speech: AudioClip, source: Tensor | Input.Video, clip: VideoClip | ImageClip) -> Sound:
    """What is heard in the result. choice: one of `SOUNDS`."""
    if choice == THE_AUDIO:
        return speech
    if choice == NO_SOUND:
        return None
    if isinstance(clip, VideoClip) and clip.sound is not None:
        return clip.sound
    if isinstance(source, InputImpl.VideoFromComponents) and source.get_components().audio is not None:
        return audio_clip(source.get_components().audio)
    raise InputError(
        expected="a source video with sound of its own",
        got="a source without sound",
        next_step=f"Set `sound` to `{THE_AUDIO}` or `{NO_SOUND}`.",
    )
