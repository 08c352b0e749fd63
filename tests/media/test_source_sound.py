"""The source's own sound: copied byte by byte, or encoded anew, and always in its place."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.core.timing import LengthPolicy, Timeline
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings
from lipsync_studio.pipelines.media.decode import VideoClip, open_video
from lipsync_studio.pipelines.media.encode import VideoWriter
from lipsync_studio.pipelines.media.sound import SourceSound, read_audio, read_source_sound
from media.sounds import best_lag, clicks, first_loud, flash_in

FAST = EncodeSettings(preset="ultrafast")


def source_with(
    path: Path, codec: str, rate: int, layout: str, sound: AudioClip, flash: int, delay: float = 0.0
) -> Path:
    """A video of 4 s at 25 fps with this sound in this codec; frame `flash` is white; the sound begins at `delay` s."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"g": "12", "bf": "2"})
        video.codec_context.width = video.codec_context.height = 32
        video.codec_context.pix_fmt = "yuv420p"
        audio: Any = container.add_stream(codec, rate=rate, layout=layout)
        for number in range(100):
            level = 255 if number == flash else 90
            rgb = av.VideoFrame.from_ndarray(np.full((32, 32, 3), level, np.uint8), "rgb24")
            frame = rgb.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        resampler = av.AudioResampler(audio.format, layout, rate, audio.codec_context.frame_size or 1024)
        samples = np.repeat(sound.samples, audio.codec_context.layout.nb_channels, 0)
        heard = av.AudioFrame.from_ndarray(samples, "fltp", layout)
        heard.sample_rate, heard.pts, heard.time_base = rate, round(delay * rate), Fraction(1, rate)
        for part in [*resampler.resample(heard), *resampler.resample(None)]:
            container.mux(audio.encode(part))
        container.mux(audio.encode(None))
    return path


def audio_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


SOURCES = [
    ("a.mp4", "aac", 44100, True),
    ("a.mkv", "aac", 48000, True),
    ("a.ts", "aac", 48000, True),
    ("a.mkv", "libmp3lame", 44100, True),
    ("a.mkv", "ac3", 48000, True),
    ("a.mkv", "flac", 48000, True),
    ("a.mkv", "libopus", 48000, True),
    ("a.mov", "alac", 44100, True),
    ("a.mov", "pcm_s16le", 44100, False),
    ("a.mkv", "pcm_f32le", 44100, False),
    ("a.avi", "mp2", 44100, False),
]


TRIMS = [(0, 0), (0.5, 0), (1.5, 2.0), (2.3, 1.0)]
# The times of MPEG-TS do not begin at 0, and ComfyUI's trim counts from their 0: there only the whole file is plain.
CASES = [(*source, *trim) for source in SOURCES for trim in TRIMS if source[0] != "a.ts" or trim == (0, 0)]


@pytest.mark.parametrize(("name", "codec", "rate", "copied", "start", "duration"), CASES)
def test_the_sources_sound(
    tmp_path: Path, name: str, codec: str, rate: int, copied: bool, start: float, duration: float
) -> None:
    flash = 70
    source = source_with(tmp_path / f"source{name[1:]}", codec, rate, "stereo", clicks(rate, 4.0, [flash / 25]), flash)
    clip = open_video(source, start, duration)
    assert clip.sound is not None
    with VideoWriter(tmp_path / "a.mp4", 32, 32, timeline_of(clip), FAST, clip.sound, clip.tags) as writer:
        for chunk in clip.read(np.array_split(np.arange(len(clip.clock)), 5)):
            writer.write(chunk.pictures)
    assert bool(writer.notes) != copied
    result = open_video(tmp_path / "a.mp4")
    heard = read_audio(tmp_path / "a.mp4")
    assert (heard.rate, len(heard.samples)) == (rate, 2)
    assert heard.seconds == pytest.approx(clip.clock.duration, abs=0.06)
    seen = flash_in(result)
    assert seen == pytest.approx(flash / 25 - start, abs=0.041)
    assert abs(first_loud(heard.samples, rate) - seen) < 0.012
    if copied and not name.endswith(".ts"):  # MPEG-TS wraps every AAC packet into a header of its own
        original, kept = audio_packets(source), audio_packets(tmp_path / "a.mp4")
        first = original.index(kept[0]) if start > 0 else 0
        assert original[first : first + len(kept)] == kept
        assert start > 0 or duration > 0 or len(kept) == len(original)


