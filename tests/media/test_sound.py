"""New sound: what goes in comes out, at its rate, channels, length and place."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.core.errors import InputError, MediaError
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.encode import VideoWriter
from lipsync_studio.pipelines.media.image_picture import ImagePicture
from lipsync_studio.pipelines.media.sound import AAC_RATES, aac_form, read_audio
from media.sounds import best_lag, clicks, first_loud, flash_in

FAST = EncodeSettings(preset="ultrafast")
GREY = ImagePicture(torch.full((32, 32, 3), 0.5))
WHITE = ImagePicture(torch.ones(32, 32, 3))


def timeline(seconds: float, rate: Fraction = Fraction(25)) -> Timeline:
    count = round(seconds * rate)
    return Timeline.build(FrameClock.constant(count, rate), seconds, LengthPolicy())


def write(path: Path, sound: AudioClip, seconds: float, flash: int = -1) -> tuple[str, ...]:
    """A grey video with this sound; frame `flash` is white. Returns the writer's notes."""
    frames = timeline(seconds)
    with VideoWriter(path, 32, 32, frames, FAST, sound) as writer:
        for number in range(len(frames)):
            writer.write([WHITE if number == flash else GREY])
    return writer.notes


def tones(channels: int, rate: int, seconds: float) -> AudioClip:
    """A sine of its own pitch in each channel, well below the Nyquist frequency and the low-pass of an LFE."""
    t = np.arange(round(seconds * rate)) / rate
    pitches = 50 + 13 * np.arange(channels)
    return AudioClip((0.2 * np.sin(2 * np.pi * pitches[:, None] * t)).astype(np.float32), rate)


def pitch(samples: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 8 * len(samples)))
    return float(np.argmax(spectrum) * rate / (8 * len(samples)))


LOW_PASSED = {6: {3}, 7: {3}, 8: {3}}  # the low-frequency effects in 5.1, 6.1 and 7.1


