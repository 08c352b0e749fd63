"""Frames come out upright, in one size and one format, in the right colours."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.planes import planes, rows

# a, b, c, d of the display matrix -> what a viewer does with the stored picture.
TURNS: dict[tuple[int, int, int, int], Callable[[np.ndarray], np.ndarray]] = {
    (1, 0, 0, 1): lambda rgb: rgb,
    (0, 1, -1, 0): lambda rgb: np.rot90(rgb, -1),
    (-1, 0, 0, -1): lambda rgb: np.rot90(rgb, 2),
    (0, -1, 1, 0): lambda rgb: np.rot90(rgb, 1),
    (-1, 0, 0, 1): lambda rgb: rgb[:, ::-1],
    (1, 0, 0, -1): lambda rgb: rgb[::-1],
    (0, 1, 1, 0): lambda rgb: rgb.transpose(1, 0, 2),
    (0, -1, -1, 0): lambda rgb: np.rot90(rgb, 2).transpose(1, 0, 2),
}


def with_matrix(path: Path, target: Path, matrix: tuple[int, int, int, int]) -> Path:
    """A copy of an MP4 with this display matrix in its track header (ISO/IEC 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value * 65536 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    target.write_bytes(data)
    return target


def whole(path: Path, pixel_format: str) -> np.ndarray:
    """float32 RGB of the first frame of a clip."""
    clip = open_video(path, pixel_format=pixel_format)
    picture = next(clip.read([np.array([0])])).pictures[0]
    assert (picture.width, picture.height) == (clip.width, clip.height)
    return picture.crop(Rect(0, 0, clip.width, clip.height)).numpy()


@pytest.mark.parametrize("matrix", list(TURNS))
@pytest.mark.parametrize(("width", "height"), [(96, 80), (95, 81)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_frames_are_upright(
    make_clip: Callable[..., Path], tmp_path: Path, matrix: tuple, width: int, height: int, pixel_format: str
) -> None:
    stored = make_clip(pixel_format="yuv444p", width=width, height=height, frames=3)
    turned = whole(with_matrix(stored, tmp_path / "turned.mp4", matrix), pixel_format)
    np.testing.assert_allclose(turned, TURNS[matrix](whole(stored, pixel_format)), atol=0.5 / 255)


def test_pixels_that_are_not_square_turn_too(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    with av.open(str(make_clip())) as source, av.open(str(tmp_path / "a.mp4"), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        copy.codec_context.sample_aspect_ratio = Fraction(4, 3)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = copy
                target.mux(packet)
    turned = with_matrix(tmp_path / "a.mp4", tmp_path / "b.mp4", (0, 1, -1, 0))
    assert open_video(tmp_path / "a.mp4").sample_aspect == Fraction(4, 3)
    assert open_video(turned).sample_aspect == Fraction(3, 4)


def smooth_rgb(width: int, height: int) -> np.ndarray:
    """uint8 RGB: slow waves of all colours, so that half-size chroma loses nothing to speak of."""
    y, x = np.mgrid[0:height, 0:width] / max(width, height) * np.pi
    waves = np.stack([np.sin(x + 0.3), np.sin(y + 2 * x), np.cos(x - y)], -1)
    return (127.5 + 100 * waves).round().astype(np.uint8)


def check_colours(got: np.ndarray, rgb: np.ndarray) -> None:
    """A wrong matrix or range is off by 3 to 20 levels. FFmpeg moves chroma by up to half a pixel when it changes the
    chroma grid (mean error 1.35 here, 0.2 to 0.7 without); its rounding has a bias of up to 0.8."""
    error = got * 255 - rgb
    assert np.abs(error).mean() < 1.5
    assert np.quantile(np.abs(error), 0.99) < 4.5
    assert np.abs(error.mean(axis=(0, 1))).max() < 0.9


def save(path: Path, frame: av.VideoFrame, matrix: int = 2, full: bool = False) -> Path:
    """One lossless frame, with these tags (2: no matrix told)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = frame.width, frame.height, frame.format.name
        context.colorspace, context.color_range = matrix, 2 if full else 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


# (K_R, K_B), written down once more on purpose: BT.709-6, BT.601-7, BT.2020-2.
WEIGHTS = {1: (0.2126, 0.0722), 2: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
YUV = {"yuv420p": (8, 2, 2), "yuv422p": (8, 2, 1), "yuv444p": (8, 1, 1)}
YUV |= {"yuv420p10le": (10, 2, 2), "yuv422p10le": (10, 2, 1), "yuv444p12le": (12, 1, 1), "yuv420p16le": (16, 2, 2)}


def yuv_frame(rgb: np.ndarray, name: str, matrix: int, full: bool) -> av.VideoFrame:
    """`rgb` in a planar YUV format, straight from the Recommendations' formulas; chroma on even columns."""
    bits, across, down = YUV[name]
    kr, kb = WEIGHTS[matrix]
    red, green, blue = np.moveaxis(rgb / 255.0, -1, 0)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    peak, unit = 2**bits - 1, 2 ** (bits - 8)
    codes = [luma * (peak if full else 219 * unit) + (0 if full else 16 * unit)]
    for plane in chroma:
        plane = plane * (peak if full else 224 * unit) + 128 * unit
        codes.append(plane.reshape(plane.shape[0] // down, down, -1).mean(axis=1)[:, ::across])
    frame = av.VideoFrame(rgb.shape[1], rgb.shape[0], name)
    for target, plane in zip(frame.planes, codes, strict=True):
        rows(target, "u1" if bits == 8 else "<u2")[:, : target.width] = plane.round()
    return frame


@pytest.mark.parametrize("stored", list(YUV))
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 2, 6, 9])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_colours_of_yuv_sources(tmp_path: Path, stored: str, full: bool, matrix: int, pixel_format: str) -> None:
    rgb = smooth_rgb(128, 96)
    path = save(tmp_path / "a.mkv", yuv_frame(rgb, stored, matrix, full), matrix, full)
    check_colours(whole(path, pixel_format), rgb)
    clip = open_video(path, pixel_format=pixel_format)
    assert (clip.tags.matrix, clip.tags.full_range) == (matrix, full)


@pytest.mark.parametrize("stored", ["bgr0", "bgra", "gbrp10le", "rgb48le", "gray"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("height", [96, 720])
def test_colours_of_rgb_sources(tmp_path: Path, stored: str, pixel_format: str, height: int) -> None:
    rgb = smooth_rgb(128, height)
    if stored == "gray":
        rgb[:] = rgb[..., :1]
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=stored, dst_color_range="JPEG")
    path = save(tmp_path / "a.mkv", frame)
    check_colours(whole(path, pixel_format), rgb)
    tags = open_video(path, pixel_format=pixel_format).tags
    assert (tags.matrix, tags.full_range) == (1 if height >= 720 else 6, False)


def test_what_is_converted_is_said(tmp_path: Path) -> None:
    rgb = smooth_rgb(64, 64)
    path = save(tmp_path / "a.mkv", av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="bgra"))
    assert open_video(path).notes == (
        "The clip's pixel format bgra is converted to yuv420p.",
        "The clip's transparency is not kept.",
    )
    path = save(tmp_path / "b.mkv", yuv_frame(rgb, "yuv420p", 1, True), 1, True)
    assert open_video(path).notes == ()


def test_samples_of_a_full_range_clip_stay_as_they_are(tmp_path: Path) -> None:
    frame = yuv_frame(smooth_rgb(64, 64), "yuv420p", 1, True)
    path = save(tmp_path / "a.mkv", frame, 1, True)
    picture = next(open_video(path).read([np.array([0])])).pictures[0]
    assert picture.frame.format.name == "yuvj420p"
    for plane, stored in zip(planes(picture.frame), planes(frame), strict=True):
        np.testing.assert_array_equal(plane, stored)
