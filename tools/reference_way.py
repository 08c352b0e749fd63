"""MuseTalk's own way through a clip, outside its networks: the baseline of `bench.py pipeline`.

What it does is read from TMElyralab/MuseTalk@0a89dec (scripts/inference.py, musetalk/utils/blending.py,
musetalk/utils/face_parsing/__init__.py): every frame becomes a PNG and is read back, blended with whole-frame PIL
conversions, written as a PNG again, encoded, and encoded once more while the sound is added. ffmpeg's part is done by
the same libraries through PyAV. The networks are left out: the "generated" face is the crop itself, the label map is
given.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]
KEPT_CLASSES = (11, 12, 13)  # mouth, upper lip, lower lip


class Stopwatch:
    """Seconds spent per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of this `with` to `name`."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def run(video: Path, sound: Path, box: Box, labels: Pixels, folder: Path) -> Stopwatch:
    """Take `video` through the reference's stages with the face at `box` (xyxy) in every frame.

    labels: uint8 [512, 512], the 19-class label map of the expanded crop. folder: an empty folder for its files.
    """
    watch = Stopwatch()
    with watch.stage("video to PNG"):
        rate = _video_to_png(video, folder)
    names = sorted(folder.glob("in_*.png"))
    with watch.stage("read PNG"):
        frames = [_read(name) for name in names]
    x, y, x1, y1 = box
    for index, frame in enumerate(frames):
        with watch.stage("crop and resize"):
            crop = cv2.resize(frame[y:y1, x:x1], (256, 256), interpolation=cv2.INTER_LANCZOS4)
            face = cv2.resize(crop, (x1 - x, y1 - y)).astype(np.uint8, copy=False)
        with watch.stage("parse and blend"):
            combined = _blend(frame, face, box, labels)
        with watch.stage("write PNG"):
            cv2.imwrite(str(folder / f"out_{index:08d}.png"), combined)
    with watch.stage("encode from PNG"):
        _encode(sorted(folder.glob("out_*.png")), folder / "silent.mp4", rate)
    with watch.stage("add sound, encode again"):
        _encode_again(folder / "silent.mp4", sound, folder / "result.mp4")
    return watch


def _video_to_png(video: Path, folder: Path) -> Fraction:
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        encoder = av.CodecContext.create("png", "w")
        for index, frame in enumerate(container.decode(stream)):
            picture = frame.reformat(format="rgb24")
            if index == 0:
                encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "rgb24"
                encoder.time_base = Fraction(1, 25)
            data = b"".join(bytes(packet) for packet in encoder.encode(picture))
            (folder / f"in_{index:08d}.png").write_bytes(data)
        return Fraction(stream.average_rate or 25)


def _read(name: Path) -> Pixels:
    frame = cv2.imread(str(name))
    if frame is None:
        raise FileNotFoundError(name)
    return frame.astype(np.uint8, copy=False)


def _blend(frame: Pixels, face: Pixels, box: Box, labels: Pixels) -> Pixels:
    x, y, x1, y1 = box
    body, pasted = Image.fromarray(frame[:, :, ::-1]), Image.fromarray(face[:, :, ::-1])
    xc, yc, side = (x + x1) // 2, (y + y1) // 2, int(max(x1 - x, y1 - y) // 2 * 1.5)
    xs, ys, xe, ye = xc - side, yc - side, xc + side, yc + side
    large = body.crop((xs, ys, xe, ye))
    mask = Image.fromarray(_parse(large, labels)).resize(large.size)
    inner = mask.crop((x - xs, y - ys, x1 - xs, y1 - ys))
    whole = Image.new("L", large.size, 0)
    whole.paste(inner, (x - xs, y - ys, x1 - xs, y1 - ys))
    lower = np.array(whole)
    lower[: lower.shape[0] // 2] = 0
    kernel = int(0.05 * large.size[0] // 2 * 2) + 1
    soft = cv2.GaussianBlur(lower, (kernel, kernel), 0)
    large.paste(pasted, (x - xs, y - ys, x1 - xs, y1 - ys))
    body.paste(large, (xs, ys), Image.fromarray(soft))
    return np.array(body)[:, :, ::-1]


def _parse(large: Image.Image, labels: Pixels) -> Pixels:
    small = large.resize((512, 512), Image.Resampling.BILINEAR)
    pixels = np.asarray(small, np.float32) / 255
    _ = ((pixels - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)).transpose(2, 0, 1)  # the network's input
    skin = (labels == 1).astype(np.uint8) * 255
    dilated = cv2.dilate(skin, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (33, 33)))
    eroded = cv2.erode(dilated, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (35, 3)), iterations=2)
    return np.where((eroded > 0) | np.isin(labels, KEPT_CLASSES), 255, 0).astype(np.uint8)


def _encode(names: list[Path], path: Path, rate: Fraction) -> None:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=rate, options={"crf": "18"})
        for index, name in enumerate(names):
            with av.open(str(name)) as picture:
                frame = next(picture.decode(video=0))
            if index == 0:
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            frame.pts, frame.time_base = index, 1 / rate
            output.mux(stream.encode(frame))
        output.mux(stream.encode())


def _encode_again(silent: Path, sound: Path, path: Path) -> None:
    with av.open(str(silent)) as source, av.open(str(sound)) as speech, av.open(str(path), "w") as output:
        read = source.streams.video[0]
        heard = speech.streams.audio[0]
        stream = output.add_stream("libx264", rate=read.average_rate, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = read.width, read.height, "yuv420p"
        track = output.add_stream("aac", rate=heard.rate)
        for frame in source.decode(read):
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        for samples in speech.decode(heard):
            output.mux(track.encode(samples))
        output.mux(track.encode())
