"""Lyric Overlay against drawing the same lines anew with Pillow on every frame, in one run on one machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from bench_parts import portrait_clip
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.core.types import EncodeSettings, Picture, Rect
from lipsync_studio.pipelines.lyric_video import BLOCK, lyric_frames, overlay_video
from lipsync_studio.pipelines.lyrics.overlay.compose import Overlay
from lipsync_studio.pipelines.lyrics.overlay.fonts import BUILT_IN
from lipsync_studio.pipelines.lyrics.overlay.style import OverlayStyle
from lipsync_studio.pipelines.media.decode import VideoClip, open_video
from PIL import Image, ImageDraw, ImageFont

_LINES = ("When the night has come and the", "land is dark and the moon is the")
_WORD_SECONDS = 0.45


def two_lines(seconds: float) -> Timings:
    """Two lines of seven words, one after the other, for as long as the clip lasts."""
    lines: list[Line] = []
    start = 0.0
    while start < seconds:
        words = []
        for text in _LINES[len(lines) % 2].split():
            words.append(Word(text, start, start + 0.9 * _WORD_SECONDS))
            start += _WORD_SECONDS
        lines.append(Line.of(tuple(words)))
    return Timings(tuple(lines), "en")


def overlay(folder: Path, width: int = 1280, height: int = 720, frames: int = 500) -> dict[str, float]:
    """Frames per second of two lines with a karaoke wipe, at 25 fps of video.

    compose: what is laid over, alone. patch: reading, composing, and laying it over. video: the same, and writing
    H.264 (ultrafast). no_text: reading and writing only. naive: as video, with every frame turned into RGB, drawn on by
    Pillow, and back. ratio: video to naive.
    """
    clip = open_video(portrait_clip(folder / "clip.mp4", width, height, frames).video)
    timings, style = two_lines(frames / 25), OverlayStyle()
    times = clip.clock.seconds.tolist()
    encode, host = EncodeSettings(preset="ultrafast"), PlainHost()

    def written(text: Timings) -> None:
        overlay_video(clip, text, style, folder / "out.mp4", encode, None, host)

    composer = Overlay(timings, style, width, height)
    speeds = {
        "compose": _fps(frames, lambda: [composer.at(seconds) for seconds in times]),
        "patch": _fps(frames, lambda: list(_counted(clip, timings, style))),
        "video": _fps(frames, lambda: written(timings)),
        "no_text": _fps(frames, lambda: written(Timings(()))),
        "naive": _fps(frames, lambda: _naive(clip, timings, style, folder / "naive.mp4", encode)),
    }
    return {**speeds, "ratio": round(speeds["video"] / speeds["naive"], 2)}


def _fps(frames: int, work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return round(frames / (time.perf_counter() - started), 1)


def _counted(clip: VideoClip, timings: Timings, style: OverlayStyle) -> list[int]:
    composer = Overlay(timings, style, clip.width, clip.height)
    return [picture.width for picture in lyric_frames(clip, composer, PlainHost())]


def _naive(clip: VideoClip, timings: Timings, style: OverlayStyle, path: Path, encode: EncodeSettings) -> None:
    """One frame after the other, whole frames in RGB, all text drawn anew."""
    from lipsync_studio.pipelines.core.timing import LengthPolicy, Timeline
    from lipsync_studio.pipelines.media.encode import VideoWriter

    timeline = Timeline.build(clip.clock, clip.clock.duration, LengthPolicy())
    whole = Rect(0, 0, clip.width, clip.height)
    everywhere = torch.ones(clip.height, clip.width)
    blocks = np.array_split(np.arange(len(clip.clock)), max(1, len(clip.clock) // BLOCK))
    seconds = clip.clock.seconds
    with VideoWriter(path, clip.width, clip.height, timeline, encode, None, clip.tags) as writer:
        for chunk in clip.read(blocks):
            for picture, index in zip(chunk.pictures, chunk.indices, strict=True):
                drawn = _drawn(picture, timings, style, float(seconds[index]))
                writer.write((picture.patched(whole, drawn, everywhere),))


def _drawn(picture: Picture, timings: Timings, style: OverlayStyle, seconds: float) -> torch.Tensor:
    """float32 RGB [height, width, 3]: the frame with both lines, the sung part drawn again in its colour."""
    width, height = picture.width, picture.height
    pixels = picture.crop(Rect(0, 0, width, height)).numpy()
    image = Image.fromarray((pixels * 255).round().astype(np.uint8))
    size = style.em(width, height)
    font = ImageFont.truetype(str(BUILT_IN), size)
    first = max((number for number, line in enumerate(timings.lines) if line.start <= seconds), default=0)
    for row, line in enumerate(timings.lines[first : first + 2]):
        x, y = (width - font.getlength(line.text)) / 2, height * 0.9 - size * 1.3 * (2 - row)
        stroke = round(style.stroke * size)
        ImageDraw.Draw(image).text((x, y), line.text, "white", font, stroke_width=stroke, stroke_fill="black")
        sung = image.copy()
        ImageDraw.Draw(sung).text((x, y), line.text, "gold", font, stroke_width=stroke, stroke_fill="black")
        share = min(max((seconds - line.start) / (line.end - line.start), 0), 1)
        edge = round(x + share * font.getlength(line.text))
        image.paste(sung.crop((0, 0, edge, height)), (0, 0))
    return torch.from_numpy(np.asarray(image, np.float32) / np.float32(255))
