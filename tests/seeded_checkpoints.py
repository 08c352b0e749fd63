"""Weight files with random numbers in the real layout, for tests that load what a user would load.

`python tests/seeded_checkpoints.py FOLDER` writes MuseTalk's UNet (1.7 GB), the VAE (335 MB) and Whisper-tiny (75 MB).
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

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


def write_musetalk_unet(folder: Path) -> Path:
    """musetalkV15/unet.fp16.safetensors, under diffusers' names as in the released unet.pth."""
    path = folder / "musetalkV15" / "unet.fp16.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(seeded(shapes("musetalk_unet"), torch.float16), path)
    return path


def write_sd_vae(folder: Path) -> Path:
    """sd-vae-ft-mse/diffusion_pytorch_model.safetensors, under the hub file's old names."""
    path = folder / "sd-vae-ft-mse" / "diffusion_pytorch_model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(seeded(shapes("sd_vae_ft_mse_hub"), torch.float32), path)
    return path


def write_whisper_tiny(folder: Path) -> Path:
    """whisper-tiny/model.safetensors, as transformers lays it out."""
    path = folder / "whisper-tiny" / "model.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    named = {f"model.{key}": shape for key, shape in shapes("whisper_tiny_transformers").items()}
    save_file(seeded(named, torch.float16), path)
    return path


if __name__ == "__main__":
    for write in (write_musetalk_unet, write_sd_vae, write_whisper_tiny):
        write(Path(sys.argv[1]))
