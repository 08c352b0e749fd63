"""The LatentSync engine: the reference's whole pipeline with stand-in networks, and what is special about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.audio.latentsync_windows import LatentSyncWindows
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import SpeakerFaces
from lipsync_studio.pipelines.core.types import AudioClip, FaceBatch
from lipsync_studio.pipelines.engines.latentsync.alignment import TEMPLATE
from lipsync_studio.pipelines.engines.latentsync.ddim import signal_left
from lipsync_studio.pipelines.engines.latentsync.engine import LatentSyncEngine, LatentSyncSettings
from lipsync_studio.pipelines.media.image_picture import ImageClip
from lipsync_studio.pipelines.networks.whisper_encoder import WhisperEncoder
from lipsync_studio.pipelines.plan import LipSyncSettings, plan_lip_sync
from made_up_faces import box_at, clip_faces
from numpy.typing import NDArray
from safetensors.torch import load_file
from stamp_engine import tone
from stand_in_vae import StandInVAE
from torch import Tensor
from whisper_of_goldens import latentsync_whisper

UNIT, CORNER = 0.7, (30, 20)  # px: where the face of `batch` lies upright

UNet = Callable[[Tensor, int, Tensor], Tensor]


def stand_in_unet(latents: Tensor, time: int, heard: Tensor) -> Tensor:
    """The golden's: noise that leads to a mixture of both latents, shifted by what is heard."""
    left = float(signal_left()[time])
    sound = 0.05 * torch.tanh(heard.mean(dim=(2, 3)))[:, None, :, None, None]
    target = 0.5 * latents[:, 9:13] + 0.3 * latents[:, 5:9] + 0.03 * latents[:, 4:5] + sound
    return (latents[:, :4] - left**0.5 * target) / (1 - left) ** 0.5 + 0.02 * latents[:, :4]


def engine(unet: UNet = stand_in_unet, **settings: int | float) -> LatentSyncEngine:
    chosen = LatentSyncSettings(**{"steps": 2, **settings})  # type: ignore[arg-type]
    return LatentSyncEngine(unet, StandInVAE(), lambda mel: torch.zeros(1500, 5, 384), chosen)


def landmarks_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n, 68, 2] whose brows and nose have their middles at points [n, 3, 2]."""
    landmarks = np.zeros((len(points), 68, 2), np.float32)
    for group, point in zip((slice(17, 22), slice(22, 27), slice(27, 36)), points.transpose(1, 0, 2), strict=True):
        landmarks[:, group] = point[:, None]
    return landmarks


def batch(count: int, side: int = 128, heard: float = 0.0, first: int = 0) -> FaceBatch:
    crops = seeded.image("latentsync", side, side)[None] / np.float32(255)
    points = (TEMPLATE * UNIT + CORNER).astype(np.float32)
    return FaceBatch(
        crops=torch.from_numpy(crops).float().expand(count, -1, -1, -1).contiguous(),
        landmarks=landmarks_of(np.tile(points, (count, 1, 1))),
        heard=torch.full((count, 50, 384), heard),
        indices=np.arange(first, first + count),
    )


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "latentsync_e2e.safetensors")


def batches_of_the_golden(golden: dict[str, Tensor], goldens: Path, encoder: WhisperEncoder) -> Iterator[FaceBatch]:
    """34 frames at 25 fps of a clip of nine, which plays forwards and backwards with doubled ends, 16 at a time."""
    samples = load_file(goldens / "latentsync_audio.safetensors")["c1.3.wave_i16"].numpy() / np.float32(32768)
    windows = LatentSyncWindows(AudioClip(samples[None].astype(np.float32), 16000), encoder.unnormalised)
    frames = np.stack([seeded.image(f"e2e_frame{number}", 150, 140) for number in range(9)]) / np.float32(255)
    groups = np.split(golden["lmk106_used"].numpy(), [5, 10], axis=1)
    points = np.stack([np.round(group.mean(axis=1)) for group in groups], axis=1).astype(np.float32)
    source = np.resize([*range(9), *reversed(range(9))], 34)
    for first in range(0, 34, 16):
        indices = source[first : first + 16]
        yield FaceBatch(
            crops=torch.from_numpy(frames[indices]),
            landmarks=landmarks_of(points[indices]),
            heard=windows.at(np.arange(first, first + len(indices)) / 25),
            indices=indices,
        )


def test_the_whole_pipeline_is_the_references(golden: dict[str, Tensor], goldens: Path) -> None:
    """At most 0.2 % of the bytes are off, by one, and the mean of each frame by 0.01: the golden's tolerance."""
    painter = LatentSyncEngine(
        stand_in_unet, StandInVAE(), lambda mel: mel, LatentSyncSettings(guidance=1.5, seed=7)
    ).start()
    assert torch.equal(painter._noise[None], golden["noise"])
    batches = batches_of_the_golden(golden, goldens, latentsync_whisper())
    painted = torch.cat([painter.paint(batch) for batch in batches])
    levels = (painted * 255).floor()
    off = (levels[golden["frames_idx"].long()] - golden["frames"].float()).abs()
    assert off.max() <= 1
    assert (off > 0).float().mean() < 0.002
    assert (levels.double().mean(dim=(1, 2, 3)) - golden["mean_per_frame"]).abs().max() < 0.01


