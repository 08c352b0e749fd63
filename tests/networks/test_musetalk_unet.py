"""MuseTalk's UNet against diffusers' UNet2DConditionModel, which the reference uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.memory_management
import comfy.model_management
import pytest
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.musetalk_unet import (
    MuseTalkUNet,
    UNetModel,
    unet_config,
    with_comfy_names,
    with_positions,
)
from lipsync_studio.pipelines.networks.precision import WeightType
from safetensors.torch import load_file
from torch import Tensor

SMALL = 32

State = dict[str, Tensor]


def reference(channels: int) -> Any:  # noqa: ANN401 - diffusers is a test-only dependency
    """musetalk.json as diffusers builds it, without weights."""
    diffusers = pytest.importorskip("diffusers")
    with torch.device("meta"):
        return diffusers.UNet2DConditionModel(
            sample_size=64,
            in_channels=8,
            out_channels=4,
            block_out_channels=(channels, 2 * channels, 4 * channels, 4 * channels),
            layers_per_block=2,
            cross_attention_dim=384,
            attention_head_dim=8,
            norm_eps=1e-5,
            norm_num_groups=32,
            flip_sin_to_cos=True,
            freq_shift=0,
        ).eval()


def reference_result(state: State, channels: int, latents: Tensor, heard: Tensor) -> Tensor:
    network = reference(channels)
    network.load_state_dict(state, strict=True, assign=True)
    with torch.no_grad():
        return network(latents, torch.tensor([0]), encoder_hidden_states=with_positions(heard)).sample


@pytest.fixture(scope="module")
def small() -> State:
    """Weights of a narrow UNet under diffusers' names."""
    return seeded_checkpoints.seeded({key: tuple(value.shape) for key, value in reference(SMALL).state_dict().items()})


@pytest.fixture(scope="module")
def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(5, 8, 16, 16, generator=generator), torch.randn(5, 50, 384, generator=generator)


def test_all_686_released_tensors_have_a_place_of_their_shape() -> None:
    released = {
        key: torch.empty(shape, device="meta") for key, shape in seeded_checkpoints.shapes("musetalk_unet").items()
    }
    network = UNetModel(**unet_config(), device="meta").state_dict()
    renamed = with_comfy_names(released, unet_config())
    assert len(renamed) == 686
    assert {key: value.shape for key, value in renamed.items()} == {key: v.shape for key, v in network.items()}


def test_equals_diffusers_when_narrow(small: State, inputs: tuple[Tensor, Tensor]) -> None:
    painted = MuseTalkUNet(small, "small", channels=SMALL)(*inputs)
    assert painted.dtype == torch.float32
    assert painted.device.type == "cpu"
    assert (painted - reference_result(small, SMALL, *inputs)).abs().max() < 1e-4


def test_equals_diffusers_at_full_width(inputs: tuple[Tensor, Tensor]) -> None:
    if comfy.model_management.get_free_memory(torch.device("cpu")) < 10 * 1024**3:
        pytest.skip("less than 10 GB of memory are free")
    state = seeded_checkpoints.seeded(seeded_checkpoints.shapes("musetalk_unet"))
    latents, heard = inputs[0][:1], inputs[1][:1]
    painted = MuseTalkUNet(state, "full")(latents, heard)
    assert (painted - reference_result(state, 320, latents, heard)).abs().max() < 1e-4


@pytest.mark.parametrize(("weight_type", "tolerance"), [("fp16", 2e-3), ("bf16", 2e-2), ("fp8_e4m3fn", 0.2)])
def test_weights_may_be_kept_in_fewer_bits(
    small: State, inputs: tuple[Tensor, Tensor], weight_type: WeightType, tolerance: float
) -> None:
    whole = MuseTalkUNet(small, "small", channels=SMALL)(*inputs)
    kept = MuseTalkUNet(small, "small", weight_type, channels=SMALL)(*inputs)
    error = ((kept - whole).norm() / whole.norm()).item()
    assert 0 < error < tolerance


def test_a_file_of_halves_is_computed_in_full_precision_on_the_cpu(small: State, inputs: tuple[Tensor, Tensor]) -> None:
    if comfy.model_management.get_torch_device().type != "cpu":
        pytest.skip("this machine has an accelerator")
    halves = {key: value.half() for key, value in small.items()}
    painted = MuseTalkUNet(halves, "small", "fp16", channels=SMALL)(*inputs)
    exact = reference_result({key: value.float() for key, value in halves.items()}, SMALL, *inputs)
    assert (painted - exact).abs().max() < 1e-4


def test_loads_where_comfyui_manages_memory_dynamically(
    small: State, inputs: tuple[Tensor, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, ComfyUI's Linear has no weight until one is loaded."""
    whole = MuseTalkUNet(small, "small", channels=SMALL)(*inputs)
    monkeypatch.setattr(comfy.memory_management, "aimdo_enabled", True)
    assert torch.equal(MuseTalkUNet(small, "small", channels=SMALL)(*inputs), whole)


def test_when_memory_runs_out_fewer_frames_are_painted_at_once(small: State, inputs: tuple[Tensor, Tensor]) -> None:
    unet = MuseTalkUNet(small, "small", channels=SMALL)
    whole = unet(*inputs)
    sizes: list[int] = []

    def out_of_memory(_: UNetModel, args: tuple[Tensor, ...]) -> None:
        sizes.append(len(args[0]))
        if len(args[0]) > 2:
            raise torch.OutOfMemoryError

    unet._resident.ready().register_forward_pre_hook(out_of_memory)
    assert (unet(*inputs) - whole).abs().max() < 1e-5
    assert sizes == [5, 2, 2, 1]


def test_when_not_even_one_frame_fits_comfyui_hears_of_it(small: State, inputs: tuple[Tensor, Tensor]) -> None:
    unet = MuseTalkUNet(small, "small", channels=SMALL)

    def out_of_memory(_: UNetModel, args: tuple[Tensor, ...]) -> None:
        raise torch.OutOfMemoryError

    unet._resident.ready().register_forward_pre_hook(out_of_memory)
    with pytest.raises(comfy.model_management.OOM_EXCEPTION):
        unet(*inputs)


@pytest.mark.parametrize("fault", ["missing", "unexpected", "of the wrong shape"])
def test_only_the_exact_tensors_are_accepted(small: State, fault: str) -> None:
    state = dict(small)
    if fault == "missing":
        del state["mid_block.resnets.0.conv1.weight"]
    elif fault == "unexpected":
        state["add_embedding.linear_1.extra"] = torch.zeros(1)
    else:
        state["conv_in.weight"] = torch.zeros(SMALL, 4, 3, 3)
    with pytest.raises(WeightsError, match=f"(?s)unet.pth.*1 {fault}"):
        MuseTalkUNet(state, "unet.pth", channels=SMALL)


def test_positions_are_the_reference_s(goldens: Path) -> None:
    table = load_file(goldens / "positional_encoding.safetensors")["pe_first50"]
    heard = torch.randn(3, 50, 384)
    assert (with_positions(torch.zeros(1, 50, 384))[0] - table).abs().max() < 1e-5
    assert torch.allclose(with_positions(heard) - heard, table.expand(3, 50, 384), atol=1e-5)
