"""What is written: every frame at its exact time, the right tags, a whole file or none."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings, Rect
from lipsync_studio.pipelines.media.colour import ColourTags, tags_for_rgb
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.encode import VideoWriter
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from lipsync_studio.pipelines.media.planes import planes

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]
RATES += [Fraction(60000, 1001)]
FAST = EncodeSettings(preset="ultrafast")
POLICY = LengthPolicy()


def timeline_of(clock: FrameClock) -> Timeline:
    return Timeline.build(clock, clock.duration, POLICY)


def pictures(numbered: Callable, count: int, width: int = 96, height: int = 80) -> Iterator[ImagePicture]:
    for number in range(count):
        yield ImagePicture(torch.from_numpy(numbered(number, width, height) / np.float32(255)))


def write(path: Path, numbered: Callable, timeline: Timeline, settings: EncodeSettings = FAST, **more: object) -> Path:
    with VideoWriter(path, 96, 80, timeline, settings, tags=tags_for_rgb(80), **more) as writer:
        writer.write(pictures(numbered, len(timeline)))
    return path


def numbers(path: Path, number_of: Callable, pixel_format: str = "yuv420p") -> list[int]:
    clip = open_video(path, pixel_format=pixel_format)
    return [number_of(p) for chunk in clip.read([np.arange(len(clip.clock))]) for p in chunk.pictures]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_constant_rates_are_exact(tmp_path: Path, numbered: Callable, number_of: Callable, rate: Fraction) -> None:
    path = write(tmp_path / "a.mp4", numbered, timeline_of(FrameClock.constant(50, rate)), EncodeSettings())
    clip = open_video(path)
    assert [tick * clip.clock.tick for tick in clip.clock.ticks.tolist()] == [n / rate for n in range(50)]
    assert clip.clock.end * clip.clock.tick == 50 / rate
    assert clip.clock.rate == rate
    assert numbers(path, number_of) == list(range(50))


@pytest.mark.parametrize("tick", [Fraction(1, 1000), Fraction(1, 90000), Fraction(1, 12288), Fraction(7, 1350)])
def test_variable_rates_are_exact(tmp_path: Path, numbered: Callable, number_of: Callable, tick: Fraction) -> None:
    millisecond = max(1, round(Fraction(1, 1000) / tick))
    ticks = np.cumsum([0, 40, 33, 34, 400, 40, 41, 39, 77, 1, 40, 40]) * millisecond
    clock = FrameClock(ticks=ticks, end=int(ticks[-1]) + 123 * millisecond, tick=tick, rate=Fraction(25))
    path = write(tmp_path / "a.mp4", numbered, timeline_of(clock), EncodeSettings())
    clip = open_video(path)
    assert [t * clip.clock.tick for t in clip.clock.ticks.tolist()] == [t * tick for t in ticks.tolist()]
    assert numbers(path, number_of) == list(range(12))
    assert float(clip.clock.end * clip.clock.tick) == pytest.approx(float(clock.end * tick), abs=0.002)
    with av.open(str(path)) as container:
        assert int(container.duration or 0) / av.time_base == pytest.approx(clock.end * float(tick), abs=0.001)
        assert container.streams.video[0].average_rate == pytest.approx(12 / (clock.end * tick), rel=1e-3)


FORMATS = [
    (EncodeSettings(), "avc1", "yuv420p"),
    (EncodeSettings(pixel_format="yuv444p"), "avc1", "yuv444p"),
    (EncodeSettings(pixel_format="yuv420p10le"), "avc1", "yuv420p10le"),
    (EncodeSettings(codec="hevc"), "hvc1", "yuv420p"),
    (EncodeSettings(codec="hevc", pixel_format="yuv420p10le"), "hvc1", "yuv420p10le"),
]


@pytest.mark.parametrize(("settings", "codec_tag", "stored"), FORMATS)
def test_codecs_and_formats(
    tmp_path: Path, numbered: Callable, number_of: Callable, settings: EncodeSettings, codec_tag: str, stored: str
) -> None:
    path = write(tmp_path / "a.mp4", numbered, timeline_of(FrameClock.constant(20, Fraction(25))), settings)
    assert numbers(path, number_of, settings.pixel_format) == list(range(20))
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.codec_tag, context.pix_fmt) == (codec_tag, stored)
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (6, 1, 1, 1)


TAGS = [ColourTags(), ColourTags(1, 1, 1, 1), ColourTags(6, 6, 6, 1), ColourTags(9, 9, 16, 1), ColourTags(1, 1, 1, 2)]


@pytest.mark.parametrize("tags", TAGS)
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_sources_tags_are_passed_on(
    tmp_path: Path, make_clip: Callable[..., Path], tags: ColourTags, codec: str
) -> None:
    name = "yuvj420p" if tags.full_range else "yuv420p"
    source = open_video(make_clip(pixel_format=name, color_range=tags.range))
    settings = EncodeSettings(preset="ultrafast", codec=codec)
    with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline_of(source.clock), settings, tags=tags) as writer:
        for chunk in source.read([np.arange(30)]):
            writer.write(chunk.pictures)
    written = open_video(tmp_path / "a.mp4").tags
    assert written == tags or (codec == "hevc" and written == replace(tags, range=1))  # x265 always says a range


def test_hdr_in_8_bits_is_said(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    source = open_video(make_clip(), pixel_format="yuv420p10le")
    settings = EncodeSettings(preset="ultrafast", pixel_format="yuv420p10le")
    timeline, tags = timeline_of(source.clock), ColourTags(9, 9, 18, 1)
    with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, settings, tags=tags) as writer:
        for chunk in source.read([np.arange(30)]):
            writer.write(chunk.pictures)
    assert "HDR" in open_video(tmp_path / "a.mp4", pixel_format="yuv420p").notes[-1]
    assert open_video(tmp_path / "a.mp4", pixel_format="yuv420p10le").notes == ()


def test_pixels_that_are_not_square(tmp_path: Path, numbered: Callable) -> None:
    timeline = timeline_of(FrameClock.constant(3, Fraction(25)))
    path = write(tmp_path / "a.mp4", numbered, timeline, sample_aspect=Fraction(16, 15))
    assert open_video(path).sample_aspect == Fraction(16, 15)


def test_lossless_passes_every_sample_through(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    """Decode, encode at crf 0, decode: the samples of a clip that nobody patched are the same, bit by bit."""
    source = open_video(make_clip(options={"bf": "2", "g": "12"}))
    settings = EncodeSettings(crf=0, preset="ultrafast")
    with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline_of(source.clock), settings, tags=source.tags) as writer:
        for chunk in source.read(np.array_split(np.arange(30), 4)):
            writer.write(chunk.pictures)
    result = open_video(tmp_path / "a.mp4")
    for before, after in zip(source.read([np.arange(30)]), result.read([np.arange(30)]), strict=True):
        for was, now in zip(before.pictures, after.pictures, strict=True):
            for a, b in zip(planes(was.frame), planes(now.frame), strict=True):
                np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("width", "height"), [(95, 80), (96, 81), (97, 83)])
def test_odd_sides_grow_by_their_edge(tmp_path: Path, numbered: Callable, width: int, height: int) -> None:
    settings = EncodeSettings(crf=1)
    tags = tags_for_rgb(height)
    timeline = timeline_of(FrameClock.constant(2, Fraction(25)))
    with VideoWriter(tmp_path / "a.mp4", width, height, timeline, settings, tags=tags) as writer:
        assert f"{width}x{height}" in writer.notes[0]
        writer.write(pictures(numbered, 2, width, height))
    clip = open_video(tmp_path / "a.mp4")
    assert (clip.width, clip.height) == (width + width % 2, height + height % 2)
    picture = next(clip.read([np.array([1])])).pictures[0]
    got = picture.crop(Rect(0, 0, clip.width, clip.height))
    torch.testing.assert_close(got[:, -1], got[:, width - 1], atol=0.02, rtol=0)
    torch.testing.assert_close(got[-1], got[height - 1], atol=0.02, rtol=0)


def test_444_keeps_odd_sides(tmp_path: Path, numbered: Callable) -> None:
    timeline = timeline_of(FrameClock.constant(2, Fraction(25)))
    settings = EncodeSettings(pixel_format="yuv444p")
    with VideoWriter(tmp_path / "a.mp4", 95, 81, timeline, settings, tags=tags_for_rgb(81)) as writer:
        assert writer.notes == ()
        writer.write(pictures(numbered, 2, 95, 81))
    clip = open_video(tmp_path / "a.mp4", pixel_format="yuv444p")
    assert (clip.width, clip.height) == (95, 81)


def test_ping_pong_is_written_in_order(tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable) -> None:
    clip = open_video(make_clip(frames=20))
    timeline = Timeline.build(clip.clock, 2.0, LengthPolicy(audio_longer="ping-pong"))
    with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, FAST, tags=clip.tags) as writer:
        for chunk in clip.read(np.array_split(timeline.source, 9)):
            writer.write(chunk.pictures)
    assert numbers(tmp_path / "a.mp4", number_of) == [*range(20), *range(19, -1, -1), *range(10)]


class Stopped(BaseException):
    """As ComfyUI's interrupt: no Exception."""


