"""A picture and a sound as small files in memory, for services that bound what they take."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..core.errors import InputError
from ..core.types import Attachment, AudioClip

MOST_SIDE = 4096  # px; larger pictures show no face better
_QUALITIES = (95, 85, 75)  # of JPEG
_LEAST_SIDE = 256  # px; a picture that has to be smaller to fit is none

SPEECH_RATE = 16000  # Hz, what speech services work at
_SPEECH_KBPS = 64


def picture_file(pixels: NDArray[np.uint8], most_bytes: int) -> Attachment:
    """A JPEG of RGB [H, W, 3], scaled down and compressed more only where it has to be.

    Raises InputError when it cannot be made to fit.
    """
    picture = Image.fromarray(pixels)
    size = picture.size
    picture.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    while max(picture.size) >= _LEAST_SIDE or picture.size == size:
        for quality in _QUALITIES:
            content = _jpeg(picture, quality)
            if len(content) <= most_bytes:
                return Attachment(content, ".jpg", "image/jpeg", _scaled(size, picture.size))
        picture = picture.resize((max(picture.width // 2, 1), max(picture.height // 2, 1)), Image.Resampling.LANCZOS)
    raise InputError(
        expected=f"a picture that fits into {most_bytes / 1e6:g} MB",
        got=f"{size[0]}x{size[1]}, which does not even at {_LEAST_SIDE} px",
        next_step="Use another picture.",
    )


def speech_file(clip: AudioClip, most_bytes: int, most_seconds: float) -> Attachment:
    """The clip as one channel at 16 kHz: WAV where it fits, else AAC. Raises InputError when it is too long."""
    if clip.seconds > most_seconds:
        raise InputError(
            expected=f"at most {most_seconds / 60:g} minutes of sound",
            got=f"{clip.seconds / 60:.1f} minutes",
            next_step="Trim the audio, or send it in parts.",
        )
    if clip.seconds * SPEECH_RATE * 2 + 1024 <= most_bytes:  # two bytes a sample, and a header
        return Attachment(_encoded(clip, "wav", "pcm_s16le"), ".wav", "audio/wav")
    content = _encoded(clip, "ipod", "aac")
    if len(content) > most_bytes:
        raise InputError(
            expected=f"sound that fits into {most_bytes / 1e6:g} MB",
            got=f"{len(content) / 1e6:.1f} MB after compression",
            next_step="Trim the audio, or send it in parts.",
        )
    note = f"The sound was compressed to {_SPEECH_KBPS} kbit/s to fit into {most_bytes / 1e6:g} MB."
    return Attachment(content, ".m4a", "audio/mp4", (note,))


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def _scaled(before: tuple[int, int], after: tuple[int, int]) -> tuple[str, ...]:
    if before == after:
        return ()
    return (f"The picture was scaled from {before[0]}x{before[1]} to {after[0]}x{after[1]} px to be sent.",)


def _encoded(clip: AudioClip, container: str, codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = cast(av.AudioStream, output.add_stream(codec, rate=SPEECH_RATE, layout="mono"))
        if codec == "aac":
            stream.bit_rate = 1000 * _SPEECH_KBPS
        resampler = av.AudioResampler(stream.format, "mono", SPEECH_RATE)
        for frame in (*_frames(clip), None):
            for resampled in resampler.resample(frame):
                output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return file.getvalue()


def _frames(clip: AudioClip) -> Iterator[av.AudioFrame]:
    """One channel, the mean of all, in frames of a second."""
    for at in range(0, clip.samples.shape[1], clip.rate):
        mono = clip.samples[:, at : at + clip.rate].mean(axis=0, keepdims=True).clip(-1, 1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(mono), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = clip.rate, at, Fraction(1, clip.rate)
        yield frame
