"""Weights with random numbers in the real layouts, for tests that load what a user would load."""

from __future__ import annotations

import json
import math
from pathlib import Path

import seeded as golden_numbers
import torch
from safetensors.torch import save_file

MANIFESTS = Path(__file__).resolve().parent / "goldens" / "manifests"


def shapes(manifest: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a released file's tensors."""
    return {key: tuple(shape) for key, shape in json.loads((MANIFESTS / f"{manifest}.json").read_text()).items()}


def seeded(
    named: dict[str, tuple[int, ...]], dtype: torch.dtype = torch.float32, gain: float = 1.0, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Numbers that keep a network's signal in range: matrices of variance gain^2 / fan-in, gains 1, offsets small."""
    generator = torch.Generator().manual_seed(seed)

    def numbers(key: str, shape: tuple[int, ...]) -> torch.Tensor:
        drawn = torch.randn(shape, generator=generator)
        if len(shape) > 1:
            return drawn * gain / math.sqrt(math.prod(shape[1:]))
        return 0.01 * drawn + (0.0 if key.endswith("bias") else 1.0)

    return {key: numbers(key, shape).to(dtype) for key, shape in named.items()}


def of_golden(manifest: str) -> dict[str, torch.Tensor]:
    """The weights that the goldens of this network were made with (`goldens/seeded.py`)."""
    return {key: torch.as_tensor(golden_numbers.tensor(key, shape)) for key, shape in shapes(manifest).items()}


def musetalk_unet() -> dict[str, torch.Tensor]:
    """The UNet of MuseTalk, under diffusers' names as in the released unet.pth, but in fp16 (1.7 GB)."""
    return seeded(shapes("musetalk_unet"), torch.float16)


def sd_vae() -> dict[str, torch.Tensor]:
    """sd-vae-ft-mse under the hub file's old names (335 MB)."""
    return seeded(shapes("sd_vae_ft_mse_hub"))


def whisper_tiny() -> dict[str, torch.Tensor]:
    """Whisper-tiny as transformers lays it out, in fp16 (75 MB)."""
    return seeded({f"model.{key}": shape for key, shape in shapes("whisper_tiny_transformers").items()}, torch.float16)


def save(tensors: dict[str, torch.Tensor], path: Path) -> None:
    """In the format that the ending of `path` stands for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        save_file(tensors, path)
    else:
        torch.save(tensors, path)
