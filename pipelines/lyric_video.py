"""Lyrics over a clip: read, lay the text over, write. One pass, never the whole clip in memory."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from .core.errors import InputError
from .core.host import Host
from .core.lyrics import Timings
from .core.stages import Behind, ahead
from .core.timing import LengthPolicy, Timeline
from .core.types import AudioClip, EncodeSettings, FrameSource, Picture
from .lyrics.overlay.compose import Overlay, Patch
from .lyrics.overlay.style import OverlayStyle
from .media.colour import HLG, PQ
from .media.decode import VideoClip
from .media.encode import VideoWriter
from .media.image_picture import ImageClip, ImagePicture
from .media.sound import SourceSound

BLOCK = 8  # frames that are read together
WAITING = 16  # pictures between overlay and encoding

# Signal of a white page of text in high dynamic range, where 1 is the brightest light: ITU-R BT.2408, table 1.
_WHITE = {PQ: 0.58, HLG: 0.75}


def overlay_video(
    source: VideoClip | ImageClip,
    timings: Timings,
    style: OverlayStyle,
    path: Path,
    encode: EncodeSettings,
    sound: AudioClip | SourceSound | None,
    host: Host,
) -> tuple[str, ...]:
    """Write the clip with its lyrics to `path`; decode, overlay and encode run side by side.

    The result has the frames of the source at their times; second 0 of `timings` is the first one's. No file is left on
    failure. sound: what is heard; None for silence. Returns notes: sentences the user should read.
    """
    white = _WHITE.get(source.tags.transfer, 1.0)
    overlay = Overlay(timings, style, source.width, source.height, white=white)
    timeline = Timeline.build(source.clock, source.clock.duration, LengthPolicy())
    shape = (source.width, source.height, timeline, encode, sound, source.tags, source.sample_aspect)
    with (
        VideoWriter(path, *shape) as writer,
        Behind(writer.write, host.check_interrupt, depth=WAITING) as writing,
        closing(lyric_frames(source, overlay, host)) as frames,
    ):
        for picture in frames:
            writing.put((picture,))
    return _notes(timings, overlay, source) + source.notes + writer.notes


def overlay_images(
    source: ImageClip, timings: Timings, style: OverlayStyle, host: Host
) -> tuple[Tensor, tuple[str, ...]]:
    """The same for an IMAGE batch: float32 images [N, H, W, C], 0-1, and notes."""
    _check_fits(source, host)
    overlay = Overlay(timings, style, source.width, source.height)
    images = torch.empty(source.images.shape)
    with closing(lyric_frames(source, overlay, host)) as frames:
        for number, picture in enumerate(frames):
            images[number] = cast(ImagePicture, picture).pixels
    return images, _notes(timings, overlay, source)


def lyric_frames(source: FrameSource, overlay: Overlay, host: Host) -> Generator[Picture, None, None]:
    """Every picture of the source in order. One without text is the source's own."""
    total = len(source.clock)
    blocks = [np.arange(start, min(start + BLOCK, total)) for start in range(0, total, BLOCK)]
    seconds = source.clock.seconds
    with closing(ahead(source.read(blocks), host.check_interrupt)) as chunks:
        for chunk in chunks:
            host.check_interrupt()
            for picture, index in zip(chunk.pictures, chunk.indices, strict=True):
                yield _overlaid(picture, overlay.at(float(seconds[index])))
            host.progress(int(chunk.indices[-1]) + 1, total, "Lyric overlay")


def _overlaid(picture: Picture, patch: Patch | None) -> Picture:
    if patch is None:
        return picture
    return picture.patched(patch.rect, torch.from_numpy(patch.rgb), torch.from_numpy(patch.alpha))


def _notes(timings: Timings, overlay: Overlay, source: FrameSource) -> tuple[str, ...]:
    seconds = source.clock.duration
    late = sum(line.start >= seconds for line in timings.lines)
    if late == 0:
        return overlay.notes
    return (*overlay.notes, f"{late} of {len(timings.lines)} lines begin after the clip's end ({seconds:.2f} s).")


def _check_fits(source: ImageClip, host: Host) -> None:
    needed = source.images.numel() * 4  # float32
    if needed > host.free_memory():
        raise InputError(
            expected=f"a result that fits into the free memory ({host.free_memory() / 1e9:.1f} GB)",
            got=f"{len(source.images)} frames of {source.width}x{source.height}, which take {needed / 1e9:.1f} GB",
            next_step="Use Lyric Overlay, which needs no more memory for more frames.",
        )
