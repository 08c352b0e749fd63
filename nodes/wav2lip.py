"""The node that loads Wav2Lip, which is for non-commercial use only."""

from __future__ import annotations

from typing import Final

from comfy_api.latest import io

from ..pipelines.core.errors import InputError
from ..pipelines.engines.wav2lip.engine import Wav2LipEngine
from ..pipelines.weights.catalog import WAV2LIP_GAN
from ..pipelines.weights.loaders import load_wav2lip
from .sockets import LipSyncEngine
from .weight_files import OWN_FOLDER, file_input, full_path, missing

ACCEPTANCE: Final = "I accept the non-commercial licence"
TERMS: Final = (
    "Wav2Lip's authors allow research, academic and personal use; as it was trained on the LRS2 dataset, any "
    "commercial use is prohibited."
)


class LoadWav2Lip(io.ComfyNode):
    """Node: Wav2Lip from the user's file."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLoadWav2Lip",
            display_name="Load Wav2Lip (non-commercial)",
            category="LipSync Studio",
            description="For non-commercial use only. Wav2Lip follows the sound closely and needs little memory, but "
            "paints the face at 96 px: for small faces and first tries. The weights are yours to download; the help "
            "page says which and where they go.",
            search_aliases=["lip", "talk", "dub", "wav2lip loader", "lip sync model", "non-commercial"],
            inputs=[
                file_input("model", OWN_FOLDER, WAV2LIP_GAN),
                io.Boolean.Input(
                    "accept_non_commercial_licence",
                    display_name=ACCEPTANCE,
                    default=False,
                    tooltip=f"{TERMS} While this is off, nothing is loaded.",
                ),
            ],
            outputs=[LipSyncEngine.Output(display_name="engine")],
        )

    @classmethod
    def validate_inputs(cls, model: str | None, accept_non_commercial_licence: bool | None) -> bool | str:
        """The inputs are None where another node gives them; then `execute` finds out."""
        if accept_non_commercial_licence is False:
            return str(_refusal())
        return missing(OWN_FOLDER, model, WAV2LIP_GAN) or True

    @classmethod
    def execute(cls, model: str, accept_non_commercial_licence: bool) -> io.NodeOutput:
        if not accept_non_commercial_licence:
            raise _refusal()
        return io.NodeOutput(Wav2LipEngine(load_wav2lip(full_path(OWN_FOLDER, model))))


def _refusal() -> InputError:
    return InputError(
        expected=f"`{ACCEPTANCE}` to be on",
        got="off",
        next_step=f"{TERMS} Turn it on if your use is one of these; else take Load MuseTalk or Load LatentSync.",
    )
