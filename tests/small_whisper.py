"""A Whisper with random numbers, of a few hundred kilobytes, in the files that a real one comes in."""

from __future__ import annotations

from pathlib import Path

import seeded_checkpoints
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

WIDTH, LAYERS, MEL_BANDS = 64, 2, 80
MARKS = (
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|translate|>",
    "<|transcribe|>",
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
)
TIMES = tuple(f"<|{number * 0.02:.2f}|>" for number in range(1501))
SIZE = 256 + len(MARKS) + len(TIMES)


def write(folder: Path, size: int = SIZE) -> Path:
    """model.safetensors and tokenizer.json in `folder`: one token for each byte, then marks, then times."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder)
    save_file(tensors(size), folder / "model.safetensors")
    return folder


def write_tokenizer(folder: Path) -> None:
    """Only the tokenizer.json."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(MARKS))
    tokenizer.add_tokens(list(TIMES))
    tokenizer.save(str(folder / "tokenizer.json"))


def tensors(size: int = SIZE) -> dict[str, torch.Tensor]:
    """As transformers names them. size: tokens."""
    return seeded_checkpoints.seeded(shapes(size))


def shapes(
    size: int = SIZE, width: int = WIDTH, layers: int = LAYERS, bands: int = MEL_BANDS
) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors of a Whisper."""
    named: dict[str, tuple[int, ...]] = {
        "model.encoder.conv1.weight": (width, bands, 3),
        "model.encoder.conv1.bias": (width,),
        "model.encoder.conv2.weight": (width, width, 3),
        "model.encoder.conv2.bias": (width,),
        "model.encoder.embed_positions.weight": (1500, width),
        "model.decoder.embed_tokens.weight": (size, width),
        "model.decoder.embed_positions.weight": (448, width),
    }
    for half, attentions in (("encoder", ("self_attn",)), ("decoder", ("self_attn", "encoder_attn"))):
        named |= _norm(f"model.{half}.layer_norm", width)
        for layer in range(layers):
            place = f"model.{half}.layers.{layer}"
            for attention in attentions:
                named |= _norm(f"{place}.{attention}_layer_norm", width)
                for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
                    named[f"{place}.{attention}.{part}.weight"] = (width, width)
                    if part != "k_proj":
                        named[f"{place}.{attention}.{part}.bias"] = (width,)
            named |= _norm(f"{place}.final_layer_norm", width)
            named |= {f"{place}.fc1.weight": (4 * width, width), f"{place}.fc1.bias": (4 * width,)}
            named |= {f"{place}.fc2.weight": (width, 4 * width), f"{place}.fc2.bias": (width,)}
    return named


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}
