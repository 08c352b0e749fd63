"""LatentSync's UNet against the reference network under seeded weights (a narrow one of the same 1,246 names).

Tolerance: relative L2 2e-5; the reference in float32 differs from itself in float64 by 2.4e-6.
"""

from __future__ import annotations

import math
from pathlib import Path

import comfy.model_management
import comfy.ops
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.latentsync_net import LatentSyncNet
from lipsync_studio.pipelines.networks.latentsync_unet import MOST_FRAMES, LatentSyncUNet
from safetensors.torch import load_file
from torch import Tensor, nn

NARROW = (64, 128, 192, 192)


def sinusoids(places: int, width: int) -> Tensor:
    """[1, places, width]: sines in the even columns, cosines in the odd ones (Vaswani et al., 2017)."""
    angles = torch.arange(places)[:, None] * torch.exp(torch.arange(0, width, 2) * (-math.log(10000) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[None]


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in narrow().state_dict().items()}
    return {
        key: sinusoids(*shape[1:]) if key.endswith(".pe") else torch.as_tensor(seeded.tensor(key, shape))
        for key, shape in shapes.items()
    }


def narrow() -> LatentSyncNet:
    return LatentSyncNet(comfy.ops.disable_weight_init, channels=NARROW)


@pytest.fixture(scope="module")
def unet(weights: dict[str, Tensor]) -> LatentSyncUNet:
    return LatentSyncUNet(weights, "seeded", channels=NARROW)


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "latentsync_unet.safetensors")


def inputs(clips: int, frames: int) -> tuple[Tensor, Tensor]:
    """(latents, heard) of the golden with that many."""
    latents = seeded.floats(f"ls_x_b{clips}_f{frames}", (clips, 13, frames, 16, 16))
    heard = seeded.floats(f"ls_audio_b{clips}_f{frames}", (clips * frames, 50, 384))
    return torch.from_numpy(latents), torch.from_numpy(heard).unflatten(0, (clips, frames))


def distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def test_names_and_shapes_are_the_released_ones() -> None:
    with torch.device("meta"):
        network = LatentSyncNet(comfy.ops.disable_weight_init)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert shapes == seeded_checkpoints.shapes("latentsync_unet")


@pytest.mark.parametrize(("clips", "frames", "step"), [(2, 16, 401), (2, 7, 401), (1, 1, 951)])
def test_the_noise_is_the_references(
    unet: LatentSyncUNet, golden: dict[str, Tensor], clips: int, frames: int, step: int
) -> None:
    latents, heard = inputs(clips, frames)
    assert distance(unet(latents, step, heard), golden[f"b{clips}_f{frames}_t{step}"]) < 2e-5


def test_the_stages_are_the_references(weights: dict[str, Tensor], golden: dict[str, Tensor]) -> None:
    network = narrow().eval()
    network.load_state_dict(weights)
    stages = [name.removeprefix("mid.") for name in golden if name.startswith("mid.")]
    seen: dict[str, Tensor] = {}

    def remember(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _module, _inputs, output: seen.update({name: output}))

    for name in ("time_embedding", "down_blocks.0.motion_modules.0", "mid_block", "conv_norm_out"):
        assert name in stages
        remember(name, network.get_submodule(name))
    latents, heard = inputs(2, 7)
    with torch.no_grad():
        network(latents, torch.tensor([401, 401]), heard.flatten(0, 1))
    for name, output in seen.items():
        wanted = golden[f"mid.{name}"]
        assert distance(output if name == "time_embedding" else output[1, :6], wanted) < 2e-5, name


