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
from ..pipelines.core.types import AudioClip, PixelFormat
from ..pipelines.media.decode import VideoClip, open_video
from ..pipelines.media.image_picture import ImageClip
from ..pipelines.media.sound import SourceSound
from .temp_files import delete_with, temp_video

Sound = AudioClip | SourceSound | None

THE_AUDIO, OWN_SOUND, NO_SOUND = SOUNDS = ("the audio", "the video's own", "none")


def audio_clip(audio: Mapping[str, Any] | None) -> AudioClip:
    """AUDIO {"waveform": [B, C, T], "sample_rate"} -> AudioClip. A batch must hold one clip."""
    if audio is None:  # what core gives as the audio of a video that has none
        raise InputError(
            expected="an AUDIO",
            got="none: the video it comes from has no sound",
            next_step="Connect Load Audio, or another source of sound.",
        )
    waveform = audio["waveform"]
    if waveform.ndim != 3 or waveform.shape[0] != 1:
        raise InputError(
            expected="one AUDIO clip, waveform [1, channels, samples]",
            got=f"a waveform of shape {list(waveform.shape)}",
            next_step="Pick one clip of the batch before this node.",
        )
    samples = waveform[0].detach().to("cpu", torch.float32).numpy()
    if samples.size and not (np.isfinite(samples.min()) and np.isfinite(samples.max())):  # NaN comes through both
        raise InputError(
            expected="audio samples that are numbers",
            got="NaN or infinite samples",
            next_step="Check the node that makes the AUDIO.",
        )
    return AudioClip(samples=samples, rate=int(audio["sample_rate"]))


def image_clip(images: Tensor, fps: float) -> ImageClip:
    """IMAGE [N, H, W, C] shown at `fps`."""
    return ImageClip(images, exact_rate(fps))


def clip_of(
    source: Tensor | Input.Video, fps: float = 25.0, pixel_format: PixelFormat = "yuv420p"
) -> VideoClip | ImageClip:
    """A VIDEO (its own rate; `fps` is not used) worked on in `pixel_format`, or an IMAGE batch at `fps`."""
    if isinstance(source, Tensor):
        return image_clip(source, fps)
    if isinstance(source, InputImpl.VideoFromComponents):
        parts = source.get_components()  # they are in memory already; writing them to a file would lose quality
        return image_clip(parts.images, float(parts.frame_rate))
    if getattr(source, "has_pending_frame_edits", bool)():  # newer ComfyUI: a crop that is in no file yet
        return _written(source, pixel_format)
    start, duration = source.get_active_trim_window()
    return open_video(source.get_stream_source(), start, duration, pixel_format)


def _written(source: Input.Video, pixel_format: PixelFormat) -> VideoClip:
    """What `source` shows, in a file of its own, near lossless."""
    path = temp_video()
    try:
        source.save_to(str(path), crf=10)
        clip = open_video(path, pixel_format=pixel_format)
    except BaseException:  # the stop button, too
        path.unlink(missing_ok=True)
        raise
    delete_with(clip, path)
    return clip


def sound_of(choice: str, audio: AudioClip, source: Tensor | Input.Video, clip: VideoClip | ImageClip) -> Sound:
    """What is heard in the result. choice: one of `SOUNDS`."""
    if choice == THE_AUDIO:
        return audio
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
