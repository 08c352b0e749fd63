"""Small clips of the portrait that comes with the pack, for tests that need a real face and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

PORTRAIT = Path(__file__).resolve().parent.parent / "workflows" / "inputs" / "astronaut.jpg"
FACE = (140, 10, 332, 202)  # px of the portrait: a square around the head
EMPTY = (330, 10, 512, 192)  # px of the portrait: a square without a face
BEFORE_FACE = (50, 45, 140, 150)  # px of the square around the head


def picture(number: int, side: int, faceless: bool = False, hidden: bool = False) -> NDArray[np.uint8]:
    """uint8 RGB [side, side, 3]: the head, swaying a little with `number`, or a part of the picture without it.

    hidden: something grey is before the face.
    """
    left, top, right, bottom = EMPTY if faceless else FACE
    sway = round(4 * np.sin(number / 5))
    with Image.open(PORTRAIT) as portrait:
        part = portrait.convert("RGB").crop((left + sway, top, right + sway, bottom))
    if hidden:
        part.paste((128, 128, 128), BEFORE_FACE)
    return np.asarray(part.resize((side, side), Image.Resampling.BICUBIC))


def write(
    path: Path,
    count: int,
    *,
    rate: Fraction = Fraction(25),
    side: int = 256,
    faceless: Collection[int] = (),
    hidden: Collection[int] = (),
    sound_seconds: float = 0.0,
    pixel_format: str = "yuv420p",
) -> Path:
    """An H.264 file of `count` frames, with a tone when asked for. faceless, hidden: frames (see `picture`)."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = side, side, pixel_format
        track = output.add_stream("aac", rate=24000, layout="mono") if sound_seconds else None
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(picture(number, side, number in faceless, number in hidden), "rgb24")
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        if track is not None:
            for samples in _tone(sound_seconds, track.rate):
                output.mux(track.encode(samples))
            output.mux(track.encode())
    return path


def write_speech(path: Path, seconds: float, rate: int = 16000, channels: int = 1, level: float = 0.5) -> Path:
    """A WAV whose loudness rises and falls like syllables, four a second; level 0 is silence."""
    time = np.arange(round(seconds * rate)) / rate
    wave = level * np.sin(2 * np.pi * 220 * time) * np.sin(2 * np.pi * 2 * time) ** 2
    with av.open(str(path), "w") as output:
        track = output.add_stream("pcm_s16le", rate=rate, layout="mono" if channels == 1 else "stereo")
        samples = np.repeat((wave * 32767).astype(np.int16), channels)[None]
        if samples.size:
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=track.layout)
            frame.sample_rate = rate
            output.mux(track.encode(frame))
        output.mux(track.encode())
    return path


def _tone(seconds: float, rate: int) -> Iterator[av.AudioFrame]:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate).astype(np.float32)
    for start in range(0, len(wave), 1024):
        frame = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
        frame.sample_rate = rate
        frame.pts = start
        yield frame