def one_clip_at_a_time(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception] = comfy.model_management.OOM_EXCEPTION
) -> list[int]:
    """The device has no memory for two clips, and says so with `error`. Gives the number of clips of each attempt."""
    predict, tried = LatentSyncUNet._predict, []

    def short_of_memory(
        self: LatentSyncUNet, network: LatentSyncNet, part: Tensor, *others: object
    ) -> tuple[Tensor, Tensor]:
        tried.append(len(part))
        if len(part) > 1:
            raise error("HIP error: out of memory")
        return predict(self, network, part, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(LatentSyncUNet, "_predict", short_of_memory)
    return tried


@pytest.mark.parametrize(
    "error", [comfy.model_management.OOM_EXCEPTION, comfy.model_management.ACCELERATOR_ERROR], ids=["CUDA", "another"]
)
def test_where_memory_is_short_one_clip_at_a_time_gives_the_same(
    unet: LatentSyncUNet, weights: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    latents, heard = inputs(2, 1)
    whole = unet(latents, 401, heard)
    tried = one_clip_at_a_time(monkeypatch, error)
    short = LatentSyncUNet(weights, "seeded", channels=NARROW)
    for _step in range(2):
        assert distance(short(latents, 401, heard), whole) < 1e-5
    assert tried == [2, 1, 1, 1, 1], "two do not fit: one try is enough"


def test_another_error_is_no_reason_to_try_again(unet: LatentSyncUNet, monkeypatch: pytest.MonkeyPatch) -> None:
    latents, heard = inputs(2, 1)
    tried = one_clip_at_a_time(monkeypatch, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        unet(latents, 401, heard)
    assert tried == [2]


def test_between_whole_steps_the_deep_cache_runs_the_first_and_the_last_layer(unet: LatentSyncUNet) -> None:
    latents, heard = inputs(2, 7)
    network = unet._resident.ready()
    ran: list[str] = []
    hooks = [
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, module in network.named_modules()
        if name in ("conv_in", "mid_block") or (name.count(".") == 3 and "motion_modules" in name)
    ]
    last = "up_blocks.3.motion_modules.2"
    every = [
        name for name, _ in network.named_modules() if name.endswith(tuple(f"motion_modules.{n}" for n in range(3)))
    ]
    try:
        caching = unet.caching(3)
        noises, runs = [], []
        for step in (901, 851, 801, 751):
            ran.clear()
            noises.append(caching(latents, step, heard))
            runs.append([name for name in ran if name != "conv_in"])
            assert ran[0] == "conv_in"
    finally:
        for hook in hooks:
            hook.remove()
    assert set(runs[0]) == set(runs[3]) == {*every, "mid_block"}
    assert runs[1] == runs[2] == [last]
    assert torch.equal(noises[0], unet(latents, 901, heard))
    assert torch.equal(noises[3], unet(latents, 751, heard))
    assert 0 < distance(noises[1], unet(latents, 851, heard)) < 0.5


def test_a_deep_cache_of_one_is_off_and_another_block_begins_anew(unet: LatentSyncUNet) -> None:
    latents, heard = inputs(1, 1)
    off = unet.caching(1)
    for step in (901, 801):
        assert torch.equal(off(latents, step, heard), unet(latents, step, heard))
    first, other = unet.caching(2), unet.caching(2)
    first(latents, 901, heard)
    assert torch.equal(other(latents, 801, heard), unet(latents, 801, heard))


def test_the_deep_cache_works_one_clip_at_a_time(
    unet: LatentSyncUNet, weights: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, heard = inputs(2, 7)
    whole = unet.caching(2)
    wanted = [whole(latents, step, heard) for step in (901, 801)]
    tried = one_clip_at_a_time(monkeypatch)
    short = LatentSyncUNet(weights, "seeded", channels=NARROW).caching(2)
    for step, noise in zip((901, 801), wanted, strict=True):
        assert distance(short(latents, step, heard), noise) < 1e-5
    assert tried == [2, 1, 1, 1, 1]


def test_large_blocks_where_they_fit_and_smaller_ones_where_not(
    unet: LatentSyncUNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comfy.model_management, "current_loaded_models", [])  # what they hold could be had, too
    for gigabytes, frames in ((24, 16), (8, 8), (4, 4), (2, 2), (0.1, 1)):  # in float32
        monkeypatch.setattr(comfy.model_management, "get_free_memory", lambda _device, n=gigabytes: n * 2**30)
        assert unet.most_frames(32) >= unet.most_frames(64) == frames <= MOST_FRAMES


@pytest.mark.parametrize("fault", ["missing", "unexpected"])
def test_a_file_that_does_not_fit_is_refused(weights: dict[str, Tensor], fault: str) -> None:
    state = dict(weights)
    if fault == "missing":
        del state["conv_in.weight"]
    else:
        state["more"] = torch.zeros(1)
    with pytest.raises(WeightsError, match=f"1 {fault}"):
        LatentSyncUNet(state, "broken.pt", channels=NARROW)
