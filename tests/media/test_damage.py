"""Broken files: said in words, at the right second, and never a frame in the wrong place."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import cast

import av
import numpy as np
import portrait_clip
import pytest
from av.stream import Disposition
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.media.decode import open_video

ZERO_LATENCY = {"g": "10", "bf": "0"}
OPEN_GOP = {"bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:b-adapt=0"}


def remuxed(source: Path, target: Path, keep: Callable[[int, av.Packet], bool], **options: str) -> Path:
    """A copy of a clip with only those packets for which keep(number, packet) holds."""
    with av.open(str(source)) as clip, av.open(str(target), "w", container_options=options) as copy:
        stream = copy.add_stream_from_template(clip.streams.video[0])
        for number, packet in enumerate(clip.demux(video=0)):
            if packet.dts is not None and keep(number, packet):
                packet.stream = stream
                copy.mux(packet)
    return target


def spoiled(source: Path, target: Path, which: set[int]) -> Path:
    """A copy whose packets with these numbers are overwritten with junk of the same length."""
    data = bytearray(source.read_bytes())
    with av.open(str(source)) as clip:
        for number, packet in enumerate(clip.demux(video=0)):
            if number in which:
                begin = int(packet.pos or 0)
                data[begin : begin + packet.size] = b"\xff" * packet.size
    target.write_bytes(data)
    return target


def numbers(path: Path, number_of: Callable) -> tuple[list[int], tuple[str, ...]]:
    clip = open_video(path)
    seen = [number_of(picture) for chunk in clip.read([np.arange(len(clip.clock))]) for picture in chunk.pictures]
    return seen, clip.notes


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"", "empty.mp4"), (b"hello\n" * 300, "text.mp4"), (bytes(range(256)) * 40, "junk.mov")],
)
def test_not_a_video(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError, match=name) as caught:
        open_video(tmp_path / name)
    assert str(tmp_path) not in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no file named gone\.mp4") as caught:
        open_video(tmp_path / "gone.mp4")
    assert str(tmp_path) not in str(caught.value)


def test_junk_in_memory() -> None:
    with pytest.raises(MediaError, match="the video in memory"):
        open_video(io.BytesIO(b"no video" * 100))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(MediaError, match="video stream"):
        open_video(tmp_path / "a.wav")


def test_a_cover_is_no_video(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    with av.open(str(make_clip(codec="mjpeg", pixel_format="yuvj420p", frames=1, name="a.mkv"))) as cover:
        with av.open(str(tmp_path / "song.mp4"), "w") as song:
            sound = song.add_stream("aac", rate=8000, layout="mono")
            picture = song.add_stream_from_template(cover.streams.video[0])
            picture.disposition = cast(Disposition, Disposition.attached_pic.value)
            packet = next(cover.demux(video=0))
            packet.stream = picture
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 8000
            song.mux(sound.encode(frame))
            song.mux(packet)
            song.mux(sound.encode(None))
    with pytest.raises(MediaError, match="video stream"):
        open_video(tmp_path / "song.mp4")


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_file_cut_off_says_where(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable, name: str
) -> None:
    whole = remuxed(make_clip(frames=150, options=ZERO_LATENCY), tmp_path / name, lambda *_: True, movflags="faststart")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) * 6 // 10])
    with pytest.raises(MediaError, match=r"breaks off at second [23]\.\d\d"):
        open_video(whole)
    clip = open_video(whole, 0, 2)
    assert [number_of(p) for c in clip.read([np.arange(50)]) for p in c.pictures] == list(range(50))


def test_an_index_at_the_end_that_is_gone(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    data = make_clip(frames=60).read_bytes()
    (tmp_path / "a.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(MediaError, match=r"a\.mp4, which cannot be opened"):
        open_video(tmp_path / "a.mp4")


@pytest.mark.parametrize("which", [{5}, {5, 6}, {10, 20}])
def test_a_damaged_frame_shifts_no_other(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable, which: set[int]
) -> None:
    source = make_clip(codec="png", pixel_format="rgb24", name="a.mov", frames=60)
    path = spoiled(source, tmp_path / "a.mov", which)
    expected = list(range(60))
    for number in sorted(which):
        expected[number] = expected[number - 1]
    seen, notes = numbers(path, number_of)
    assert seen == expected
    said = f"{len(which)} damaged frame(s), the first is number {min(which)}: each shows the picture before it."
    assert notes[-1] == said
    clip = open_video(path)
    backward = [number_of(p) for n in range(59, -1, -1) for c in clip.read([np.array([n])]) for p in c.pictures]
    assert backward == expected[::-1]


def test_a_damaged_last_frame(tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable) -> None:
    """Older PyAV loses what the decoder's threads still hold when the last of it fails: those are held, too."""
    source = make_clip(codec="png", pixel_format="rgb24", name="a.mov", frames=90)
    seen, notes = numbers(spoiled(source, tmp_path / "a.mov", {89}), number_of)
    assert len(seen) == 90
    kept = max(seen) + 1
    assert seen == [min(n, kept - 1) for n in range(90)]
    assert "damaged frame(s)" in notes[-1]