def timeline_of(clip: VideoClip) -> Timeline:
    return Timeline.build(clip.clock, clip.clock.duration, LengthPolicy())


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_that_begins_late_stays_late(tmp_path: Path, codec: str) -> None:
    sound = clicks(48000, 2.0, [0.8])
    source = source_with(tmp_path / "source.mkv", codec, 48000, "mono", sound, 40, delay=0.8)
    clip = open_video(source)
    with VideoWriter(tmp_path / "a.mp4", 32, 32, timeline_of(clip), FAST, clip.sound, clip.tags) as writer:
        for chunk in clip.read([np.arange(100)]):
            writer.write(chunk.pictures)
    heard = read_audio(tmp_path / "a.mp4")
    assert first_loud(heard.samples, heard.rate) == pytest.approx(1.6, abs=0.012)


def test_real_clips(shared: Path, tmp_path: Path) -> None:
    for name in ("WDA_EdMarkey.mp4", "face_noface.mov", "single_face.mp4", "short_hamilton_clip.mp4"):
        clip = open_video(shared / "media/clips" / name)
        count = len(clip.clock)
        with VideoWriter(tmp_path / "a.mp4", clip.width, clip.height, timeline_of(clip), FAST, clip.sound) as writer:
            for chunk in clip.read(np.array_split(np.arange(count), count // 8)):
                writer.write(chunk.pictures)
        assert writer.notes == ()
        result = open_video(tmp_path / "a.mp4").clock
        assert [t * result.tick for t in result.ticks.tolist()] == [
            t * clip.clock.tick for t in clip.clock.ticks.tolist()
        ]
        theirs = read_audio(clip.source, float(clip.sound.start), 4)
        ours = read_audio(tmp_path / "a.mp4", 0, 4)
        length = min(theirs.samples.shape[1], ours.samples.shape[1]) - 2048
        assert length > ours.rate
        lag = best_lag(ours.samples[0, :length], theirs.samples[0, :length])
        assert abs(lag) <= ours.rate * 0.002


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize("written", [0, 1, 60])
def test_a_failure_leaves_no_file(tmp_path: Path, codec: str, written: int) -> None:
    source = source_with(tmp_path / "source.mkv", codec, 48000, "mono", clicks(48000, 4.0, [1.0]), 25)
    clip = open_video(source)

    def broken() -> None:
        with VideoWriter(tmp_path / "a.mp4", 32, 32, timeline_of(clip), FAST, clip.sound, clip.tags) as writer:
            for chunk in clip.read(np.array_split(np.arange(written), 3)):
                writer.write(chunk.pictures)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert [path.name for path in tmp_path.iterdir()] == ["source.mkv"]


def test_a_source_without_sound(make_clip: Callable[..., Path], tmp_path: Path) -> None:
    clip = open_video(make_clip())
    assert clip.sound is None
    with pytest.raises(MediaError, match="none that can be read"):
        with VideoWriter(tmp_path / "a.mp4", 32, 32, timeline_of(clip), FAST, SourceSound(clip.source)):
            raise AssertionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("start", "duration"), TRIMS)
def test_the_sound_of_a_trimmed_part_is_read_as_long_as_the_part(tmp_path: Path, start: float, duration: float) -> None:
    source = source_with(tmp_path / "source.mov", "pcm_s16le", 44100, "stereo", clicks(44100, 4.0, [2.8]), 70)
    clip = open_video(source, start, duration)
    assert clip.sound is not None
    heard = read_source_sound(clip.sound)
    assert heard.seconds == pytest.approx(clip.clock.duration, abs=0.06)
    assert first_loud(heard.samples, 44100) == pytest.approx(flash_in(clip), abs=0.012)
