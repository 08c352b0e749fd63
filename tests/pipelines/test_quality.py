"""The quality report of clips made to have each flaw, and of a real draft result."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import portrait_clip
import pytest
import torch
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import SpeakerFaces
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.engines.draft import DraftEngine
from lipsync_studio.pipelines.lipsync import find_speaker, lip_sync_images
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.media.sound import read_audio
from lipsync_studio.pipelines.plan import LipSyncSettings
from lipsync_studio.pipelines.quality import Comparison, Measures, compare
from scipy import ndimage
from torch import Tensor

SIDE, COUNT = 192, 12
SPEECH = Path(__file__).resolve().parents[2] / "workflows" / "inputs" / "speech.flac"


@lru_cache
def source() -> ImageClip:
    """The portrait swaying, with a cutaway in the middle."""
    frames = [portrait_clip.picture(number, SIDE, faceless=number in (5, 6)) for number in range(COUNT)]
    return ImageClip(torch.from_numpy(np.stack(frames).astype(np.float32) / 255), Fraction(25))


@lru_cache
def faces() -> SpeakerFaces:
    return find_speaker(source(), PlainHost())


def mouth_mask() -> Tensor:
    """[COUNT, SIDE, SIDE]: 1 on a rectangle over the mouth; nothing in the cutaway."""
    mask = torch.zeros(COUNT, SIDE, SIDE)
    found = faces().found
    for frame, points in zip(found.frames, found.landmarks, strict=True):
        (x0, y0), (x1, y1) = points[48:68].min(axis=0).astype(int) - 8, points[48:68].max(axis=0).astype(int) + 8
        mask[frame, y0:y1, x0:x1] = 1
    return mask


def told(tmp_path: Path, images: Tensor, **given: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Comparison
    result = ImageClip(images, Fraction(25))
    return json.loads(compare(Comparison(source(), result, faces(), **given), tmp_path / "preview.mp4", PlainHost()))


def test_a_clip_beside_itself_has_no_flaw(tmp_path: Path) -> None:
    report = told(tmp_path, source().images.clone(), masks=mouth_mask())
    assert report["outside"] == {"mean": 0.0, "largest": 0.0, "changed": 0.0}
    assert report["sharpness"] == {"mouth": 1.0, "around": 1.0}
    assert report["flicker"]["ratio"] in (1.0, None)
    assert report["seam"] == 0
    assert report["frames"] == COUNT
    assert report["frames_with_speaker"] == COUNT - 2
    assert report["compared"] == "all bits of the images"
    assert "no audio is connected" in report["lips_and_sound"]["not_measured"]


def test_what_is_changed_outside_the_mask_is_seen_to_the_last_bit(tmp_path: Path) -> None:
    changed = source().images.clone()
    changed[5, 3, 4, 1] += 2**-20  # in the cutaway
    report = told(tmp_path, changed, masks=mouth_mask())
    assert 0 < report["outside"]["largest"] < 0.001
    inside = torch.where(mouth_mask()[..., None] > 0, torch.zeros(()), source().images)
    assert told(tmp_path, inside, masks=mouth_mask())["outside"]["largest"] == 0


def test_without_a_mask_the_face_is_left_out(tmp_path: Path) -> None:
    changed = torch.where(mouth_mask()[..., None] > 0, torch.zeros(()), source().images)
    report = told(tmp_path, changed)
    assert report["outside"]["largest"] == 0
    assert report["outside_of"].startswith("the crop around the face")
    changed[0, :4] = 0
    assert told(tmp_path, changed)["outside"]["largest"] > 10


def test_a_soft_mouth_is_less_sharp_than_the_skin_around_it(tmp_path: Path) -> None:
    soft = torch.from_numpy(ndimage.gaussian_filter(source().images.numpy(), (0, 1.5, 1.5, 0)))
    report = told(tmp_path, torch.where(mouth_mask()[..., None] > 0, soft, source().images), masks=mouth_mask())
    assert report["sharpness"]["mouth"] < 0.6
    assert report["sharpness"]["mouth"] < report["sharpness"]["around"]


def test_a_mouth_that_alternates_flickers(tmp_path: Path) -> None:
    light = torch.tensor([0.08 * (-1) ** number for number in range(COUNT)])[:, None, None]
    alternating = source().images + (mouth_mask() * light)[..., None]
    report, same = (told(tmp_path, images, masks=mouth_mask()) for images in (alternating, source().images))
    assert report["flicker"]["result"] > 3 * same["flicker"]["result"]
    assert report["flicker"]["result"] > 15
    assert report["seam"] > 5 * same["seam"]


def test_the_preview_shows_source_result_and_mask(tmp_path: Path) -> None:
    told(tmp_path, source().images * 0.5, masks=mouth_mask())
    with av.open(str(tmp_path / "preview.mp4")) as file:
        assert file.streams.video[0].average_rate == 25
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == COUNT
    left, middle, right = (frames[0][28:, at : at + SIDE].astype(float) for at in (0, SIDE + 4, 2 * SIDE + 8))
    np.testing.assert_allclose(left.mean() / 255, float(source().images[0].mean()), atol=0.02)
    np.testing.assert_allclose(middle.mean() / 255, float(source().images[0].mean()) / 2, atol=0.02)
    np.testing.assert_allclose(right.mean() / 255, float(mouth_mask()[0].mean()), atol=0.02)
    assert frames[5][28:, 2 * SIDE + 8 :].max() < 40  # nothing is repainted in the cutaway


def test_a_video_is_compared_with_its_source_as_it_was_encoded(tmp_path: Path) -> None:
    paths = [
        portrait_clip.write(tmp_path / f"{name}.mp4", COUNT, side=SIDE, sound_seconds=0.48) for name in ("one", "two")
    ]
    before, after = (open_video(path) for path in paths)
    given = Comparison(before, after, find_speaker(before, PlainHost()), audio=read_audio(paths[1]))
    report = json.loads(compare(given, tmp_path / "preview.mp4", PlainHost()))
    assert report["compared"] == "8 bits"
    assert report["outside"]["largest"] == 0
    with av.open(str(tmp_path / "preview.mp4")) as file:
        assert sum(frame.samples for frame in file.decode(audio=0)) > 0


@pytest.fixture(scope="module")
def spoken() -> tuple[ImageClip, ImageClip, Tensor, AudioClip]:
    """A still of the portrait, three seconds of what the draft engine makes of it, its masks, and the speech."""
    still = ImageClip(torch.from_numpy(portrait_clip.picture(0, 256).astype(np.float32)[None] / 255), Fraction(25))
    whole = read_audio(SPEECH, 3.0, 3.0)
    host = PlainHost()
    images, masks, _ = lip_sync_images(still, find_speaker(still, host), whole, DraftEngine(), LipSyncSettings(), host)
    return still, ImageClip(images, Fraction(25)), masks, whole


@pytest.mark.parametrize("late", [0, 4])
def test_the_mouth_of_a_result_follows_its_sound(
    tmp_path: Path, spoken: tuple[ImageClip, ImageClip, Tensor, AudioClip], late: int
) -> None:
    """And where the sound is moved by k frames, the lag that is found moves by -k."""
    still, result, masks, audio = spoken
    silence = np.zeros((len(audio.samples), round(late / 25 * audio.rate)), np.float32)
    moved = replace(audio, samples=np.concatenate([silence, audio.samples], axis=1))
    given = Comparison(still, result, find_speaker(still, PlainHost()), masks, moved)
    report = json.loads(compare(given, tmp_path / "preview.mp4", PlainHost()))
    found = report["lips_and_sound"]
    assert found["correlation"] > 0.6
    assert abs(found["lag_frames"] + late) <= 1
    assert found["lag_ms"] == pytest.approx(40 * found["lag_frames"])
    assert report["outside"] == {"mean": 0.0, "largest": 0.0, "changed": 0.0}
    assert report["flicker"]["ratio"] is None  # the source is still


def test_identity_is_measured_where_its_network_is(tmp_path: Path) -> None:
    """With the mean colour in place of what SFace knows."""

    def colour(aligned: Tensor) -> Tensor:
        return torch.nn.functional.normalize(aligned.mean(dim=(1, 2)))

    same = told(tmp_path, source().images.clone(), sface=colour)["identity"]
    assert same == {"mean": pytest.approx(1), "least": pytest.approx(1), "frames": 1, "same_person_from": 0.363}
    green = told(tmp_path, source().images * torch.tensor([0.2, 1, 0.2]), sface=colour)["identity"]
    assert green["mean"] < 0.9


def test_identity_is_looked_at_however_late_the_speaker_comes(tmp_path: Path) -> None:
    late = ImageClip(source().images[5:], Fraction(25))  # two frames of the cutaway first
    given = Comparison(late, late, find_speaker(late, PlainHost()), sface=lambda faces: faces.mean(dim=(1, 2)))  # type: ignore[arg-type]
    report = json.loads(compare(given, tmp_path / "preview.mp4", PlainHost()))
    assert report["identity"]["frames"] == 1


def test_where_a_loop_begins_again_nothing_flickers(tmp_path: Path) -> None:
    """A still picture that grows lighter to the end of each turn; the jump back would make it about 8."""
    still = source().images[:1].expand(COUNT, -1, -1, -1)
    lighter = ImageClip(still * torch.linspace(0.5, 1, COUNT)[:, None, None, None], Fraction(25))
    result = ImageClip(lighter.images.repeat(2, 1, 1, 1), Fraction(25))
    given = Comparison(lighter, result, find_speaker(lighter, PlainHost()), audio_longer="loop")
    report = json.loads(compare(given, tmp_path / "preview.mp4", PlainHost()))
    assert report["flicker"]["result"] < 2


def test_pictures_that_are_no_numbers_are_not_called_equal(tmp_path: Path) -> None:
    broken = source().images.clone()
    broken[5, 3, 4, 1] = torch.nan
    outside = told(tmp_path, broken, masks=mouth_mask())["outside"]
    assert outside["mean"] is None
    assert outside["largest"] is None
    assert outside["changed"] > 0


def test_no_preview_is_left_when_the_report_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Measures) -> str:
        raise ValueError("no report")

    monkeypatch.setattr(Measures, "report", fails)
    with pytest.raises(ValueError, match="no report"):
        told(tmp_path, source().images)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_belong_together_is_refused() -> None:
    small = ImageClip(source().images[:, ::2], Fraction(25))
    with pytest.raises(InputError, match="a result as large as its source"):
        Comparison(source(), small, faces())
    with pytest.raises(InputError, match="faces that were found on this very clip"):
        Comparison(ImageClip(source().images[1:], Fraction(25)), source(), faces())
    with pytest.raises(InputError, match=f"one mask or {COUNT} masks"):
        Comparison(source(), source(), faces(), masks=torch.zeros(2, SIDE, SIDE))
