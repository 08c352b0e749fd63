"""Networks in ComfyUI's care: strict loading, and residence on the device while they are used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor, nn

from ..core.errors import WeightsError

Network = TypeVar("Network", bound=nn.Module)

_NAMED_KEYS = 3


class Resident(Generic[Network]):
    """One network under ComfyUI's model management, which decides when it is on the device and when it is not.

    Build the network on the CPU, of `comfy.ops` modules (these can be loaded in part and cast) or of plain `torch.nn`
    ones (loaded whole). The dtype it is built with is the one its weights are kept in. Then `load` the weights, once,
    and before each use ask for it: `network = resident.ready(bytes)`.

    dtype: what the network computes in, so what its floating-point inputs must be.
    """

    def __init__(self, network: Network, dtype: torch.dtype = torch.float32) -> None:
        network.eval().requires_grad_(False)
        # Weights that are swapped for the file's own tensors (`assign` below) are cast back to these dtypes.
        comfy.model_management.archive_model_dtypes(network)
        # Looked up now, not at import: ComfyUI replaces this class at start-up where memory is managed dynamically.
        self._patcher = comfy.model_patcher.CoreModelPatcher(
            network,
            load_device=comfy.model_management.get_torch_device(),
            offload_device=comfy.model_management.unet_offload_device(),
        )
        self._network = network
        self.dtype = dtype

    @property
    def device(self) -> torch.device:
        """Where the network runs, so where its inputs must be."""
        return self._patcher.load_device

    def load(self, state: Mapping[str, Tensor], *, source: str, kind: str) -> None:
        """Fill in the weights; see `load_strictly`."""
        load_strictly(self._network, state, source=source, kind=kind, assign=self._patcher.is_dynamic())

    def ready(self, memory_required: int = 0) -> Network:
        """The network, brought onto `device` with room for `memory_required` bytes of activations."""
        comfy.model_management.load_models_gpu([self._patcher], memory_required=memory_required)
        return self._network


def load_strictly(
    network: nn.Module, state: Mapping[str, Tensor], *, source: str, kind: str, assign: bool = False
) -> None:
    """Load `state` into `network` when every key and every shape fits, else raise WeightsError.

    source: the file the weights came from. kind: what it should hold, as people call it ("MuseTalk v1.5 UNet").
    assign: keep the tensors of `state` instead of copying them into the network's own.
    """
    wanted = _shapes(network)
    faults = [
        _some("missing", (key for key in wanted if key not in state)),
        _some("unexpected", (key for key in state if key not in wanted)),
        _some(
            "of the wrong shape",
            (
                f"{key} {list(state[key].shape)} instead of {list(shape)}"
                for key, shape in wanted.items()
                if key in state and state[key].shape != shape
            ),
        ),
    ]
    found = [fault for fault in faults if fault]
    if found:
        raise WeightsError(
            expected=f"the weights of {kind} ({len(wanted)} tensors) in {source}",
            got=f"a file of {len(state)} tensors such as {_first(state)}; {'; '.join(found)}",
            next_step=f"Put the file made for {kind} in its place, or choose it in the loader.",
        )
    network.load_state_dict(dict(state), strict=True, assign=assign)


def _shapes(network: nn.Module) -> dict[str, torch.Size]:
    """Every tensor that `network` wants.

    Where ComfyUI manages memory dynamically, its Linear has no tensors before they are loaded, only its features.
    """
    shapes = {key: tensor.shape for key, tensor in network.state_dict().items()}
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear) and module.weight is None:
            shapes[f"{name}.weight"] = torch.Size((module.out_features, module.in_features))
            if module.comfy_need_lazy_init_bias:
                shapes[f"{name}.bias"] = torch.Size((module.out_features,))
    return shapes


def _some(fault: str, keys: Iterable[str]) -> str:
    """`3 missing (a, b, ...)`, or nothing when there are none."""
    listed = list(keys)
    return f"{len(listed)} {fault} ({_first(listed)})" if listed else ""


def _first(keys: Iterable[str]) -> str:
    """The first few of `keys`, for people."""
    listed = list(keys)
    named = ", ".join(listed[:_NAMED_KEYS]) or "none"
    return f"{named}, ..." if len(listed) > _NAMED_KEYS else named


def obtainable_memory(device: torch.device) -> int:
    """Bytes of the device's memory that can be had: what is free, and what ComfyUI's own models hold, for they go."""
    loaded = [each for each in comfy.model_management.current_loaded_models if each.model is not None]
    own = sum(each.model_loaded_memory() for each in loaded if each.device == device)
    return int(comfy.model_management.get_free_memory(device)) + own


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device had too little memory, whatever its maker calls that."""
    return bool(comfy.model_management.is_oom(error))


def make_room() -> None:
    """Move every model off the device, as ComfyUI does itself when memory ran out."""
    comfy.model_management.unload_all_models()
    comfy.model_management.soft_empty_cache()
