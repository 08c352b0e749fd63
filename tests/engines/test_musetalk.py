"""The MuseTalk engine: what goes into its VAE and UNet, and what comes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import comfy.sd
import numpy as np
import pytest
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.types import FaceBatch
from lipsync_studio.pipelines.engines.musetalk.engine import MuseTalkEngine, face_latents
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


class StandInVAE:
    """The VAE the golden was made with: means of 8x8 pixels and of the channels; back by repeating pixels."""

    latent_channels = 4

    def __init__(self) -> None:
        self.encoded: list[int] = []

    def spacial_compression_encode(self) -> int:
        return 8

    def encode(self, pixel_samples: Tensor) -> Tensor:
        self.encoded.append(len(pixel_samples))
        pooled = avg_pool2d(pixel_samples.movedim(-1, 1) * 2 - 1, 8)
        return torch.cat([pooled, pooled.mean(dim=1, keepdim=True)], dim=1)

    def decode(self, samples_in: Tensor) -> Tensor:
        pixels = interpolate(samples_in[:, :3], scale_factor=4, mode="nearest")
        return (pixels / 2 + 0.5).clamp(0, 1).movedim(1, -1)


def whole_face(latents: Tensor, heard: Tensor) -> Tensor:
    """A UNet that gives the reference's latents back."""
    return latents[:, 4:]


def engine(unet: Callable[[Tensor, Tensor], Tensor], vae: StandInVAE | None = None) -> MuseTalkEngine:
    return MuseTalkEngine(unet, vae or StandInVAE(), hear=lambda mel: torch.zeros(1500, 5, 384))


def batch(crops: Tensor, indices: list[int] | None = None) -> FaceBatch:
    count = len(crops)
    return FaceBatch(
        crops=crops,
        landmarks=np.zeros((count, 68, 2), np.float32),
        heard=torch.arange(float(count))[:, None, None].expand(count, 50, 384),
        indices=np.array(indices if indices is not None else range(count)),
    )


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "latents.safetensors")


def rgb(bgr: Tensor) -> Tensor:
    return bgr.flip(-1).float() / 255


def test_the_unet_sees_the_reference_s_latents(golden: dict[str, Tensor]) -> None:
    latents = face_latents(StandInVAE(), rgb(golden["crop256_bgr"])[None])
    assert (latents - golden["unet_input"]).abs().max() < 1e-6


def test_the_picture_is_the_reference_s(golden: dict[str, Tensor]) -> None:
    painted = engine(lambda latents, heard: golden["dec_z"]).start().paint(batch(torch.rand(2, 256, 256, 3)))
    assert ((painted * 255).round() - rgb(golden["dec_bgr"]) * 255).abs().max() <= 1


def test_comfyui_s_vae_reads_the_released_file_and_gives_the_mean_the_reference_trained_on(goldens: Path) -> None:
    """The file has old names for attention; diffusers renames them when it reads the file, here they are renamed."""
    diffusers = pytest.importorskip("diffusers")
    state = seeded_checkpoints.seeded(seeded_checkpoints.shapes("sd_vae_ft_mse_hub"))
    with torch.device("meta"):
        theirs = diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512),
            layers_per_block=2,
        ).eval()
    theirs.load_state_dict({_new_name(key): value for key, value in state.items()}, assign=True)
    ours = comfy.sd.VAE(sd=dict(state))
    pixels = torch.rand(1, 64, 64, 3)
    with torch.no_grad():
        latents = ours.encode(pixels)
        wanted = theirs.encode(pixels.movedim(-1, 1) * 2 - 1).latent_dist.mode()
        back = theirs.decode(wanted).sample
        assert (latents - wanted).abs().max() < 1e-4
        assert (ours.decode(wanted) - (back / 2 + 0.5).clamp(0, 1).movedim(1, -1)).abs().max() < 1e-4
    assert (ours.latent_channels, ours.spacial_compression_encode()) == (4, 8)


def _new_name(key: str) -> str:
    for old, new in {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}.items():
        key = key.replace(old, new)
    return key


