"""What every engine keeps to, by itself and in the pipeline. To add an engine: a row in `ENGINES`.

The networks are small or stand-ins: what they see and give is asserted in each engine's own tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import comfy.ops
import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import FaceBatch
from lipsync_studio.pipelines.engines.base import Engine
from lipsync_studio.pipelines.engines.draft import DraftEngine
from lipsync_studio.pipelines.engines.latentsync.engine import LatentSyncEngine, LatentSyncSettings
from lipsync_studio.pipelines.engines.musetalk.engine import MuseTalkEngine
from lipsync_studio.pipelines.engines.wav2lip.engine import Wav2LipEngine
from lipsync_studio.pipelines.lipsync import lip_sync_images
from lipsync_studio.pipelines.networks.latentsync_net import LatentSyncNet
from lipsync_studio.pipelines.networks.latentsync_unet import LatentSyncUNet
from lipsync_studio.pipelines.plan import LipSyncSettings
from stamp_engine import HEIGHT, WIDTH, clip_of, face_landmarks, faces_at, tone
from stand_in_vae import StandInVAE
from torch import Tensor

LATENTSYNC_CHANNELS = (32, 32, 32, 32)
BLOCK = 2


class StoppedError(Exception):
    """In place of ComfyUI's own, when the user presses stop."""


class BoundedVAE(StandInVAE):
    """Gives pictures within 0-1, as ComfyUI's VAE does."""

    def decode(self, samples_in: Tensor) -> Tensor:
        return super().decode(samples_in).clamp(0, 1)


class StoppedVAE(BoundedVAE):
    """ComfyUI raises its exception out of any network."""

    def encode(self, pixel_samples: Tensor) -> Tensor:
        raise StoppedError


def silence(mel: Tensor) -> Tensor:
    return torch.zeros(1500, 5, 384)


def draft(vae: StandInVAE) -> Engine:
    return DraftEngine()


def musetalk(vae: StandInVAE) -> Engine:
    return MuseTalkEngine(
        lambda latents, heard: latents[:, 4:] * (1 + heard.mean(dim=(1, 2))[:, None, None, None]),
        vae,
        silence,
        block=BLOCK,
    )


def latentsync(vae: StandInVAE) -> Engine:
    """With a UNet of the real layout, narrow, and seeded weights."""
    with torch.device("meta"):
        network = LatentSyncNet(comfy.ops.disable_weight_init, channels=LATENTSYNC_CHANNELS)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    unet = LatentSyncUNet(seeded_checkpoints.seeded(shapes), "seeded", channels=LATENTSYNC_CHANNELS)
    return LatentSyncEngine(unet, vae, silence, LatentSyncSettings(steps=1, guidance=1), block=BLOCK)


def wav2lip(vae: StandInVAE) -> Engine:
    return Wav2LipEngine(
        lambda faces, heard: faces[:, 3:] * (1 - heard.mean(dim=(1, 2))[:, None, None, None]).clamp(0, 1), block=BLOCK
    )


@dataclass(frozen=True)
class Case:
    """make: the engine around a VAE, if it takes one. heard: shape of an audio window."""

    make: Callable[[StandInVAE], Engine]
    heard: tuple[int, ...]
    takes_vae: bool = True


ENGINES = {
    "draft": Case(draft, (2,), takes_vae=False),
    "musetalk": Case(musetalk, (50, 384)),
    "latentsync": Case(latentsync, (50, 384)),
    "wav2lip": Case(wav2lip, (80, 16), takes_vae=False),
}


@pytest.fixture(scope="module", params=ENGINES)
def case(request: pytest.FixtureRequest) -> Case:
    return ENGINES[request.param]


@pytest.fixture(scope="module")
def engine(case: Case) -> Engine:
    return case.make(BoundedVAE())


