"""Whisper-tiny's encoder on ComfyUI's own class: the hidden states that MuseTalk and LatentSync hear."""

from __future__ import annotations

from collections.abc import Mapping

import comfy.model_management
import comfy.ops
import torch
from torch import Tensor, nn

from ..core.errors import HostVersionError
from .residency import Resident

MEL_BANDS, FEATURES, WIDTH, HEADS, LAYERS = 80, 1500, 384, 6, 4

# openai/whisper's names for what transformers, and ComfyUI, call otherwise.
_OPENAI_NAMES = {
    "positional_embedding": "embed_positions.weight",
    "ln_post.": "layer_norm.",
    "blocks.": "layers.",
    ".attn.query.": ".self_attn.q_proj.",
    ".attn.key.": ".self_attn.k_proj.",
    ".attn.value.": ".self_attn.v_proj.",
    ".attn.out.": ".self_attn.out_proj.",
    ".attn_ln.": ".self_attn_layer_norm.",
    ".mlp.0.": ".fc1.",
    ".mlp.2.": ".fc2.",
    ".mlp_ln.": ".final_layer_norm.",
}


class WhisperEncoder:
    """Whisper-tiny's encoder with its weights, in ComfyUI's care; computes in float32 (33 MB).

    state: a whole Whisper or its encoder, as transformers (model.safetensors, pytorch_model.bin) or openai (tiny.pt)
    name it. source: the file it came from. Raises WeightsError unless every tensor of the encoder is there in the
    right shape, HostVersionError when this ComfyUI has no Whisper.
    """

    def __init__(self, state: Mapping[str, Tensor], source: str) -> None:
        self._resident = Resident(_network())
        self._resident.load(encoder_state(state), source=source, kind="the Whisper-tiny encoder")

    def __call__(self, log_mel: Tensor) -> Tensor:
        """The hidden states at 50 Hz: what goes into each of the four layers, and the normalised end.

        log_mel: float32 [1, 80, 3000]. Returns float32 [1500, 5, 384] on the CPU.
        """
        return self._states(log_mel)[0]

    def unnormalised(self, log_mel: Tensor) -> Tensor:
        """The same with the last state as it is before the final norm, which LatentSync hears."""
        states, last = self._states(log_mel)
        states[:, -1] = last
        return states

    def _states(self, log_mel: Tensor) -> tuple[Tensor, Tensor]:
        """What ComfyUI's encoder gives [1500, 5, 384], and what goes into its final norm [1500, 384]."""
        network, seen = self._resident.ready(), list[Tensor]()
        norm = network.get_submodule("layer_norm")
        hook = norm.register_forward_pre_hook(lambda _norm, inputs: seen.append(inputs[0]))
        try:
            _, states = network(log_mel.to(self._resident.device, self._resident.dtype))
        finally:
            hook.remove()
        return torch.stack(states, dim=2)[0].to("cpu", torch.float32), seen[0][0].to("cpu", torch.float32)


def encoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's tensors of any of the known layouts, under ComfyUI's names; without the rest of a Whisper."""
    prefix = "model.encoder." if any(key.startswith("model.encoder.") for key in state) else "encoder."
    inner = {key.removeprefix(prefix): tensor for key, tensor in state.items() if key.startswith(prefix)}
    if "positional_embedding" not in inner:
        return inner
    return {_renamed(key): tensor for key, tensor in inner.items()}


def _renamed(key: str) -> str:
    for openai, comfy_name in _OPENAI_NAMES.items():
        key = key.replace(openai, comfy_name)
    return key


def _network() -> nn.Module:
    try:
        from comfy.audio_encoders.whisper import AudioEncoder
    except ImportError as error:
        raise HostVersionError(
            expected="a ComfyUI whose comfy.audio_encoders.whisper can be imported",
            got=str(error),
            next_step="Update ComfyUI, and install torchaudio if the message above names it.",
        ) from error
    return AudioEncoder(MEL_BANDS, FEATURES, WIDTH, HEADS, LAYERS, operations=comfy.ops.manual_cast)