def test_only_the_lower_face_is_made_anew() -> None:
    """Around it, inside the upright face, the crop was resampled twice; outside it is the crop, to the bit."""
    given = batch(2)
    painted = engine(lambda latents, time, heard: torch.randn_like(latents[:, :4])).start().paint(given)
    changed = (painted - given.crops).abs().amax(dim=(0, 3))
    left, top = CORNER
    face = torch.zeros(128, 128, dtype=torch.bool)
    face[top : top + int(100 * UNIT) + 2, left : left + int(75 * UNIT) + 2] = True
    anew = torch.zeros_like(face)
    anew[top + round(95 / 2.56 * UNIT) - 1 : top + round(243 / 2.56 * UNIT) + 2] = True
    assert not changed[~face].any()
    assert changed[face & ~anew].max() < 0.15
    assert changed[face & anew].mean() > 0.2


def test_the_sound_moves_the_mouth() -> None:
    silent, loud = (engine().start().paint(batch(2, heard=heard)) for heard in (0.0, 1.0))
    assert (silent - loud).abs().max() > 0.02


@pytest.mark.parametrize(("guidance", "clips"), [(1.0, 1), (1.5, 2)])
def test_guidance_compares_with_silence_and_off_takes_one_clip(guidance: float, clips: int) -> None:
    heard: list[Tensor] = []

    def unet(latents: Tensor, time: int, sound: Tensor) -> Tensor:
        assert latents.shape == (clips, 13, 2, 32, 32)
        heard.append(sound)
        return stand_in_unet(latents, time, sound)

    engine(unet, guidance=guidance).start().paint(batch(2, heard=1.0))
    assert len(heard) == 2
    assert [float(clip.mean()) for clip in heard[0]] == [0.0, 1.0][-clips:]


def test_the_seed_makes_the_noise_which_all_frames_share() -> None:
    starts: list[Tensor] = []

    def unet(latents: Tensor, time: int, heard: Tensor) -> Tensor:
        starts.append(latents[0, :4])
        return stand_in_unet(latents, time, heard)

    for seed in (1, 1, 2):
        engine(unet, seed=seed, steps=1).start().paint(batch(3))
    first, again, other = starts
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(first[:, 0], first[:, 2])


def test_a_crop_s_scale_changes_little() -> None:
    """The same picture as a crop of its own size, and enlarged twice: the same face is seen."""
    seen: list[Tensor] = []

    def unet(latents: Tensor, time: int, heard: Tensor) -> Tensor:
        seen.append(latents[0, 9:])
        return stand_in_unet(latents, time, heard)

    plain = batch(1)
    enlarged = torch.nn.functional.interpolate(plain.crops.movedim(-1, 1), scale_factor=2, mode="bilinear")
    larger = FaceBatch(
        crops=enlarged.movedim(1, -1).contiguous(),
        landmarks=plain.landmarks * 2,
        heard=plain.heard,
        indices=plain.indices,
        sizes=plain.sizes,
    )
    for given in (plain, larger):
        engine(unet, steps=1).start().paint(given)
    assert (seen[0] - seen[1]).abs().max() < 0.01


def test_spec() -> None:
    spec = LatentSyncEngine(stand_in_unet, StandInVAE(), lambda mel: mel, LatentSyncSettings(), "1.6", 8).spec
    assert (spec.id, spec.label, spec.hears, spec.block) == ("latentsync", "LatentSync 1.6", "latentsync windows", 8)
    assert [spec.side_for(side) for side in (100, 300, 900, 2000)] == [256, 512, 1024, 1024]
    assert [spec.painted_side(side) for side in (100, 900)] == [256, 256]
    assert engine().spec.label == "LatentSync"


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 1000}, {"resolution": 384}, {"deep_cache": 0}])
def test_settings_that_do_not_work_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(InputError):
        LatentSyncSettings(**wrong)  # type: ignore[arg-type]


def test_the_crop_holds_the_upright_face_where_the_picture_does() -> None:
    faces = clip_faces([(0, 0, box_at(500)), (1, 0, box_at(20, y=20))], shot=[0, 1])
    clip = ImageClip(torch.zeros(2, 800, 1000, 3), Fraction(25))
    plan = plan_lip_sync(clip, SpeakerFaces(faces), tone(0.08), engine(), LipSyncSettings())
    wanted = engine().spec.reach(faces.landmarks)  # type: ignore[misc]
    inner, corner = plan.crops.boxes
    assert (inner[:2] <= wanted[0, :2]).all()
    assert (inner[2:] >= wanted[0, 2:]).all()
    assert (corner[:2] == 0).all(), "the picture ends there"
    assert (corner[2:] >= wanted[1, 2:]).all()


def test_a_face_larger_than_it_paints_is_pointed_out() -> None:
    faces = clip_faces([(0, 0, box_at(500, side=400))], shot=[0])
    clip = ImageClip(torch.zeros(1, 800, 1000, 3), Fraction(25))
    for resolution, advised in ((256, True), (512, False)):
        chosen = engine(resolution=resolution)
        plan = plan_lip_sync(clip, SpeakerFaces(faces), tone(0.04), chosen, LipSyncSettings())
        assert plan.side >= 512
        assert any(f"paints {resolution} px" in note for note in plan.report.notes) == advised


def test_the_deep_cache_is_asked_for_each_block_and_only_if_wanted() -> None:
    made: list[int] = []

    class CountingUNet:
        def caching(self, interval: int) -> UNet:
            made.append(interval)
            return stand_in_unet

        def __call__(self, latents: Tensor, time: int, heard: Tensor) -> Tensor:
            made.append(1)
            return stand_in_unet(latents, time, heard)

    painter = engine(CountingUNet(), deep_cache=3).start()
    cached = [painter.paint(batch(2)), painter.paint(batch(2))]
    assert made == [3, 3]
    plain = engine(CountingUNet()).start()
    assert torch.equal(plain.paint(batch(2)), cached[0])
    assert made == [3, 3, 1, 1]
