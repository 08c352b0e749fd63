"""Whisper of any size, on transformers' own class: hears speech, writes it, and shows which moment each token is from.

Radford et al.: "Robust Speech Recognition via Large-Scale Weak Supervision" (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import comfy.model_management
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from ..core.errors import WeightsError
from .checkpoint import read_checkpoint
from .residency import Resident
from .whisper_text import WhisperText

if TYPE_CHECKING:
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperAttention

RATE = 16_000
SECONDS = 30.0  # of sound that it hears at once
FRAMES = 1500  # that these become; 20 ms each
FRAME_SECONDS = SECONDS / FRAMES

_HEAD_WIDTH = 64  # in every Whisper
_WEIGHTS = "model.safetensors"
ADVICE = (
    "Put model.safetensors and tokenizer.json of a Whisper for transformers (openai/whisper-base on Hugging Face, for "
    "example) into a folder of their own in models/audio_encoders or models/whisper."
)

# Between two layers of the encoder: hidden states, four times as wide inside, and attention without a stored matrix.
_ENCODER_WIDTHS = 12


@dataclass(frozen=True)
class Attention:
    """Where the decoder listened while it was given a text.

    frames: float32 [tokens, frames], 0-1: the share of its attention that each token paid to a frame, on average over
    the heads; it was heard there. probabilities: float32 [tokens], 0-1: of each token after those before it. Row k of
    both belongs to token k: to the moment at which it was chosen. Row 0 means nothing.
    """

    frames: NDArray[np.float32]
    probabilities: NDArray[np.float32]

    def after(self, count: int) -> Attention:
        """Without the first `count` tokens."""
        return Attention(self.frames[count:], self.probabilities[count:])


class Whisper:
    """A Whisper with its weights, in ComfyUI's care: float16 on a GPU that is good at it, else float32.

    state: as transformers names them, with or without "model." before. text: its tokens. source: the file of the
    weights. Raises WeightsError unless every tensor is there in the right shape.
    """

    def __init__(self, state: Mapping[str, Tensor], text: WhisperText, source: str) -> None:
        bare = _bare(state)
        config = whisper_config(bare, source)
        device = comfy.model_management.get_torch_device()
        dtype = torch.float16 if comfy.model_management.should_use_fp16(device) else torch.float32
        self.text = text
        self._width = config.d_model
        self._resident = Resident(_network(config, dtype), dtype=dtype)
        self._resident.load(bare, source=source, kind="Whisper")
        self._features = _feature_extractor(config.num_mel_bins)

    @torch.inference_mode()
    def hear(self, samples: NDArray[np.float32]) -> Tensor:
        """What the encoder makes of up to 30 s.

        samples: float32 [n], 16 kHz, n at most 480,000; silence follows. Returns [1, 1500, width] on the device.
        """
        if len(samples) > RATE * SECONDS:
            raise ValueError(f"Whisper hears {SECONDS:g} s at once, got {len(samples) / RATE:.2f} s")
        network = self._ready()
        mel = self._features(samples, sampling_rate=RATE, return_tensors="pt").input_features
        states: Tensor = network.encoder(mel.to(self._resident.device, self._resident.dtype)).last_hidden_state
        return states

    def write(self, heard: Tensor) -> Writing:
        """A text about to be written from what was heard."""
        return Writing(self._ready(), heard)

    @torch.inference_mode()
    def attend(self, heard: Tensor, tokens: Sequence[int], frames: int) -> Attention:
        """Where the decoder listens when it is given `tokens`, among the first `frames` of what was heard.

        All heads of the upper half of its layers count. The few that openai marks as aligned put the beginnings of
        words 40 to 90 ms too early (whisper-base, English speech).
        """
        network = self._ready()
        with _recorded(network.upper_attentions()) as recorded:
            hidden, _ = network.decode(tokens, heard, None)
        paid = torch.stack([_share(queries[0], keys[0]) for queries, keys in recorded]).mean(0)
        wanted = torch.tensor([*tokens[1:], tokens[0]], device=hidden.device)
        chances = network.logits(hidden).softmax(-1).gather(1, wanted[:, None])[:, 0]
        # What is heard at one token chooses the next.
        return Attention(paid[:, :frames].roll(1, 0).cpu().numpy(), chances.roll(1).cpu().numpy())

    def _ready(self) -> _Halves:
        """The network on the device, with room for one window."""
        size = comfy.model_management.dtype_size(self._resident.dtype)
        return self._resident.ready(2 * FRAMES * self._width * _ENCODER_WIDTHS * size)


class Writing:
    """A text in the making: give it tokens, and it says how likely each token is next."""

    def __init__(self, network: _Halves, heard: Tensor) -> None:
        self._network, self._heard = network, heard
        self._past: object = None

    @torch.inference_mode()
    def after(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """float32 [len(tokens), vocabulary]: what comes after each of `tokens`, which follow those given before.

        Unnormalised log probabilities. Raises ComfyUI's interrupt when the user pressed stop.
        """
        comfy.model_management.throw_exception_if_processing_interrupted()
        hidden, self._past = self._network.decode(tokens, self._heard, self._past)
        return self._network.logits(hidden).cpu().numpy()


def load_whisper(path: Path) -> Whisper:
    """A Whisper from its folder, or from the file of its weights; the tokenizer must lie beside them.

    Reads local files only. Raises WeightsError when one is missing, damaged or for something else.
    """
    file = path / _WEIGHTS if path.is_dir() else path
    state = read_checkpoint(file, "a Whisper", ADVICE).state
    size = _bare(state).get("decoder.embed_tokens.weight")
    if size is None:
        raise WeightsError(
            expected=f"a whole Whisper, as transformers lays it out, in {file}",
            got="an encoder without a decoder" if "encoder.embed_positions.weight" in _bare(state) else "other tensors",
            next_step=ADVICE,
        )
    return Whisper(state, WhisperText(file.parent, len(size)), str(file))


def whisper_config(state: Mapping[str, Tensor], source: str) -> WhisperConfig:
    """The sizes of the Whisper that has these tensors. Raises WeightsError when it has none of the telling ones."""
    from transformers import WhisperConfig

    try:
        positions = state["encoder.embed_positions.weight"]
        return WhisperConfig(
            vocab_size=len(state["decoder.embed_tokens.weight"]),
            num_mel_bins=state["encoder.conv1.weight"].shape[1],
            d_model=positions.shape[1],
            max_source_positions=len(positions),
            max_target_positions=len(state["decoder.embed_positions.weight"]),
            encoder_layers=_layers(state, "encoder"),
            decoder_layers=_layers(state, "decoder"),
            encoder_attention_heads=max(1, positions.shape[1] // _HEAD_WIDTH),
            decoder_attention_heads=max(1, positions.shape[1] // _HEAD_WIDTH),
            encoder_ffn_dim=len(state["encoder.layers.0.fc1.weight"]),
            decoder_ffn_dim=len(state["decoder.layers.0.fc1.weight"]),
            pad_token_id=None,  # only matters for training
        )
    except KeyError as missing:
        raise WeightsError(
            expected=f"a whole Whisper, as transformers lays it out, in {source}",
            got=f"{len(state)} tensors without {missing}",
            next_step=ADVICE,
        ) from missing


def _layers(state: Mapping[str, Tensor], half: str) -> int:
    return sum(key.startswith(f"{half}.layers.") and key.endswith(".fc1.weight") for key in state)


def _bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without "model." before the names, and without the output layer, which is the tokens' embedding again."""
    return {key.removeprefix("model."): tensor for key, tensor in state.items() if key != "proj_out.weight"}


