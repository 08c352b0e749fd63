"""Residence of a network in ComfyUI's model memory, and strict loading."""

from __future__ import annotations

import comfy.model_management
import comfy.ops
import pytest
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.residency import Resident, load_strictly
from torch import nn


class Tiny(nn.Module):
    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.first = comfy.ops.manual_cast.Linear(3, 4, dtype=dtype)
        self.second = nn.PReLU(4, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


def weights() -> dict[str, torch.Tensor]:
    return {
        "first.weight": torch.arange(12.0).reshape(4, 3) / 12,
        "first.bias": torch.tensor([1.0, -1.0, 0.5, -0.5]),
        "second.weight": torch.full((4,), 0.25),
    }


def test_a_ready_network_is_known_to_comfyui_and_computes_with_the_loaded_weights() -> None:
    resident = Resident(Tiny())
    resident.load(weights(), source="tiny.safetensors", kind="the tiny network")

    network = resident.ready(memory_required=1024)

    loaded = [patcher.model for patcher in comfy.model_management.loaded_models()]
    assert network in loaded
    x = torch.tensor([[1.0, -2.0, 0.5]], device=resident.device, dtype=resident.dtype)
    linear = x.cpu() @ weights()["first.weight"].T + weights()["first.bias"]
    assert torch.allclose(network(x).cpu(), torch.where(linear > 0, linear, 0.25 * linear))


def test_no_gradients_are_kept() -> None:
    network = Resident(Tiny()).ready()
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert not network.training


def test_weights_in_half_precision_keep_the_dtype_of_the_network() -> None:
    resident = Resident(Tiny())
    half = {key: tensor.half() for key, tensor in weights().items()}
    resident.load(half, source="tiny.safetensors", kind="the tiny network")
    assert {parameter.dtype for parameter in resident.ready().parameters()} == {torch.float32}


def wrong_weights() -> list[tuple[str, dict[str, torch.Tensor]]]:
    missing = weights()
    del missing["first.bias"]
    reshaped = weights()
    reshaped["first.weight"] = torch.zeros(4, 5)
    return [
        ("1 missing (first.bias)", missing),
        ("1 unexpected (third.weight)", {**weights(), "third.weight": torch.zeros(1)}),
        ("1 of the wrong shape (first.weight [4, 5] instead of [4, 3])", reshaped),
        ("3 missing (first.weight, first.bias, second.weight)", {}),
        ("5 unexpected (0, 1, 2, ...)", {str(k): torch.zeros(1) for k in range(5)}),
    ]


@pytest.mark.parametrize(("fault", "state"), wrong_weights(), ids=[fault for fault, _ in wrong_weights()])
def test_weights_that_do_not_fit_are_refused_by_name(fault: str, state: dict[str, torch.Tensor]) -> None:
    network = Tiny()
    load_strictly(network, weights(), source="tiny.safetensors", kind="the tiny network")

    with pytest.raises(WeightsError) as raised:
        load_strictly(network, state, source="models/odd.pth", kind="the tiny network")

    assert fault in str(raised.value)
    assert "models/odd.pth" in raised.value.expected
    assert "the tiny network" in raised.value.next_step
    assert all(torch.equal(tensor, weights()[key]) for key, tensor in network.state_dict().items())
