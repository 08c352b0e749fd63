"""Lyrics over whole clips: every frame at its own place and time, and nothing changed beside the text."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import portrait_clip
import pytest
import torch
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.core.types import EncodeSettings, Rect
from lipsync_studio.pipelines.lyric_video import lyric_frames, overlay_images, overlay_video
from lipsync_studio.pipelines.lyrics.overlay.compose import Overlay
from lipsync_studio.pipelines.lyrics.overlay.style import OverlayStyle
from lipsync_studio.pipelines.media.decode import VideoClip, open_video
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.media.sound import read_audio
from lipsync_studio.pipelines.media.yuv_picture import YuvPicture
from numpy.typing import NDArray

SIDE = 128
STYLE = OverlayStyle(size=0.15, lead_in=0.0, linger=0.0, fade=0.0, lines=1)
ENCODE = EncodeSettings(preset="ultrafast", crf=12)


def song(*times: tuple[float, float]) -> Timings:
    """One word a line."""
    return Timings(tuple(Line.of((Word("Hello", start, end),)) for start, end in times))


def images(count: int) -> ImageClip:
    random = torch.Generator().manual_seed(3)
    return ImageClip(torch.rand((count, SIDE, SIDE, 3), generator=random), Fraction(25))


def whole(clip: VideoClip) -> list[NDArray[np.float32]]:
    pictures = (picture for chunk in clip.read([np.arange(len(clip.clock))]) for picture in chunk.pictures)
    return [picture.crop(Rect(0, 0, SIDE, SIDE)).numpy() for picture in pictures]


def samples(picture: YuvPicture) -> list[bytes]:
    return [bytes(plane) for plane in picture.frame.planes]


def test_images_without_text_are_the_same_bits_and_text_stays_in_its_region() -> None:
    clip = images(20)
    before = clip.images.clone()
    result, notes = overlay_images(clip, song((0.2, 0.4)), STYLE, PlainHost())
    assert notes == ()
    assert result.shape == before.shape
    assert torch.equal(clip.images, before)
    overlay = Overlay(song((0.2, 0.4)), STYLE, SIDE, SIDE)
    for index in range(20):
        patch = overlay.at(index / 25)
        assert (patch is not None) == (5 <= index < 10)
        changed = result[index] != before[index]
        if patch is None:
            assert not changed.any()
        else:
            rect = patch.rect
            inside = changed[rect.y0 : rect.y1, rect.x0 : rect.x1]
            assert int(inside.sum()) == int(changed.sum()) > 500
            assert float((result[index] - before[index]).abs().max()) > 0.5


def test_where_no_letter_is_images_keep_their_values_inside_the_region_too() -> None:
    clip = images(1)
    style = OverlayStyle(size=0.15, lead_in=0.0, fade=0.0, stroke=0, shadow=0)
    result, _ = overlay_images(clip, song((0, 1)), style, PlainHost())
    patch = Overlay(song((0, 1)), style, SIDE, SIDE).at(0)
    assert patch is not None
    rect = patch.rect
    part = slice(rect.y0, rect.y1), slice(rect.x0, rect.x1)
    empty = torch.from_numpy(patch.alpha < 1e-6)
    assert empty.any()
    assert torch.equal(result[0][part][empty], clip.images[0][part][empty])


def test_the_fourth_channel_is_kept() -> None:
    clip = ImageClip(torch.rand((3, SIDE, SIDE, 4)), Fraction(25))
    result, _ = overlay_images(clip, song((0, 1)), STYLE, PlainHost())
    assert torch.equal(result[..., 3], clip.images[..., 3])


def test_frames_of_a_video_without_text_are_the_same_samples(tmp_path: Path) -> None:
    clip = open_video(portrait_clip.write(tmp_path / "clip.mp4", 12, side=SIDE))
    overlay = Overlay(song((0.16, 0.32)), STYLE, SIDE, SIDE)
    originals = [picture for chunk in clip.read([np.arange(12)]) for picture in chunk.pictures]
    laid = list(lyric_frames(clip, overlay, PlainHost()))
    same = [samples(before) == samples(after) for before, after in zip(originals, laid, strict=True)]
    assert same == [not 4 <= index < 8 for index in range(12)]


def test_colour_changes_at_the_edges_of_letters_too(tmp_path: Path) -> None:
    """Of thin white letters on red, no pixel that is fully covered stays red, although 4:2:0 shares its colours."""
    with av.open(str(tmp_path / "red.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "0"})
        stream.width = stream.height = SIDE
        red = np.broadcast_to(np.array([230, 20, 20], np.uint8), (SIDE, SIDE, 3)).copy()
        output.mux(stream.encode(av.VideoFrame.from_ndarray(red, "rgb24")))
        output.mux(stream.encode())
    style = OverlayStyle(size=0.2, stroke=0, shadow=0, lead_in=0, fade=0, highlight="none")
    overlay = Overlay(Timings((Line("MWH", 0, 1),)), style, SIDE, SIDE)
    (picture,) = lyric_frames(open_video(tmp_path / "red.mp4"), overlay, PlainHost())
    patch = overlay.at(0)
    assert patch is not None
    rgb = picture.crop(patch.rect).numpy()
    covered = patch.alpha > 0.999
    assert covered.sum() > 100
    redness = (rgb[..., 0] - rgb[..., 1])[covered]
    assert redness.mean() < 0.06  # 0.035; without the hem around the letters 0.085, and beside them 0.82


def test_a_video_keeps_its_frames_its_times_and_its_sound(tmp_path: Path) -> None:
    clip = open_video(portrait_clip.write(tmp_path / "clip.mp4", 30, side=SIDE, sound_seconds=1.2))
    notes = overlay_video(clip, song((0.2, 0.4)), STYLE, tmp_path / "o.mp4", ENCODE, clip.sound, PlainHost())
    result = open_video(tmp_path / "o.mp4")
    assert notes == ()
    assert result.clock.seconds == pytest.approx(clip.clock.seconds)
    assert read_audio(tmp_path / "o.mp4").seconds == pytest.approx(1.2, abs=0.05)
    white = [float((picture > 0.9).all(axis=2).mean()) for picture in whole(result)]
    plain = [float((picture > 0.9).all(axis=2).mean()) for picture in whole(clip)]
    shown = [after > before + 0.005 for before, after in zip(plain, white, strict=True)]
    assert shown[5]  # before the wipe has filled the word
    assert not any(shown[:5] + shown[10:])


def test_frames_of_a_variable_rate_are_overlaid_at_their_own_times(tmp_path: Path) -> None:
    path = tmp_path / "variable.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width = stream.height = SIDE
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate((0, 100, 130, 500, 520, 900)):
            frame = av.VideoFrame.from_ndarray(portrait_clip.picture(number, SIDE, False), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    clip = open_video(path)
    overlay = Overlay(song((0.12, 0.51)), STYLE, SIDE, SIDE)
    originals = [picture for chunk in clip.read([np.arange(6)]) for picture in chunk.pictures]
    laid = list(lyric_frames(clip, overlay, PlainHost()))
    changed = [samples(before) != samples(after) for before, after in zip(originals, laid, strict=True)]
    assert changed == [False, False, True, True, False, False]


def test_text_after_the_clips_end_is_not_shown_and_said(tmp_path: Path) -> None:
    clip = open_video(portrait_clip.write(tmp_path / "clip.mp4", 5, side=SIDE))
    timings = song((0.1, 9.0), (0.12, 3.0), (5.0, 6.0))
    notes = overlay_video(clip, timings, STYLE, tmp_path / "o.mp4", ENCODE, None, PlainHost())
    assert len(open_video(tmp_path / "o.mp4").clock) == 5
    assert notes == ("1 of 3 lines begin after the clip's end (0.20 s).",)


def test_images_become_a_video_too(tmp_path: Path) -> None:
    overlay_video(images(4), song((0, 1)), STYLE, tmp_path / "o.mp4", ENCODE, None, PlainHost())
    assert len(open_video(tmp_path / "o.mp4").clock) == 4


class Stop(BaseException):
    """What a host raises when the user stops a run."""


class StoppingHost(PlainHost):
    """Is stopped after the first frames."""

    def __init__(self) -> None:
        self._stopped = False

    def progress(self, done: int, total: int, text: str) -> None:
        self._stopped = True

    def check_interrupt(self) -> None:
        if self._stopped:
            raise Stop


def test_a_stopped_run_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Stop):
        overlay_video(images(40), song((0, 1)), STYLE, tmp_path / "o.mp4", ENCODE, None, StoppingHost())
    assert list(tmp_path.iterdir()) == []


class SmallHost(PlainHost):
    def free_memory(self) -> int:
        return 1000


def test_images_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="Lyric Overlay"):
        overlay_images(images(2), song((0, 1)), STYLE, SmallHost())
