"""The conversion against published codes, against itself, and against FFmpeg's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.types import Rect
from lipsync_studio.pipelines.media.colour import (
    LUMA_WEIGHTS,
    ColourTags,
    Conversion,
    rgb_to_ycbcr,
    tags_for_rgb,
)
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.planes import planes

LIMITED, FULL = 1, 2


def codes_of(rgb: tuple[float, float, float], matrix: int, bits: int, colour_range: int) -> list[int]:
    conversion = Conversion.build(ColourTags(matrix=matrix, range=colour_range), bits)
    return conversion.codes(np.array([[rgb]], np.float32))[0, 0].round().astype(int).tolist()


# 100 % colour bars: BT.709-6 and BT.601-7 in 8 bits, BT.2020-2 in 10, JFIF in full range.
BARS = [
    ((1, 1, 1), 1, 8, LIMITED, [235, 128, 128]),
    ((0, 0, 0), 1, 8, LIMITED, [16, 128, 128]),
    ((1, 0, 0), 1, 8, LIMITED, [63, 102, 240]),
    ((0, 1, 0), 1, 8, LIMITED, [173, 42, 26]),
    ((0, 0, 1), 1, 8, LIMITED, [32, 240, 118]),
    ((1, 0, 0), 6, 8, LIMITED, [81, 90, 240]),
    ((0, 1, 0), 6, 8, LIMITED, [145, 54, 34]),
    ((0, 0, 1), 6, 8, LIMITED, [41, 240, 110]),
    ((1, 1, 1), 9, 10, LIMITED, [940, 512, 512]),
    ((1, 0, 0), 9, 10, LIMITED, [294, 387, 960]),
    ((0, 1, 0), 5, 8, FULL, [150, 44, 21]),
    ((1, 1, 1), 5, 8, FULL, [255, 128, 128]),
]


@pytest.mark.parametrize(("rgb", "matrix", "bits", "colour_range", "codes"), BARS)
def test_published_codes(rgb: tuple, matrix: int, bits: int, colour_range: int, codes: list[int]) -> None:
    assert codes_of(rgb, matrix, bits, colour_range) == codes


@given(
    rgb=st.tuples(*[st.floats(0, 1, width=32)] * 3),
    matrix=st.sampled_from(sorted(LUMA_WEIGHTS)),
    bits=st.sampled_from([8, 10]),
    colour_range=st.sampled_from([LIMITED, FULL]),
)
def test_there_and_back(rgb: tuple, matrix: int, bits: int, colour_range: int) -> None:
    conversion = Conversion.build(ColourTags(matrix=matrix, range=colour_range), bits)
    pixels = np.array([[rgb]], np.float32)
    np.testing.assert_allclose(conversion.rgb(conversion.codes(pixels)), pixels, atol=2e-6)


@given(level=st.floats(0, 1), matrix=st.sampled_from(sorted(LUMA_WEIGHTS)))
def test_grey_has_no_chroma(level: float, matrix: int) -> None:
    np.testing.assert_allclose(rgb_to_ycbcr(*LUMA_WEIGHTS[matrix]) @ ([level] * 3), [level, 0, 0], atol=1e-12)


@given(matrix=st.sampled_from(sorted(LUMA_WEIGHTS)), bits=st.sampled_from([8, 10]))
def test_range_does_not_change_colours(matrix: int, bits: int) -> None:
    pixels = np.random.default_rng(0).random((4, 5, 3), np.float32)
    limited, full = (Conversion.build(ColourTags(matrix=matrix, range=r), bits) for r in (LIMITED, FULL))
    np.testing.assert_allclose(limited.rgb(limited.codes(pixels)), full.rgb(full.codes(pixels)), atol=2e-6)


@pytest.mark.parametrize(
    ("matrix", "height", "resolved"), [(2, 719, 6), (2, 720, 1), (0, 1080, 1), (14, 480, 6), (9, 480, 9), (5, 1080, 5)]
)
def test_untagged_pictures_go_by_their_height(matrix: int, height: int, resolved: int) -> None:
    assert ColourTags(matrix=matrix).resolved(height).matrix == resolved


def test_rgb_is_tagged_throughout() -> None:
    assert tags_for_rgb(1080) == ColourTags(matrix=1, primaries=1, transfer=1, range=LIMITED)
    assert tags_for_rgb(480) == ColourTags(matrix=6, primaries=1, transfer=1, range=LIMITED)


def chart() -> np.ndarray:
    """uint8 [90, 160, 3]: 40 patches of 16 x 16 and more, even-sided, of spread colours."""
    patches = np.random.default_rng(7).integers(20, 236, (5, 8, 3), dtype=np.uint8)
    return patches.repeat(18, axis=0).repeat(20, axis=1)


def test_a_bt709_chart_comes_out_in_its_colours(tmp_path: Path) -> None:
    """A reader that takes BT.601 for BT.709 is 9.8 of 255 off here in the mean of the worst channel."""
    rgb = chart()
    conversion = Conversion.build(ColourTags(matrix=1), 8)
    codes = conversion.codes((rgb / 255).astype(np.float32)).round().astype(np.uint8)
    frame = av.VideoFrame(160, 90, "yuv420p")
    for channel, plane in enumerate(planes(frame)):
        step = 1 if channel == 0 else 2
        plane[:] = codes[::step, ::step, channel]
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"crf": "1"})
        context = stream.codec_context
        context.width, context.height, context.pix_fmt, context.colorspace = 160, 90, "yuv420p", 1
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    picture = next(open_video(tmp_path / "a.mp4").read([np.array([0])])).pictures[0]
    got = picture.crop(Rect(0, 0, 160, 90)).numpy() * 255
    inner = np.zeros((90, 160), bool)  # away from the borders, where half-size chroma mixes the patches
    inner.reshape(5, 18, 8, 20)[:, 4:-4, :, 4:-4] = True
    error = np.abs(got - rgb)[inner]
    assert error.mean() < 0.6
    assert error.max() < 3


def test_real_frames_look_as_ffmpeg_shows_them(shared: Path) -> None:
    clip = open_video(shared / "media/clips/WolfgangLanger_Pexels.mp4")
    picture = next(clip.read([np.array([100])])).pictures[0]
    theirs = picture.frame.to_ndarray(
        format="rgb24", src_colorspace=5, dst_colorspace=1, src_color_range="MPEG", dst_color_range="JPEG",
        interpolation=0x2 | 0x40000 | 0x2000,
    )  # fmt: skip
    ours = picture.crop(Rect(0, 0, clip.width, clip.height)).numpy() * 255
    error = np.abs(ours - theirs)
    assert error.mean() < 0.8
    assert np.quantile(error, 0.999) < 8
