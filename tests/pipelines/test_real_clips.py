"""The whole pipeline on filmed people, with two cutaways cut in."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from lipsync_studio.pipelines.blending.parsing import FaceParsing
from lipsync_studio.pipelines.core.errors import NoFaceError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import LengthPolicy
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings
from lipsync_studio.pipelines.engines.draft import DraftEngine
from lipsync_studio.pipelines.faces.speaker import speaker_track
from lipsync_studio.pipelines.lipsync import find_speaker, lip_sync_images, lip_sync_video
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.media.sound import read_audio
from lipsync_studio.pipelines.plan import LipSyncSettings
from lipsync_studio.pipelines.weights.loaders import load_face_parser
from numpy.typing import NDArray

WIDTH, HEIGHT = 352, 608
RATE = Fraction(30000, 1001)
# (file, frames): a face, a cutaway, the face again, a cutaway, the face to the end
PARTS = (
    ("yongen.mp4", 18),
    ("clips/no_face.mp4", 12),
    ("yongen.mp4", 12),
    ("clips/no_face.mp4", 10),
    ("yongen.mp4", 12),
)
COUNT = 64
FACELESS = [*range(18, 30), *range(42, 52)]


def frames_of(path: Path, count: int) -> Iterator[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        for frame in islice(container.decode(video=0), count):
            yield frame.to_ndarray(format="rgb24", width=WIDTH, height=HEIGHT)


@pytest.fixture(scope="module")
def cut_clip(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "two_cutaways.mp4"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE, options={"crf": "14", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for name, count in PARTS:
            for pixels in frames_of(shared / "media" / name, count):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        output.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def speech(shared: Path) -> AudioClip:
    return read_audio(shared / "media" / "eng.wav", duration=COUNT / float(RATE))


def rgb(path: Path) -> NDArray[np.float32]:
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(np.float32)


def test_video_with_two_cutaways(cut_clip: Path, speech: AudioClip, tmp_path: Path) -> None:
    clip = open_video(cut_clip)
    faces = find_speaker(clip, PlainHost())
    assert np.flatnonzero(~speaker_track(faces).present).tolist() == FACELESS
    assert faces.found.shot[[17, 18, 29, 30, 41, 42, 51, 52]].tolist() == [0, 1, 1, 2, 2, 3, 3, 4]
    path = tmp_path / "result.mp4"
    report = lip_sync_video(
        clip, faces, speech, DraftEngine(), LipSyncSettings(), path, EncodeSettings(crf=8), speech, PlainHost()
    )
    assert [index for index, fate in enumerate(report.fates) if fate == "no face"] == FACELESS
    assert [index for index, fate in enumerate(report.fates) if fate == "synced"] == sorted(
        set(range(COUNT)) - set(FACELESS)
    )
    assert open_video(path).clock.seconds.tolist() == pytest.approx(clip.clock.seconds.tolist(), abs=1e-9)
    change = np.abs(rgb(path) - rgb(cut_clip))
    assert change[FACELESS].mean(axis=(1, 2, 3)).max() < 1.5  # what crf 8 loses
    upper = slice(0, HEIGHT // 5)
    assert change[:, upper].mean(axis=(1, 2, 3)).max() < 1.5


def test_images_with_two_cutaways_are_bit_identical_outside_the_mask(cut_clip: Path, speech: AudioClip) -> None:
    clip = ImageClip(torch.from_numpy(rgb(cut_clip) / 255), RATE)
    before = clip.images.clone()
    faces = find_speaker(clip, PlainHost())
    images, masks, report = lip_sync_images(clip, faces, speech, DraftEngine(), LipSyncSettings(), PlainHost())
    assert torch.equal(clip.images, before)
    assert torch.equal(images[FACELESS], before[FACELESS])
    assert torch.equal(images[masks == 0], before[masks == 0])
    painted = sorted(set(range(COUNT)) - set(FACELESS))
    assert (masks[painted].amax(dim=(1, 2)) > 0.999).all()
    assert report.summary() == "Draft: checks timing, not looks: 42 of 64 frames synced, 22 no face"


def test_a_clip_without_any_face_is_refused(shared: Path) -> None:
    with pytest.raises(NoFaceError, match="a face in at least one frame"):
        find_speaker(open_video(shared / "media" / "clips" / "no_face.mp4", duration=1.0), PlainHost())


@pytest.mark.parametrize(
    "name", ["WolfgangLanger_Pexels.mp4", "vret_face_1.mp4", "short_hamilton_clip.mp4", "face_noface.mov"]
)
def test_any_rate_and_container_keeps_its_frames_and_times(
    name: str, shared: Path, speech: AudioClip, tmp_path: Path
) -> None:
    clip = open_video(shared / "media" / "clips" / name, duration=1.2)
    faces = find_speaker(clip, PlainHost())
    path = tmp_path / "result.mp4"
    report = lip_sync_video(
        clip,
        faces,
        speech,
        DraftEngine(),
        LipSyncSettings(),
        path,
        EncodeSettings(preset="ultrafast"),
        None,
        PlainHost(),
    )
    source = clip.clock.seconds
    result = open_video(path).clock.seconds
    assert result[: len(source)].tolist() == pytest.approx(source.tolist(), abs=1e-9)
    assert len(result) == len(report.fates)


def test_the_parsed_mask_on_a_real_face(cut_clip: Path, speech: AudioClip, shared: Path) -> None:
    """With the real BiSeNet: mouth and chin are replaced, eyes and background are not, faceless frames stay."""
    clip = ImageClip(torch.from_numpy(rgb(cut_clip)[14:22] / 255), RATE)
    parsing = FaceParsing(load_face_parser(shared / "weights" / "79999_iter.pth"))
    faces = find_speaker(clip, PlainHost())
    track = speaker_track(faces)
    present = track.present
    assert present.tolist() == [True] * 4 + [False] * 4
    settings = LipSyncSettings(LengthPolicy(audio_longer="stop"), shape=parsing)
    images, masks, _ = lip_sync_images(clip, faces, speech, DraftEngine(), settings, PlainHost())
    assert torch.equal(images[masks == 0], clip.images[masks == 0])
    assert not masks[~present].any()
    for mask, points in zip(masks[present], track.landmarks[present], strict=True):
        spots = [points[48:].mean(0), points[8] - [0, 6], points[36:42].mean(0), points[42:48].mean(0), (5.0, 5.0)]
        mouth, chin, *kept = [float(mask[round(y), round(x)]) for x, y in spots]
        assert (mouth, chin) == pytest.approx((1, 1), abs=0.05)
        assert kept == [0, 0, 0]
