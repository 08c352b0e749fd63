"""What the measurements run on: clips made on the spot, and stand-ins for the networks that cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch
from lipsync_studio.pipelines.core.faces import Face
from lipsync_studio.pipelines.core.types import AudioClip, FaceBatch, FrameChunk, Rect
from lipsync_studio.pipelines.engines.base import EngineSpec
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

INPUTS = Path(__file__).resolve().parent.parent / "workflows" / "inputs"
PORTRAIT_SIDE = 512  # px, of the picture that comes with the pack
FACE_BOX = (180, 76, 268, 192)  # px of that picture, xyxy: the crop that MuseTalk's rule gives
GOP = 250


@dataclass(frozen=True)
class BenchClip:
    """video: an H.264 file. box: xyxy px of the face, the same in every frame. labels: uint8 [512, 512] face parts."""

    video: Path
    box: tuple[int, int, int, int]
    labels: NDArray[np.uint8]


def portrait_clip(path: Path, width: int, height: int, frames: int, fps: int = 25, noise: int = 3) -> BenchClip:
    """The portrait, filling the picture's height, with grey levels of camera noise; the head does not move."""
    scale = height / PORTRAIT_SIDE
    with Image.open(INPUTS / "astronaut.jpg") as portrait:
        still = Image.new("RGB", (width, height), (96, 96, 104))
        still.paste(portrait.convert("RGB").resize((height, height), Image.Resampling.BICUBIC))
    pixels = np.asarray(still).astype(np.int16)
    random = np.random.default_rng(0)
    grain = random.integers(-noise, noise + 1, (8, height, width, 1), dtype=np.int16)
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=fps, options={"crf": "18", "preset": "veryfast", "g": str(GOP)})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            noisy = np.clip(pixels + grain[index % len(grain)], 0, 255).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(noisy, "rgb24")))
        output.mux(stream.encode())
    x0, y0, x1, y1 = (round(edge * scale) for edge in FACE_BOX)
    return BenchClip(path, (x0, y0, x1, y1), _labels())


def looped(clip: Path, seconds: int, times: int, path: Path) -> Path:
    """`clip`, which lasts `seconds`, played `times` times; its packets are copied, not encoded again."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as output:
        read = source.streams.video[0]
        packets = [packet for packet in source.demux(read) if packet.pts is not None and packet.dts is not None]
        stored = [(bytes(packet), int(packet.pts or 0), int(packet.dts or 0), packet.is_keyframe) for packet in packets]
        tick = packets[0].time_base
        stream = output.add_stream_from_template(read)
        for turn in range(times):
            later = round(turn * seconds / float(tick))
            for data, pts, dts, is_keyframe in stored:
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = stream, tick, is_keyframe
                packet.pts, packet.dts = pts + later, dts + later
                output.mux(packet)
    return path


def sound_on_disk(path: Path, seconds: float, rate: int = 16000) -> AudioClip:
    """Noise in bursts, mapped from a file so that it does not count as the pack's memory."""
    samples = np.memmap(path, np.float32, "w+", shape=(1, round(seconds * rate)))
    burst = np.random.default_rng(0).normal(0, 0.1, rate).astype(np.float32)
    burst[rate // 2 :] = 0
    for start in range(0, samples.shape[1], rate):
        part = samples[0, start : start + rate]
        part[:] = burst[: len(part)]
    samples.flush()
    return AudioClip(samples, rate)


def _labels() -> NDArray[np.uint8]:
    """A plain face as the 19-class parser sees it: skin, mouth, lips."""
    drawn = Image.new("L", (512, 512))
    draw = ImageDraw.Draw(drawn)
    draw.ellipse((110, 60, 402, 450), fill=1)
    draw.ellipse((200, 330, 312, 390), fill=12)
    draw.ellipse((215, 345, 297, 375), fill=11)
    return np.asarray(drawn)


class StillFinder:
    """Stands in for the face networks: asks of each picture what they ask, and answers at once."""

    def __init__(self, box: tuple[int, int, int, int]) -> None:
        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0)
        self._square = Rect(x0 - side // 4, y0 - side // 4, x1 + side // 4, y1 + side // 4)
        points = np.zeros((68, 2), np.float32)
        points[:17, 0] = np.linspace(x0, x1 - 1, 17)
        points[:17, 1] = (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(np.linspace(0, np.pi, 17))
        points[17:] = ((x0 + x1) / 2, (y0 + y1) / 2)
        self._face = Face(np.array(box, np.float32), points, 1.0)

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """The same face in every picture."""
        for picture in chunk.pictures:
            picture.crop(self._square)
        return [[self._face] for _ in chunk.pictures]


class UnchangedEngine:
    """Stands in for an engine's networks: paints what is there."""

    spec = EngineSpec(
        id="unchanged",
        label="Unchanged",
        hears="mouth shapes",
        crop_sides=(256,),
        block=16,
        commercial_use="yes: no weights",
    )

    def start(self) -> UnchangedEngine:
        """Itself: it keeps nothing."""
        return self

    def paint(self, batch: FaceBatch) -> Tensor:
        """The crops as they came."""
        return torch.clone(batch.crops)