@pytest.mark.parametrize("error", [Stopped(), KeyboardInterrupt(), ValueError("engine")])
@pytest.mark.parametrize("written", [0, 1, 60])
def test_a_failure_leaves_no_file(tmp_path: Path, numbered: Callable, error: BaseException, written: int) -> None:
    (tmp_path / "a.mp4").write_bytes(b"what was there before")
    sound = AudioClip(np.zeros((1, 80_000), np.float32), 16_000)
    timeline = timeline_of(FrameClock.constant(100, Fraction(25)))

    def broken() -> None:
        with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, FAST, sound, tags_for_rgb(80)) as writer:
            writer.write(pictures(numbered, written))
            raise error

    with pytest.raises(type(error)):
        broken()
    assert os.listdir(tmp_path) == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_bytes() == b"what was there before"


@pytest.mark.parametrize("count", [0, 9, 11])
def test_the_frames_of_the_timeline_or_none(tmp_path: Path, numbered: Callable, count: int) -> None:
    timeline = timeline_of(FrameClock.constant(10, Fraction(25)))
    with pytest.raises(ValueError, match="pictures"):
        with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, FAST, tags=tags_for_rgb(80)) as writer:
            writer.write(pictures(numbered, count))
    assert os.listdir(tmp_path) == []


def test_a_clip_read_in_another_format_is_converted(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable
) -> None:
    source = open_video(make_clip(), pixel_format="yuv420p")
    settings = EncodeSettings(preset="ultrafast", pixel_format="yuv444p")
    with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline_of(source.clock), settings, tags=source.tags) as writer:
        for chunk in source.read([np.arange(30)]):
            writer.write(chunk.pictures)
    assert numbers(tmp_path / "a.mp4", number_of, "yuv444p") == list(range(30))