def batch(case: Case, engine: Engine, indices: list[int]) -> FaceBatch:
    """Faces that differ from frame to frame, saying something."""
    side, count = engine.spec.crop_sides[0], len(indices)
    crops = np.stack([seeded.image(f"contract{index}", side, side) for index in indices]) / np.float32(255)
    shape = np.array([WIDTH, HEIGHT], np.float32)
    landmarks = np.stack([face_landmarks() * side / shape + index % 5 for index in indices])
    heard = torch.from_numpy(seeded.floats("contract", (count, *case.heard), 0.1)).abs()
    sizes = np.tile(shape, (count, 1))
    return FaceBatch(torch.from_numpy(crops), landmarks.astype(np.float32), heard, np.array(indices), sizes)


@pytest.mark.parametrize(
    "indices",
    [[0], [0, 1], [7, 6], [4, 4]],
    ids=["one frame", "a whole block", "backwards", "turning round"],
)
def test_as_many_pictures_come_back_as_like_those_that_went_in(case: Case, engine: Engine, indices: list[int]) -> None:
    given = batch(case, engine, indices)
    crops, landmarks, heard = given.crops.clone(), given.landmarks.copy(), given.heard.clone()
    painted = engine.start().paint(given)
    assert painted.shape == crops.shape
    assert (painted.dtype, painted.device.type) == (torch.float32, "cpu")
    assert not painted.requires_grad
    assert 0 <= painted.min() <= painted.max() <= 1
    assert not torch.equal(painted, crops)
    assert torch.equal(given.crops, crops)
    assert np.array_equal(given.landmarks, landmarks)
    assert torch.equal(given.heard, heard)


def test_another_run_gives_the_same(case: Case, engine: Engine) -> None:
    blocks = [batch(case, engine, indices) for indices in ([0, 1], [1])]
    first, second = (engine.start(), engine.start())
    for block in blocks:
        assert torch.equal(first.paint(block), second.paint(block))


@pytest.mark.parametrize(
    "case", [case for case in ENGINES.values() if case.takes_vae], ids=lambda case: case.make.__name__
)
def test_a_stop_inside_a_network_comes_through(case: Case) -> None:
    stopped = case.make(StoppedVAE())
    with pytest.raises(StoppedError):
        stopped.start().paint(batch(case, stopped, [0, 1]))


def test_only_faces_change_and_only_where_the_mask_says(engine: Engine) -> None:
    """A cutaway, a cut, an odd last block, and a clip that plays back and forth."""
    present = [True, True, True, True, True, False, True]
    clip = clip_of(len(present))
    before = clip.images.clone()
    images, masks, report = lip_sync_images(
        clip, faces_at(present, shots=[0, 0, 0, 0, 1, 1, 1]), tone(10 / 25), engine, LipSyncSettings(), PlainHost()
    )
    source = report.timeline.source.tolist()
    assert source == [0, 1, 2, 3, 4, 5, 6, 6, 5, 4]
    assert torch.equal(clip.images, before)
    for image, mask, index in zip(images, masks, source, strict=True):
        kept = mask == 0
        assert torch.equal(image[kept], before[index][kept])
        assert bool((~kept).any()) == present[index]
        assert torch.equal(image, before[index]) != present[index]


def test_the_user_can_stop_between_blocks(engine: Engine) -> None:
    class Impatient(PlainHost):
        done = 0

        def progress(self, done: int, total: int, text: str) -> None:
            self.done = done

        def check_interrupt(self) -> None:
            if self.done:
                raise StoppedError

    host, count = Impatient(), 3 * engine.spec.block
    with pytest.raises(StoppedError):
        lip_sync_images(clip_of(count), faces_at([True] * count), tone(count / 25), engine, LipSyncSettings(), host)
    assert host.done == engine.spec.block


def test_it_says_what_it_is(engine: Engine) -> None:
    spec = engine.spec
    assert spec.id == spec.id.lower()
    assert spec.label
    assert spec.commercial_use
    assert list(spec.crop_sides) == sorted(spec.crop_sides)
    assert spec.block > 0