class _Halves(nn.Module):
    """Encoder and decoder; without the `device` of a PreTrainedModel, which ComfyUI wants to set and cannot."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__()
        from transformers import WhisperModel

        with torch.device("meta"):  # random numbers for a large one would take longer than reading it
            whole = WhisperModel(config)
        self.encoder, self.decoder = whole.encoder, whole.decoder

    def decode(self, tokens: Sequence[int], heard: Tensor, past: object) -> tuple[Tensor, object]:
        """[tokens, width], what the decoder makes of each of `tokens` after `past`; and the past with them."""
        ids = torch.tensor([list(tokens)], device=heard.device)
        made = self.decoder(input_ids=ids, encoder_hidden_states=heard, past_key_values=past, use_cache=True)
        return made.last_hidden_state[0], made.past_key_values

    def logits(self, hidden: Tensor) -> Tensor:
        """float32 [tokens, vocabulary]; the output layer is the tokens' embedding."""
        return functional.linear(hidden, self.decoder.embed_tokens.weight).float()

    def upper_attentions(self) -> list[WhisperAttention]:
        """What listens, in the upper half of the decoder's layers."""
        layers = list(self.decoder.layers)
        return [cast("WhisperAttention", layer.encoder_attn) for layer in layers[len(layers) // 2 :]]


def _network(config: WhisperConfig, dtype: torch.dtype) -> _Halves:
    """Without numbers in it."""
    return _Halves(config).to(dtype).to_empty(device="cpu")


def _feature_extractor(bands: int) -> WhisperFeatureExtractor:
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=bands)


@contextmanager
def _recorded(attentions: Sequence[WhisperAttention]) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """(queries, keys) of each of `attentions`, by head, once the network has run: [batch, length, heads, width].

    The attention itself may run in any kernel; none but the slowest would give its weights away.
    """
    seen: dict[int, dict[str, Tensor]] = {number: {} for number in range(len(attentions))}
    pairs: list[tuple[Tensor, Tensor]] = []

    def remember(number: int, name: str, heads: int) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            seen[number][name] = output.unflatten(-1, (heads, -1))
            if len(seen[number]) == 2:
                pairs.append((seen[number]["q_proj"], seen[number]["k_proj"]))

        return hook

    handles = [
        getattr(attention, name).register_forward_hook(remember(number, name, attention.num_heads))
        for number, attention in enumerate(attentions)
        for name in ("q_proj", "k_proj")
    ]
    try:
        yield pairs
    finally:
        for handle in handles:
            handle.remove()


def _share(queries: Tensor, keys: Tensor) -> Tensor:
    """float32 [tokens, frames], 0-1: attention, averaged over heads.

    queries: [tokens, heads, width], keys: [frames, heads, width].
    """
    scores = torch.einsum("thw,fhw->htf", queries.float(), keys.float()) * queries.shape[-1] ** -0.5
    return scores.softmax(-1).mean(0)
