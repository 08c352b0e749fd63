"""The node that loads LatentSync."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, get_args

import comfy.model_management
from comfy_api.latest import io

from ..pipelines.engines.latentsync.engine import LatentSyncEngine, LatentSyncSettings
from ..pipelines.engines.sd_vae import VAE
from ..pipelines.networks.latentsync_unet import LatentSyncUNet
from ..pipelines.networks.precision import WeightType
from ..pipelines.weights.catalog import LATENTSYNC_V15_UNET, SD_VAE, WHISPER_TINY
from ..pipelines.weights.identify import LatentSyncRelease, latentsync_file
from ..pipelines.weights.loaders import load_latentsync_unet, load_whisper_encoder
from .engines import AUTO
from .sockets import LipSyncEngine
from .weight_files import file_input, full_path, missing

RESOLUTIONS: Final = (AUTO, "256", "512")
GB: Final = 10**9


class LoadLatentSync(io.ComfyNode):
    """Node: LatentSync 1.5 or 1.6 from the user's files."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLoadLatentSync",
            display_name="Load LatentSync",
            category="LipSync Studio",
            description="LatentSync makes the lower face anew by diffusion, at 256 or 512 px: closer to the sound than "
            "MuseTalk, and 57 or 248 times its work. Its authors say 8 GB of video memory for 256 px and 18 GB for "
            "512 px. The weights are yours to download; the help page says which and where they go.",
            search_aliases=["lip", "talk", "dub", "latentsync loader", "lip sync model", "diffusion"],
            inputs=[
                file_input("unet", "diffusion_models", LATENTSYNC_V15_UNET),
                io.Vae.Input("vae", tooltip=f"From Load VAE: {SD_VAE.what}. {SD_VAE.advice}"),
                file_input("whisper", "audio_encoders", WHISPER_TINY),
                io.Combo.Input(
                    "resolution",
                    options=list(RESOLUTIONS),
                    default=AUTO,
                    tooltip="px, of the face. 1.5 was trained at 256, 1.6 at 512, which takes four times the memory "
                    "and time; auto takes what the release was trained at, and 256 where the file does not tell.",
                ),
                io.Int.Input("steps", default=20, min=2, max=100, tooltip="Of denoising. Time grows with them."),
                io.Float.Input(
                    "guidance",
                    default=1.5,
                    min=1.0,
                    max=3.0,
                    step=0.1,
                    tooltip="How much more the mouth follows the sound. Too much distorts it. 1 is off and takes half "
                    "the time.",
                ),
                io.Int.Input(
                    "seed",
                    default=1247,
                    min=0,
                    max=2**63 - 1,
                    control_after_generate=io.ControlAfterGenerate.fixed,
                    tooltip="Of the noise that every frame begins with.",
                ),
                io.Combo.Input(
                    "weight_dtype",
                    options=list(get_args(WeightType)),
                    default="default",
                    advanced=True,
                    tooltip="How the UNet's weights are kept: 2.5 GB in fp16, half of it in fp8; ComfyUI casts them "
                    "for computing.",
                ),
                io.Int.Input(
                    "deep_cache",
                    default=1,
                    min=1,
                    max=10,
                    optional=True,
                    advanced=True,
                    tooltip="DeepCache: of so many steps, only the first runs the whole network. Faster, and further "
                    "from the full result; the help page has numbers. 1 is off, 3 is LatentSync's own.",
                ),
            ],
            outputs=[LipSyncEngine.Output(display_name="engine")],
        )

    @classmethod
    def validate_inputs(cls, unet: str | None, whisper: str | None) -> bool | str:
        """The inputs are None where another node gives them; then `execute` finds out."""
        released = latentsync_file(Path(unet or ""))
        wanted = (("diffusion_models", unet, released), ("audio_encoders", whisper, WHISPER_TINY))
        return " ".join(filter(None, (missing(*file) for file in wanted))) or True

    @classmethod
    def execute(
        cls,
        unet: str,
        vae: VAE,
        whisper: str,
        resolution: Literal["auto", "256", "512"],
        steps: int,
        guidance: float,
        seed: int,
        weight_dtype: WeightType,
        deep_cache: int = 1,
    ) -> io.NodeOutput:
        files = full_path("diffusion_models", unet), full_path("audio_encoders", whisper)
        settings = LatentSyncSettings(steps=steps, guidance=guidance, seed=seed, deep_cache=deep_cache)
        return io.NodeOutput(latentsync_engine(files[0], vae, files[1], resolution, settings, weight_dtype))


def latentsync_engine(
    unet: Path,
    vae: VAE,
    whisper: Path,
    resolution: str = AUTO,
    settings: LatentSyncSettings | None = None,
    weight_type: WeightType = "default",
) -> LatentSyncEngine:
    """LatentSync from its files; settings: all but the resolution (see `side_of`). Raises WeightsError."""
    encoder = load_whisper_encoder(whisper)
    network, release = load_latentsync_unet(unet, weight_type)
    chosen = replace(settings or LatentSyncSettings(), resolution=side_of(resolution, release))
    block = network.most_frames(chosen.latent_side)
    engine = LatentSyncEngine(network, vae, encoder.unnormalised, chosen, release, block)
    logging.info("%s %s", engine.spec.label, estimate(network, chosen, block))
    return engine


def side_of(resolution: str, release: LatentSyncRelease) -> Literal[256, 512]:
    """px, of the face; "auto" is what the release was trained at."""
    if resolution == AUTO:
        return 512 if release == "1.6" else 256
    return 512 if resolution == "512" else 256


def estimate(network: LatentSyncUNet, settings: LatentSyncSettings, block: int) -> str:
    """What a run will need, in words: "at 512 px: 2.5 GB of weights and ..."."""
    peak = network.peak_bytes(settings.clips, block, settings.latent_side)
    total = comfy.model_management.get_total_memory(comfy.model_management.get_torch_device())
    return (
        f"at {settings.resolution} px: about {network.weight_bytes / GB:.1f} GB of weights and {peak / GB:.1f} GB to "
        f"paint {block} frames at a time, of {total / GB:.1f} GB that the device has. Where both do not fit, ComfyUI "
        f"keeps part of the weights outside, and guidance takes two turns."
    )