@pytest.mark.parametrize("channels", range(1, 9))
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
def test_new_sound_keeps_rate_channels_and_length(tmp_path: Path, channels: int, rate: int) -> None:
    clip = tones(channels, rate, 2.0)
    assert write(tmp_path / "a.mp4", clip, 2.0) == ()
    back = read_audio(tmp_path / "a.mp4")
    assert (back.rate, back.samples.shape) == (rate, clip.samples.shape)
    for channel in set(range(channels)) - LOW_PASSED.get(channels, set()):
        assert pitch(back.samples[channel, rate // 4 : -rate // 4], rate) == pytest.approx(50 + 13 * channel, abs=1.0)


@pytest.mark.parametrize("rate", AAC_RATES)
def test_every_aac_rate(tmp_path: Path, rate: int) -> None:
    clip = clicks(rate, 1.0, [0.2, 0.5, 0.55, 0.9])
    assert write(tmp_path / "a.mp4", clip, 1.0) == ()
    back = read_audio(tmp_path / "a.mp4")
    assert (back.rate, back.samples.shape[1]) == (rate, clip.samples.shape[1])
    assert abs(best_lag(back.samples[0], clip.samples[0])) <= rate // 1000 + 1  # the codec's delay is taken out


@pytest.mark.parametrize(
    ("rate", "channels", "form"),
    [
        (44100, 2, (44100, "stereo", 0)),
        (37800, 1, (44100, "mono", 1)),
        (192000, 6, (96000, "5.1", 1)),
        (5000, 8, (7350, "7.1", 1)),
        (48000, 9, (48000, "mono", 1)),
        (11000, 16, (11025, "mono", 2)),
    ],
)
def test_what_aac_has(rate: int, channels: int, form: tuple[int, str, int]) -> None:
    possible, layout, notes = aac_form(rate, channels)
    assert (possible, layout, len(notes)) == form


@pytest.mark.parametrize(("rate", "channels"), [(37800, 2), (5512, 1), (192000, 1), (48000, 12)])
def test_sound_that_aac_has_not_keeps_its_length_and_pitch(tmp_path: Path, rate: int, channels: int) -> None:
    clip = tones(channels, rate, 2.0)
    notes = write(tmp_path / "a.mp4", clip, 2.0)
    assert notes
    back = read_audio(tmp_path / "a.mp4")
    assert back.seconds == pytest.approx(2.0, abs=0.002)
    if channels < 9:
        assert pitch(back.samples[0, back.rate // 4 : -back.rate // 4], back.rate) == pytest.approx(50, abs=1)


@pytest.mark.parametrize(("sound_seconds", "video_seconds"), [(3.0, 1.0), (1.0, 3.0), (0.3, 1.0), (1.05, 1.0)])
def test_sound_ends_with_the_timeline_or_before(tmp_path: Path, sound_seconds: float, video_seconds: float) -> None:
    write(tmp_path / "a.mp4", tones(1, 16000, sound_seconds), video_seconds)
    seconds = min(sound_seconds, video_seconds)
    assert read_audio(tmp_path / "a.mp4").seconds == pytest.approx(seconds, abs=1 / 16000)
    assert open_video(tmp_path / "a.mp4").clock.duration == video_seconds


@pytest.mark.parametrize("flash", [0, 30, 95])
def test_a_click_stays_with_its_flash(tmp_path: Path, flash: int) -> None:
    write(tmp_path / "a.mp4", clicks(44100, 4.0, [flash / 25]), 4.0, flash)
    seen = flash_in(open_video(tmp_path / "a.mp4"))
    sound = read_audio(tmp_path / "a.mp4")
    assert abs(first_loud(sound.samples, sound.rate) - seen) < 0.003


def test_long_sound_is_encoded_piece_by_piece(tmp_path: Path) -> None:
    """From a file on disk, and never more than a second of it at once."""
    samples = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.float32, (2, 40 * 48000))
    samples[:] = tones(2, 48000, 40).samples
    write(tmp_path / "a.mp4", AudioClip(samples, 48000), 40)
    assert read_audio(tmp_path / "a.mp4").samples.shape == (2, 40 * 48000)


def test_sound_is_muxed_beside_the_pictures(tmp_path: Path) -> None:
    """In the file, no packet is far from the packets of its time: a player need not wait, nor memory hold them."""
    write(tmp_path / "a.mp4", tones(2, 48000, 20), 20)
    with av.open(str(tmp_path / "a.mp4")) as container:
        found = [packet for packet in container.demux() if packet.size]
        times = sorted((int(p.pos or 0), float(int(p.pts or 0) * p.time_base), p.stream.type) for p in found)
    latest = {"audio": 0.0, "video": 0.0}
    for _, second, kind in times:
        latest[kind] = max(latest[kind], second)
        assert abs(latest["audio"] - latest["video"]) < 2.5


def test_samples_that_are_no_numbers(tmp_path: Path) -> None:
    clip = tones(1, 16000, 2.0)
    clip.samples[0, 20000] = np.nan
    with pytest.raises(InputError, match="NaN"):
        write(tmp_path / "a.mp4", clip, 2.0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("start", "duration"), [(0, 0), (0.25, 0.5), (1.9, 0), (0, 1.0)])
def test_reading_a_part(tmp_path: Path, start: float, duration: float) -> None:
    clip = tones(2, 16000, 2.0)
    write(tmp_path / "a.mp4", clip, 2.0)
    part = read_audio(tmp_path / "a.mp4", start, duration)
    expected = clip.samples[:, round(start * 16000) :][:, : round(duration * 16000) or None]
    assert part.samples.shape == expected.shape
    assert np.abs(part.samples - expected)[:, 200:-200].mean() < 0.02


def test_no_sound_to_read(make_clip: Callable[..., Path]) -> None:
    with pytest.raises(MediaError, match="none in the wanted part"):
        read_audio(make_clip())
