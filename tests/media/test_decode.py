"""Every frame, at its exact time, in the right place: for all rates, containers, codecs and trims."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from lipsync_studio.pipelines.core.types import Picture
from lipsync_studio.pipelines.media.decode import VideoClip, open_video

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]
RATES += [Fraction(60000, 1001)]
B_FRAMES = {"bf": "3", "g": "12"}
OPEN_GOP = {"bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:b-adapt=0"}


def numbers(clip: VideoClip, number_of: Callable[[Picture], int]) -> list[int]:
    """The numbers that the pictures carry, in reading order."""
    blocks = np.array_split(np.arange(len(clip.clock)), max(1, len(clip.clock) // 7))
    return [number_of(picture) for chunk in clip.read(blocks) for picture in chunk.pictures]


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_constant_rate(make_clip: Callable[..., Path], number_of: Callable, rate: Fraction) -> None:
    clip = open_video(make_clip(rate=rate, options=B_FRAMES))
    assert clip.clock.rate == rate
    assert numbers(clip, number_of) == list(range(30))
    exact = [i / rate for i in range(30)]
    assert [tick * clip.clock.tick for tick in clip.clock.ticks.tolist()] == exact
    assert clip.clock.end * clip.clock.tick == 30 / rate
    assert clip.notes == ()


def test_variable_rate(make_clip: Callable[..., Path], number_of: Callable) -> None:
    times = np.cumsum([0, 3, 1, 1, 7, 2, 2, 2, 11, 1, 1, 5, 3, 3]).tolist()
    path = make_clip(frames=len(times), times=times, tick=Fraction(1, 60), rate=Fraction(25), options=B_FRAMES)
    clip = open_video(path)
    assert [tick * clip.clock.tick for tick in clip.clock.ticks.tolist()] == [Fraction(t, 60) for t in times]
    assert numbers(clip, number_of) == list(range(len(times)))


CONTAINERS = [
    ("a.mp4", {"options": B_FRAMES}),
    ("a.mp4", {"options": OPEN_GOP}),
    ("a.mp4", {"codec": "libx265", "options": {"x265-params": "log-level=error:keyint=12:bframes=3"}}),
    ("a.mov", {"codec": "mpeg4"}),
    ("a.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}),
    ("a.mov", {"codec": "png", "pixel_format": "rgba"}),
    ("a.mkv", {"options": B_FRAMES}),
    ("a.mkv", {"codec": "ffv1", "pixel_format": "bgr0"}),
    ("a.mkv", {"codec": "libx264rgb", "pixel_format": "rgb24"}),
    ("a.mkv", {"pixel_format": "yuv444p", "options": B_FRAMES}),
    ("a.mkv", {"pixel_format": "yuv420p10le", "options": B_FRAMES}),
    ("a.mkv", {"codec": "ffv1", "pixel_format": "yuv422p12le"}),
    ("a.mkv", {"codec": "ffv1", "pixel_format": "gray"}),
    ("a.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8", "g": "12"}}),
    ("a.webm", {"codec": "libvpx", "options": {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "10"}}),
    ("a.mp4", {"codec": "libsvtav1", "options": {"preset": "12", "svtav1-params": "keyint=12"}}),
    ("a.avi", {"codec": "mjpeg", "pixel_format": "yuvj422p"}),
    ("a.avi", {"codec": "mpeg4"}),
    ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
    ("a.avi", {"options": B_FRAMES}),
    ("a.h264", {"options": B_FRAMES}),
    ("a.ts", {"options": B_FRAMES}),
    ("a.ts", {"codec": "mpeg2video", "options": {"bf": "2", "g": "12"}}),
    ("a.mpg", {"codec": "mpeg2video", "options": {"bf": "2", "g": "12"}}),
    ("a.flv", {"options": B_FRAMES}),
    ("a.gif", {"codec": "gif", "pixel_format": "bgr8"}),
]


@pytest.mark.parametrize(("name", "recipe"), CONTAINERS, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv420p10le"])
def test_containers(
    make_clip: Callable[..., Path], number_of: Callable, name: str, recipe: dict[str, object], pixel_format: str
) -> None:
    clip = open_video(make_clip(name, **recipe), pixel_format=pixel_format)
    assert numbers(clip, number_of) == list(range(30))
    np.testing.assert_allclose(clip.clock.seconds, np.arange(30) / 25, atol=0.0011)
    assert clip.clock.rate == pytest.approx(25, rel=0.001)
    down = [number_of(p) for chunk in clip.read([np.arange(29, -1, -1)]) for p in chunk.pictures]
    assert down == list(range(29, -1, -1))
    assert not any("damaged" in note for note in clip.notes)


def test_times_that_a_file_does_not_tell_are_constant_and_said(make_clip: Callable[..., Path]) -> None:
    clip = open_video(make_clip("a.avi", options=B_FRAMES))
    assert clip.index.counted
    assert clip.clock.rate == 25
    assert ["does not say when" in note for note in clip.notes] == [True]


def test_every_reader_has_a_place_of_its_own(make_clip: Callable[..., Path], number_of: Callable) -> None:
    source = io.BytesIO(make_clip(options=B_FRAMES).read_bytes())
    clip = open_video(source)
    forward = clip.read([np.array([i]) for i in range(30)])
    backward = clip.read([np.array([i]) for i in range(29, -1, -1)])
    pairs = [(number_of(a.pictures[0]), number_of(b.pictures[0])) for a, b in zip(forward, backward, strict=True)]
    assert pairs == [(i, 29 - i) for i in range(30)]


@pytest.mark.parametrize("name", ["a b.mp4", "50% %03d.mp4", "é ü 日.mp4", "-i.mp4", "a:b.mp4", "https:x.mp4"])
def test_names_that_look_like_something_else(
    make_clip: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if os.name == "nt" and ":" in name:
        pytest.skip("Windows has no such names")
    (tmp_path / name).write_bytes(make_clip().read_bytes())
    monkeypatch.chdir(tmp_path)
    assert len(open_video(name).clock) == 30


@pytest.mark.parametrize(
    ("start", "duration", "first", "last"),
    [(0, 0, 0, 30), (0.4, 0, 10, 30), (0.4, 0.4, 10, 20), (0.41, 0.4, 11, 21), (0, 0.04, 0, 1), (1.16, 9, 29, 30)],
)
def test_trim(
    make_clip: Callable[..., Path], number_of: Callable, start: float, duration: float, first: int, last: int
) -> None:
    clip = open_video(make_clip(options=B_FRAMES), start, duration)
    assert numbers(clip, number_of) == list(range(first, last))
    assert clip.clock.ticks[0] == 0
    assert clip.clock.duration == pytest.approx((last - first) / 25)
    assert clip.sound is None


def test_trim_is_comfyuis(make_clip: Callable[..., Path], numbered: Callable) -> None:
    from comfy_api.latest import InputImpl

    path = make_clip(rate=Fraction(30000, 1001), options=B_FRAMES)
    for start, duration in [(0.1, 0.2), (0.333, 0.5), (0.5, 0.034), (0.7, 0)]:
        video = InputImpl.VideoFromFile(str(path), start_time=start, duration=duration)
        theirs = [frame[8, 8].mean() for frame in video.get_components().images]
        clip = open_video(path, *video.get_active_trim_window())
        assert len(clip.clock) == len(theirs)


def test_two_trims_share_nothing(make_clip: Callable[..., Path], number_of: Callable) -> None:
    path = make_clip(options=OPEN_GOP, frames=60)
    early, late = open_video(path, 0.2, 0.8), open_video(path, 1.2, 0.8)
    assert numbers(late, number_of) == list(range(30, 50))
    assert numbers(early, number_of) == list(range(5, 25))
