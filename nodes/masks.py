"""What of the face is replaced, and how it is laid over the picture."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import folder_paths
from comfy_api.latest import io

from ..pipelines.blending.compositor import BlendSettings
from ..pipelines.blending.masks import MaskSettings
from ..pipelines.blending.parsed_masks import LABELS_SIDE, ParsedMaskSettings, Region
from ..pipelines.blending.parsing import FaceParsing as Parsing
from ..pipelines.weights.catalog import FACE_PARSER
from ..pipelines.weights.loaders import load_face_parser
from .sockets import LipSyncBlending, LipSyncParsing
from .weight_files import file_input, full_path, missing

FOLDER = "face_parsing"
folder_paths.add_model_folder_path(FOLDER, str(Path(folder_paths.models_dir) / FOLDER))


class FaceParsing(io.ComfyNode):
    """Node: MuseTalk's own mask, from the parts of the face."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        cheek = "Pixels of the 512 px map between its middle and the cheek, where `jaw` is trimmed. MuseTalk 1.5: 90."
        return io.Schema(
            node_id="LipSyncFaceParsing",
            display_name="Face Parsing Mask",
            category="LipSync Studio",
            description="MuseTalk's own mask: skin, mouth and jaw as the BiSeNet face parser sees them. Without it the "
            "samplers make a mask from the landmarks, which needs no weights. The parser was trained on data for "
            "non-commercial use.",
            search_aliases=["lip", "mask", "bisenet", "musetalk mask"],
            inputs=[
                file_input("parser", FOLDER, FACE_PARSER),
                io.Combo.Input(
                    "region",
                    options=list(get_args(Region)),
                    default="jaw",
                    tooltip="jaw: skin with room for the chin (MuseTalk 1.5); raw: skin and mouth as they are (1.0); "
                    "neck: the neck too.",
                ),
                io.Int.Input("left_cheek", default=90, min=0, max=LABELS_SIDE // 2, advanced=True, tooltip=cheek),
                io.Int.Input("right_cheek", default=90, min=0, max=LABELS_SIDE // 2, advanced=True, tooltip=cheek),
                io.Float.Input(
                    "feather",
                    default=ParsedMaskSettings.feather,
                    min=0.0,
                    max=0.5,
                    step=0.01,
                    advanced=True,
                    tooltip="Width of the soft edge, as a part of the parsed square (1.5 times the face's box).",
                ),
            ],
            outputs=[LipSyncParsing.Output(display_name="parsing")],
        )

    @classmethod
    def validate_inputs(cls, parser: str | None) -> bool | str:
        """The input is None where another node gives it; then `execute` finds out."""
        return missing(FOLDER, parser, FACE_PARSER) or True

    @classmethod
    def execute(cls, parser: str, region: Region, left_cheek: int, right_cheek: int, feather: float) -> io.NodeOutput:
        settings = ParsedMaskSettings(region, left_cheek, right_cheek, feather)
        return io.NodeOutput(Parsing(load_face_parser(full_path(FOLDER, parser)), settings))


class SetBlending(io.ComfyNode):
    """Node: how the painted mouth is laid over the picture."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def share(name: str, default: float, most: float, tooltip: str) -> io.Float.Input:
            return io.Float.Input(name, default=default, min=0.0, max=most, step=0.01, tooltip=tooltip)

        return io.Schema(
            node_id="LipSyncBlendSettings",
            display_name="Blend Settings",
            category="LipSync Studio",
            description="How the painted mouth is laid over the picture: the mask's edge, its steadiness, colour and "
            "sharpness. Connect it to `blending` of LipSync Video or MuseTalk Sample.",
            search_aliases=["lip", "blend", "seam", "color match", "feather"],
            inputs=[
                share(
                    "mask_grow",
                    MaskSettings.grow,
                    0.25,
                    "How far the mask reaches beyond the jaw line (or your own mask), as a part of the crop's side. "
                    "Not used with Face Parsing Mask.",
                ),
                share(
                    "mask_feather",
                    MaskSettings.feather,
                    0.25,
                    "Width of the mask's soft edge, as a part of the crop's side. Not used with Face Parsing Mask.",
                ),
                share("steady_mask", 0.0, 1.0, "Smooths the mask over time, never across a cut. 0 is off."),
                share(
                    "match_color", 0.0, 1.0, "Gives the painted mouth the colours of the face around it, shot by shot."
                ),
                share(
                    "match_sharpness", 0.0, 1.0, "Sharpens or softens the painted mouth to match the face around it."
                ),
            ],
            outputs=[LipSyncBlending.Output(display_name="blending")],
        )

    @classmethod
    def execute(
        cls,
        mask_grow: float,
        mask_feather: float,
        steady_mask: float,
        match_color: float,
        match_sharpness: float,
    ) -> io.NodeOutput:
        mask = MaskSettings(grow=mask_grow, feather=mask_feather)
        return io.NodeOutput(BlendSettings(mask, steady_mask, match_color, match_sharpness))
