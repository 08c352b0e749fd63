"""Which number types weights are kept in and computed with, as ComfyUI chooses for its own networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import comfy.model_management
import comfy.utils
import torch
from torch import Tensor

WeightType = Literal["default", "fp16", "bf16", "fp8_e4m3fn"]

_KEPT_AS = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp8_e4m3fn": torch.float8_e4m3fn}


def number_types(state: Mapping[str, Tensor], weight_type: WeightType) -> tuple[torch.dtype, torch.dtype]:
    """(what the weights are kept in, what is computed in) on this machine, as ComfyUI chooses for its own UNets."""
    device = comfy.model_management.get_torch_device()
    kept = _KEPT_AS.get(weight_type) or comfy.model_management.unet_dtype(
        device=device,
        model_params=comfy.utils.calculate_parameters(state),
        weight_dtype=comfy.utils.weight_dtype(state),
    )
    return kept, comfy.model_management.unet_manual_cast(kept, device) or kept
