"""Where the crop sits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

import numpy as np
import torch
from comfy_api.latest import Input, io
from PIL import Image
from torch import Tensor

from ..pipelines.core.faces import SpeakerFaces
from ..pipelines.faces.crop import plan_crops
from ..pipelines.faces.speaker import speaker_track
from ..pipelines.preview import preview_frame as draw_frame
from .inputs import clip_of
from .previews import BOUNDS, OWN_MARGIN, PREVIEWS, Convention, ShiftSettings
from .sockets import LipSyncFaces


class BBoxShift(io.ComfyNode):
    """Node: move the crop without detecting again, and look at it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def pixels(name: str, default: int, tooltip: str, optional: bool = False) -> io.Int.Input:
            least, most = BOUNDS[name]
            return io.Int.Input(name, default=default, min=least, max=most, tooltip=tooltip, optional=optional)

        return io.Schema(
            node_id="LipSyncBBoxShift",
            display_name="BBox Shift",
            category="LipSync Studio",
            description="Moves the half line of MuseTalk's crop. Down (+) opens the mouth more, up (-) less. Shows "
            "any frame with the crop on it. Changes arithmetic only: faces are not detected again.",
            search_aliases=["lip", "musetalk", "bbox_shift", "mouth openness", "face preview"],
            inputs=[
                LipSyncFaces.Input("faces"),
                pixels("bbox_shift", 0, "Pixels of the source picture. The range that suits this clip is shown below."),
                pixels("extra_margin", OWN_MARGIN, "Pixels the crop reaches below the chin. -1: as `convention` says."),
                # Optional, so that a graph in API format may name only what it changes.
                pixels("upper_bound", 0, "Pixels. Moves the crop's upper edge down (+) or up (-).", optional=True),
                io.Combo.Input(
                    "convention",
                    options=list(get_args(Convention)),
                    default=ShiftSettings.convention,
                    optional=True,
                    tooltip="Room below the chin where extra_margin is -1. MuseTalk 1.5: 10 px, 1.0: none; the "
                    "engine's own is what the connected engine was made for.",
                ),
                io.Float.Input(
                    "smoothing",
                    default=ShiftSettings.smoothing,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="Steadies the crop over time, never across a cut. 0: as the faces were found.",
                ),
                io.MultiType.Input(
                    "source",
                    [io.Video, io.Image],
                    optional=True,
                    tooltip="The clip, for the preview only. Without it the faces are drawn on a dark canvas.",
                ),
                io.Int.Input(
                    "preview_frame",
                    default=0,
                    min=0,
                    max=2**31 - 1,
                    optional=True,
                    tooltip="The frame of the `preview` output, from 0; past the end, the last one. The slider below "
                    "shows any frame without running the graph.",
                ),
            ],
            outputs=[
                LipSyncFaces.Output(display_name="faces"),
                io.String.Output(display_name="range"),
                io.Image.Output(display_name="preview"),
            ],
            is_output_node=True,  # so that it can be run on its own, for the preview
        )

    @classmethod
    def execute(
        cls,
        faces: SpeakerFaces,
        source: Tensor | Input.Video | None = None,
        preview_frame: int = 0,
        **widgets: Any,  # noqa: ANN401 - the fields of ShiftSettings
    ) -> io.NodeOutput:
        settings = ShiftSettings(**widgets)
        shifted = settings.apply(faces)
        track = speaker_track(shifted)
        clip = None if source is None else clip_of(source)
        frame = min(preview_frame, len(track) - 1)
        drawn = draw_frame(clip, shifted, track, frame)
        low, high = plan_crops(track, shifted.crop).shift_range
        shown = {
            "token": PREVIEWS.keep(shifted, clip),
            "frame": frame,
            "frames": len(track),
            "range": [low, high],
            "settings": asdict(settings),
        }
        text = f"bbox_shift {low} to {high} suits this clip"
        return io.NodeOutput(shifted, text, _image(drawn), ui={"lipsync_preview": [shown]})


def _image(picture: Image.Image) -> Tensor:
    """IMAGE [1, H, W, 3]."""
    return torch.from_numpy(np.asarray(picture, np.float32) / 255)[None]