def test_a_picture_of_another_size(tmp_path: Path, numbered: Callable) -> None:
    timeline = timeline_of(FrameClock.constant(10, Fraction(25)))
    with pytest.raises(ValueError, match="64x48"):
        with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, FAST, tags=tags_for_rgb(80)) as writer:
            writer.write(pictures(numbered, 1, 64, 48))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_not_there(tmp_path: Path, numbered: Callable) -> None:
    with pytest.raises(MediaError, match=r"a\.mp4 to be writable.*No such file") as caught:
        write(tmp_path / "gone" / "a.mp4", numbered, timeline_of(FrameClock.constant(2, Fraction(25))))
    assert str(tmp_path) not in str(caught.value)


def test_a_preset_that_is_none(tmp_path: Path, numbered: Callable) -> None:
    settings = EncodeSettings(preset="warp speed")
    with pytest.raises(MediaError, match="warp speed"):
        write(tmp_path / "a.mp4", numbered, timeline_of(FrameClock.constant(2, Fraction(25))), settings)
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("limit", [0, 3_000, 100_000])
def test_a_full_disk(tmp_path: Path, limit: int) -> None:
    """A limit on file sizes stands for a disk without room; it strikes while writing or while closing."""
    import resource

    generator = torch.Generator().manual_seed(0)
    timeline = timeline_of(FrameClock.constant(60, Fraction(25)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))

    def fill() -> None:
        with VideoWriter(tmp_path / "a.mp4", 96, 80, timeline, FAST, tags=tags_for_rgb(80)) as writer:
            for _ in range(60):
                writer.write([ImagePicture(torch.rand(80, 96, 3, generator=generator))])

    try:
        with pytest.raises(MediaError, match="Free some space"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_comfyui_takes_the_file(tmp_path: Path, numbered: Callable) -> None:
    from comfy_api.latest import InputImpl

    rate = Fraction(30000, 1001)
    sound = AudioClip(np.zeros((2, 16_000), np.float32), 16_000)
    path = write(tmp_path / "a.mp4", numbered, timeline_of(FrameClock.constant(30, rate)), sound=sound)
    video = InputImpl.VideoFromFile(str(path))
    parts = video.get_components()
    assert parts.images.shape == (30, 80, 96, 3)
    assert parts.frame_rate == rate
    assert parts.audio is not None
    assert parts.audio["sample_rate"] == 16_000