def test_masked_and_whole_faces_are_encoded_in_one_call_and_each_frame_once() -> None:
    crops = torch.rand(3, 256, 256, 3)[[2, 0, 0, 1, 2]]
    vae = StandInVAE()
    seen: list[Tensor] = []

    def unet(latents: Tensor, heard: Tensor) -> Tensor:
        seen.extend([latents, heard])
        return latents[:, 4:]

    given = batch(crops, indices=[30, 10, 10, 20, 30])
    engine(unet, vae).start().paint(given)
    assert vae.encoded == [2 * 3]
    assert torch.equal(seen[0], face_latents(StandInVAE(), crops))
    assert torch.equal(seen[1], given.heard)


def test_a_face_that_is_shown_again_is_not_encoded_again() -> None:
    crops = torch.rand(4, 256, 256, 3)
    vae = StandInVAE()
    seen: list[Tensor] = []

    def unet(latents: Tensor, heard: Tensor) -> Tensor:
        seen.append(latents)
        return latents[:, 4:]

    painter = engine(unet, vae).start()
    painter.paint(batch(crops[:3], indices=[0, 1, 2]))
    painter.paint(batch(crops[[3, 2, 1]], indices=[3, 2, 1]))
    assert vae.encoded == [2 * 3, 2 * 1]
    assert torch.equal(seen[1], face_latents(StandInVAE(), crops[[3, 2, 1]]))


def test_another_run_remembers_nothing() -> None:
    vae = StandInVAE()
    shared = engine(whole_face, vae)
    first, second = torch.rand(2, 1, 256, 256, 3)
    assert not torch.equal(shared.start().paint(batch(first)), shared.start().paint(batch(second)))
    assert vae.encoded == [2, 2]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lipsync_studio.pipelines.engines.musetalk.engine.MOST_KNOWN", 2)
    vae = StandInVAE()
    painter = engine(whole_face, vae).start()
    crops = torch.rand(3, 256, 256, 3)
    for index in (0, 1, 2, 2, 1, 0):
        painter.paint(batch(crops[[index]], indices=[index]))
    assert vae.encoded == [2, 2, 2, 2]


def test_the_batch_stays_as_it_is() -> None:
    crops = torch.rand(2, 256, 256, 3)
    before = crops.clone()
    painted = engine(whole_face).start().paint(batch(crops))
    assert torch.equal(crops, before)
    assert painted.dtype == torch.float32
    assert painted.device.type == "cpu"
    assert 0 <= painted.min() <= painted.max() <= 1


def test_no_gradients_are_kept_through_a_vae_that_has_them() -> None:
    class Trainable(StandInVAE):
        gain = torch.ones(1, requires_grad=True)

        def encode(self, pixel_samples: Tensor) -> Tensor:
            return super().encode(pixel_samples) * self.gain

    assert not engine(whole_face, Trainable()).start().paint(batch(torch.rand(1, 256, 256, 3))).requires_grad


@pytest.mark.parametrize(("version", "label", "margin"), [("v1.5", "MuseTalk 1.5", 10), ("v1", "MuseTalk 1.0", 0)])
def test_each_release_says_what_it_is(version: str, label: str, margin: int) -> None:
    spec = MuseTalkEngine(whole_face, StandInVAE(), lambda mel: mel, version).spec  # type: ignore[arg-type]
    assert (spec.id, spec.label, spec.chin_margin) == ("musetalk", label, margin)
    assert spec.hears == "whisper windows"
    assert spec.crop_sides == (256,)


@pytest.mark.parametrize(("channels", "factor"), [(16, 8), (4, 4), (128, 32)])
def test_another_family_s_vae_is_refused_with_the_name_of_the_right_one(channels: int, factor: int) -> None:
    class Other(StandInVAE):
        latent_channels = channels

        def spacial_compression_encode(self) -> int:
            return factor

    with pytest.raises(InputError, match=f"got a VAE with {channels} latent channels.*sd-vae-ft-mse"):
        engine(whole_face, Other())