def test_damaged_first_frames_leave_the_clock(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable
) -> None:
    source = make_clip(codec="png", pixel_format="rgb24", name="a.mov")
    path = spoiled(source, tmp_path / "a.mov", {0, 1})
    assert numbers(path, number_of)[0] == list(range(2, 30))
    clip = open_video(path)
    assert clip.clock.ticks[0] == 0
    assert clip.clock.duration == pytest.approx(28 / 25, abs=0.001)


def test_a_damaged_frame_at_the_trim_shows_the_one_before(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable
) -> None:
    path = spoiled(make_clip(codec="png", pixel_format="rgb24", name="a.mov"), tmp_path / "a.mov", {10})
    clip = open_video(path, 0.4, 0.2)
    assert [number_of(p) for c in clip.read([np.arange(5)]) for p in c.pictures] == [9, 11, 12, 13, 14]


def test_damage_longer_than_a_second_is_an_error(tmp_path: Path, make_clip: Callable[..., Path]) -> None:
    source = make_clip(codec="png", pixel_format="rgb24", name="a.mov", frames=90)
    path = spoiled(source, tmp_path / "a.mov", set(range(50, 80)))
    with pytest.raises(MediaError, match=r"damaged from second 2\.00 on for 30 frames"):
        list(open_video(path).read([np.arange(90)]))
    path = spoiled(source, tmp_path / "b.mov", set(range(90)))
    with pytest.raises(MediaError, match=r"b\.mov, from second 0\.00"):
        open_video(path)


def test_a_packet_that_is_not_there(tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable) -> None:
    source = make_clip(codec="png", pixel_format="rgb24", name="a.mov")
    path = remuxed(source, tmp_path / "a.mov", lambda number, _: number != 7)
    clip = open_video(path)
    assert numbers(path, number_of)[0] == [n for n in range(30) if n != 7]
    np.testing.assert_allclose(clip.clock.seconds, [n / 25 for n in range(30) if n != 7], atol=0.001)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_a_file_that_begins_inside_an_open_group(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable, codec: str, name: str
) -> None:
    options = OPEN_GOP if codec == "libx264" else {"x265-params": "log-level=error:keyint=12:bframes=3:open-gop=1"}
    source = make_clip("a.ts", codec=codec, options=options, frames=60)
    keyframes = [n for n, packet in enumerate(av.open(str(source)).demux(video=0)) if packet.is_keyframe]
    path = remuxed(source, tmp_path / name, lambda number, _: number >= keyframes[1])
    seen, notes = numbers(path, number_of)
    assert seen == list(range(seen[0], 60))
    assert 10 <= seen[0] <= 13
    assert notes == ()


def test_a_change_of_size_is_scaled_and_said(
    tmp_path: Path, make_clip: Callable[..., Path], number_of: Callable
) -> None:
    first = make_clip("a.ts", options=ZERO_LATENCY)
    second = make_clip("a.ts", options=ZERO_LATENCY, width=192, height=160)
    raw = tmp_path / "a.h264"
    with raw.open("wb") as target:
        for path in (first, second):
            with av.open(str(path)) as clip:
                target.writelines(bytes(packet) for packet in clip.demux(video=0) if packet.size)
    seen, notes = numbers(raw, number_of)
    assert seen == [*range(30), *range(30)]
    assert notes[-1] == "The clip changes its size at frame 30; scaled to the size it began with."


@pytest.mark.parametrize("playlist", ["ffconcat version 1.0\nfile clip.mp4\n", "#EXTM3U\n#EXTINF:1,\nclip.mp4\n"])
def test_a_playlist_is_refused(tmp_path: Path, playlist: str) -> None:
    """It would show other files of the machine, or open addresses."""
    portrait_clip.write(tmp_path / "clip.mp4", 3, side=64)
    listed = tmp_path / "list.mp4"
    listed.write_text(playlist)
    with pytest.raises(MediaError, match=r"list\.mp4"):
        open_video(listed)
