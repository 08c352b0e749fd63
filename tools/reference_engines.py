"""The engines' networks the way their authors run them: the baseline of `bench.py engines`.

Runs on checkouts of TMElyralab/MuseTalk (scripts/inference.py), bytedance/LatentSync (lipsync_pipeline.py) and
Rudrabha/Wav2Lip (inference.py), which are not part of this pack. Only their networks are imported; the loops around
them are read from the named files.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from reference_way import Stopwatch
from torch import Tensor, nn

Run = Callable[[NDArray[np.uint8], Tensor, Stopwatch], object]
"""Paints uint8 RGB faces [n, S, S, 3] that were heard as float32 [n, ...], adding its stages to a stopwatch."""

MUSETALK_BATCH = 8  # --batch_size of scripts/inference.py
LATENTSYNC_GUIDANCE = 1.5  # --guidance_scale of scripts/inference.py
VAE_SCALE = 0.18215


def musetalk(checkout: Path, state: Mapping[str, Tensor], vae: Any, device: torch.device) -> Run:  # noqa: ANN401
    """MuseTalk: each face encoded twice, one by one; then batches of eight through the UNet and the decoder."""
    sys.path.insert(0, str(checkout))
    own = importlib.import_module("musetalk.models.unet")
    # musetalk.json, which comes with the weights; what is not named is diffusers' default.
    unet = own.UNet2DConditionModel(
        sample_size=64,
        in_channels=8,
        out_channels=4,
        block_out_channels=(320, 640, 1280, 1280),
        cross_attention_dim=384,
        attention_head_dim=8,
    )
    unet.load_state_dict(state)
    unet.to(device, vae.dtype).eval()
    place = own.PositionalEncoding(d_model=384).to(device)

    @torch.no_grad()
    def run(faces: NDArray[np.uint8], heard: Tensor, watch: Stopwatch) -> object:
        latents = []
        for face in faces:
            with watch.stage("faces to latents"):
                whole = _pixels(face[None], vae)
                masked = whole.clone()
                masked[:, :, 128:] = -1  # black
                encoded = [vae.encode(part).latent_dist.sample() * VAE_SCALE for part in (masked, whole)]
                latents.append(torch.cat(encoded, dim=1))
        painted = []
        for start in range(0, len(faces), MUSETALK_BATCH):
            batch = slice(start, start + MUSETALK_BATCH)
            with watch.stage("UNet"):
                spoken = place(heard[batch].to(device, vae.dtype)).to(vae.dtype)
                step = torch.tensor([0], device=device)
                made = unet(torch.cat(latents[batch]), step, encoder_hidden_states=spoken).sample
                _finish(device)
            with watch.stage("latents to faces"):
                painted.append(_picture(vae.decode(made / VAE_SCALE).sample))
        return np.concatenate(painted)

    return run


def latentsync(
    checkout: Path,
    state: Mapping[str, Tensor],
    vae: Any,  # noqa: ANN401
    device: torch.device,
    steps: int,
    mask: Tensor,
) -> Run:
    """LatentSync: a block of frames, masked and whole, denoised with guidance.

    mask: float32 [S, S], 1 = keep.
    """
    from diffusers import DDIMScheduler

    sys.path.insert(0, str(checkout))
    # Its module of helpers asks for decord, imageio and matplotlib, and the network only for a log function of it.
    helpers = ModuleType("latentsync.utils.util")
    helpers.__dict__["zero_rank_log"] = lambda *_: None
    sys.modules["latentsync.utils.util"] = helpers
    network = importlib.import_module("latentsync.models.unet").UNet3DConditionModel
    import yaml

    config = yaml.safe_load((checkout / "configs" / "unet" / "stage2.yaml").read_text())
    config["model"]["norm_eps"] = float(config["model"]["norm_eps"])  # "1e-5" is text to YAML, a number to OmegaConf
    unet = network.from_config(config["model"]).to(device, vae.dtype).eval()
    unet.load_state_dict(state)
    scheduler = DDIMScheduler.from_config(json.loads((checkout / "configs" / "scheduler_config.json").read_text()))

    @torch.no_grad()
    def run(faces: NDArray[np.uint8], heard: Tensor, watch: Stopwatch) -> object:
        keep = mask.to(device, vae.dtype)
        with watch.stage("faces to latents"):
            whole = _pixels(faces, vae)
            encoded = [vae.encode(part).latent_dist.sample() * VAE_SCALE for part in (whole * keep, whole)]
            side = whole.shape[-1] // 8
            small = nn.functional.interpolate(keep[None, None], size=(side, side)).expand(len(faces), -1, -1, -1)
            shown = _clip(torch.cat([small, *encoded], dim=1))
        noise = torch.randn(1, 4, 1, side, side, generator=torch.Generator().manual_seed(0)).to(device, vae.dtype)
        latents = noise.expand(-1, -1, len(faces), -1, -1)
        spoken = heard.to(device, vae.dtype)
        spoken = torch.cat([torch.zeros_like(spoken), spoken])
        scheduler.set_timesteps(steps, device=device)
        for time in scheduler.timesteps:
            with watch.stage("UNet"):
                noisy = torch.cat([torch.cat([latents] * 2), torch.cat([shown] * 2)], dim=1)
                silent, loud = unet(noisy, time, encoder_hidden_states=spoken).sample.chunk(2)
                _finish(device)
            predicted = silent + LATENTSYNC_GUIDANCE * (loud - silent)
            latents = scheduler.step(predicted, time, latents).prev_sample
        with watch.stage("latents to faces"):
            return _picture(vae.decode(latents[0].transpose(0, 1) / VAE_SCALE).sample)

    return run


def wav2lip(checkout: Path, state: Mapping[str, Tensor], device: torch.device) -> Run:
    """Wav2Lip: all faces at once (up to 128), as they are and with their lower half black. They are 96 px."""
    sys.path.insert(0, str(checkout))
    network = importlib.import_module("models.wav2lip").Wav2Lip()
    network.load_state_dict(state)
    network.to(device).eval()

    @torch.no_grad()
    def run(faces: NDArray[np.uint8], heard: Tensor, watch: Stopwatch) -> object:
        with watch.stage("network"):
            whole = torch.from_numpy(faces[..., ::-1] / 255.0).permute(0, 3, 1, 2).float().to(device)
            masked = whole.clone()
            masked[:, :, 48:] = 0
            made = network(heard[:, None].to(device), torch.cat([masked, whole], dim=1))
            return (made.cpu().numpy().transpose(0, 2, 3, 1) * 255).astype(np.uint8)

    return run


def autoencoder(device: torch.device) -> Any:  # noqa: ANN401 - diffusers' own types are incomplete
    """sd-vae-ft-mse's network in diffusers, as MuseTalk and LatentSync use it, with random weights."""
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    network: Any = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
    )
    return network.to(device, torch.float16 if device.type == "cuda" else torch.float32).eval()


def _pixels(faces: NDArray[np.uint8], vae: Any) -> Tensor:  # noqa: ANN401
    """[n, 3, S, S], -1 to 1, where the VAE is."""
    floats = torch.from_numpy(faces).permute(0, 3, 1, 2).float() / 127.5 - 1
    return floats.to(vae.device, vae.dtype)


def _picture(decoded: Tensor) -> NDArray[np.uint8]:
    """uint8 RGB [n, S, S, 3] of what the decoder gives."""
    bytes_ = ((decoded / 2 + 0.5).clamp(0, 1) * 255).round()
    return bytes_.permute(0, 2, 3, 1).cpu().to(torch.uint8).numpy()


def _clip(frames: Tensor) -> Tensor:
    """[n, c, h, w] -> [1, c, n, h, w]."""
    return frames.transpose(0, 1)[None]


def _finish(device: torch.device) -> None:
    """Wait for the GPU, so that its work counts where it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize()
