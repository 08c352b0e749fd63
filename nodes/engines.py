"""The nodes that provide an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

from comfy_api.latest import io

from ..pipelines.engines.draft import DraftEngine
from ..pipelines.engines.musetalk.engine import MuseTalkEngine
from ..pipelines.engines.sd_vae import VAE
from ..pipelines.networks.precision import WeightType
from ..pipelines.weights.catalog import MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY
from ..pipelines.weights.identify import MuseTalkVersion
from ..pipelines.weights.loaders import load_musetalk_unet, load_whisper_encoder
from .sockets import LipSyncEngine
from .weight_files import file_input, full_path, missing

AUTO: Final = "auto"


class UseDraftEngine(io.ComfyNode):
    """Node: the engine that needs no weights."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncDraftEngine",
            display_name="Draft Engine (checks timing, not looks)",
            category="LipSync Studio",
            description="Draft: checks timing, not looks. Warps the mouth of the picture by the loudness of the "
            "audio. Needs no model download and no GPU.",
            search_aliases=["lip", "draft", "preview engine"],
            inputs=[],
            outputs=[LipSyncEngine.Output(display_name="engine")],
        )

    @classmethod
    def execute(cls) -> io.NodeOutput:
        return io.NodeOutput(DraftEngine())


class LoadMuseTalk(io.ComfyNode):
    """Node: MuseTalk 1.5 or 1.0 from the user's files."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLoadMuseTalk",
            display_name="Load MuseTalk",
            category="LipSync Studio",
            description="MuseTalk repaints the lower half of the face at 256 px. The weights are yours to download; "
            "the help page says which and where they go.",
            search_aliases=["lip", "talk", "dub", "musetalk loader", "lip sync model"],
            inputs=[
                file_input("unet", "diffusion_models", MUSETALK_V15_UNET),
                io.Vae.Input("vae", tooltip=f"From Load VAE: {SD_VAE.what}. {SD_VAE.advice}"),
                file_input("whisper", "audio_encoders", WHISPER_TINY),
                io.Combo.Input(
                    "version",
                    options=[AUTO, *get_args(MuseTalkVersion)],
                    default=AUTO,
                    advanced=True,
                    tooltip="Which release the UNet is. Both have the same shapes; auto tells by the file's size, "
                    "metadata, name and folder.",
                ),
                io.Combo.Input(
                    "weight_dtype",
                    options=list(get_args(WeightType)),
                    default="default",
                    advanced=True,
                    tooltip="How the UNet's weights are kept. fp8 halves the memory of fp16; ComfyUI casts them for "
                    "computing.",
                ),
            ],
            outputs=[LipSyncEngine.Output(display_name="engine")],
        )

    @classmethod
    def validate_inputs(cls, unet: str | None, whisper: str | None) -> bool | str:
        """The inputs are None where another node gives them; then `execute` finds out."""
        wanted = (("diffusion_models", unet, MUSETALK_V15_UNET), ("audio_encoders", whisper, WHISPER_TINY))
        return " ".join(filter(None, (missing(*file) for file in wanted))) or True

    @classmethod
    def execute(
        cls, unet: str, vae: VAE, whisper: str, version: MuseTalkVersion | Literal["auto"], weight_dtype: WeightType
    ) -> io.NodeOutput:
        files = full_path("diffusion_models", unet), full_path("audio_encoders", whisper)
        chosen = None if version == AUTO else version
        return io.NodeOutput(musetalk_engine(files[0], vae, files[1], chosen, weight_dtype))


def musetalk_engine(
    unet: Path,
    vae: VAE,
    whisper: Path,
    version: MuseTalkVersion | None = None,
    weight_type: WeightType = "default",
) -> MuseTalkEngine:
    """MuseTalk from its files; version: None where the file is to tell. Raises WeightsError."""
    encoder = load_whisper_encoder(whisper)
    network, release = load_musetalk_unet(unet, version, weight_type)
    return MuseTalkEngine(network, vae, encoder, release, network.block)
