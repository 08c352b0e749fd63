"""Who speaks, and where the crop sits."""

from __future__ import annotations

from comfy_api.latest import Input, io
from torch import Tensor

from ..pipelines.core.types import CropSettings, SpeakerFaces
from ..pipelines.faces.crop import plan_crops
from ..pipelines.lipsync import find_speaker
from .host import ComfyHost
from .inputs import clip_of
from .sockets import LipSyncFaces


class FacePreprocess(io.ComfyNode):
    """Node: find the speaker in every frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncFacePreprocess",
            display_name="Face Preprocess",
            category="LipSync Studio",
            description="Finds the speaker's face and its 68 landmarks in every frame. Frames without a face stay as "
            "they are. Works on a VIDEO without loading it whole. Needs no download.",
            search_aliases=["lip", "talk", "face detection", "landmarks", "musetalk preprocess"],
            inputs=[
                io.MultiType.Input(
                    "source",
                    [io.Video, io.Image],
                    tooltip="The clip: a VIDEO, or an IMAGE batch. Connect the same one to the sampler.",
                ),
            ],
            outputs=[LipSyncFaces.Output(display_name="faces")],
        )

    @classmethod
    def execute(cls, source: Tensor | Input.Video) -> io.NodeOutput:
        return io.NodeOutput(find_speaker(clip_of(source), ComfyHost()))


class BBoxShift(io.ComfyNode):
    """Node: move the crop without detecting again."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncBBoxShift",
            display_name="BBox Shift",
            category="LipSync Studio",
            description="Moves the half line of MuseTalk's crop. Down (+) opens the mouth more, up (-) less. "
            "Changes arithmetic only: faces are not detected again.",
            search_aliases=["lip", "musetalk", "bbox_shift", "mouth openness"],
            inputs=[
                LipSyncFaces.Input("faces"),
                io.Int.Input(
                    "bbox_shift",
                    default=0,
                    min=-200,
                    max=200,
                    tooltip="Pixels of the source picture. The range that suits this clip is in the `range` output.",
                ),
                io.Int.Input(
                    "extra_margin",
                    default=-1,
                    min=-1,
                    max=400,
                    tooltip="Pixels the crop reaches below the chin. -1: the engine's own (MuseTalk 1.5: 10, 1.0: 0).",
                ),
            ],
            outputs=[LipSyncFaces.Output(display_name="faces"), io.String.Output(display_name="range")],
        )

    @classmethod
    def execute(cls, faces: SpeakerFaces, bbox_shift: int, extra_margin: int) -> io.NodeOutput:
        margin = None if extra_margin < 0 else extra_margin
        crop = CropSettings(shift=bbox_shift, margin=margin)
        low, high = plan_crops(faces.track, crop).shift_range
        return io.NodeOutput(SpeakerFaces(faces.track, crop), f"bbox_shift {low} to {high} suits this clip")
