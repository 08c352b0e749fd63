"""Who is in the clip, and who of them speaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import torch
from comfy_api.latest import Input, io
from torch import Tensor

from ..pipelines.core.errors import InputError
from ..pipelines.core.faces import MotionSettings, SpeakerChoice, SpeakerFaces
from ..pipelines.core.types import FrameSource
from ..pipelines.faces.finder import Finder
from ..pipelines.faces.given import given_finder
from ..pipelines.faces.given_boxes import BoxFormat
from ..pipelines.faces.likeness import likeness_of
from ..pipelines.faces.mediapipe import MediaPipeFinder
from ..pipelines.faces.speaker import chosen_rows
from ..pipelines.lipsync import find_speaker
from ..pipelines.media.image_picture import ImagePicture
from ..pipelines.roster import describe_people
from .host import ComfyHost
from .inputs import clip_of
from .sockets import BBox, FaceDetectionModel, FaceLandmarks, LipSyncDetector, LipSyncFaces, PoseKeypoint

MOST_PIXELS = 16384  # px, the largest picture that ComfyUI's own nodes know


class FacePreprocess(io.ComfyNode):
    """Node: find everyone in every frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncFacePreprocess",
            display_name="Face Preprocess",
            category="LipSync Studio",
            description="Finds every face and its 68 landmarks in every frame, and who is the same person. Frames "
            "without a face stay as they are. Works on a VIDEO without loading it whole. Needs no download.",
            search_aliases=["lip", "talk", "face detection", "landmarks", "musetalk preprocess"],
            inputs=[
                io.MultiType.Input(
                    "source",
                    [io.Video, io.Image],
                    tooltip="The clip: a VIDEO, or an IMAGE batch. Connect the same one to the sampler.",
                ),
                io.MultiType.Input(
                    "detector",
                    [FaceDetectionModel, LipSyncDetector],
                    optional=True,
                    tooltip="Another detector than the pack's own: from Load Face Detection Model (MediaPipe), or from "
                    "Load S3FD + DWPose.",
                ),
                io.MultiType.Input(
                    "found",
                    [FaceLandmarks, PoseKeypoint, io.BoundingBox, BBox],
                    optional=True,
                    tooltip="Faces that another node found in every frame of this clip. Instead of a detector.",
                ),
                io.Combo.Input(
                    "bbox_format",
                    options=list(get_args(BoxFormat)),
                    default="xywh",
                    optional=True,
                    advanced=True,
                    tooltip="What the four numbers of a BBOX in `found` mean; other sockets say it themselves.",
                ),
            ],
            outputs=[LipSyncFaces.Output(display_name="faces"), io.String.Output(display_name="people")],
        )

    @classmethod
    def execute(
        cls,
        source: Tensor | Input.Video,
        detector: Any = None,  # noqa: ANN401 - a socket of several types
        found: Any = None,  # noqa: ANN401
        bbox_format: BoxFormat = "xywh",
    ) -> io.NodeOutput:
        clip = clip_of(source)
        faces = find_speaker(clip, ComfyHost(), _finder(clip, detector, found, bbox_format))
        return io.NodeOutput(faces, describe_people(faces.found))


def _finder(
    clip: FrameSource,
    detector: Any,  # noqa: ANN401
    found: Any,  # noqa: ANN401
    bbox_format: BoxFormat,
) -> Finder | None:
    """What finds the faces; None for the pack's own. Raises InputError when both inputs are connected."""
    if detector is not None and found is not None:
        raise InputError(
            expected="a detector, or faces that were found already",
            got="both",
            next_step="Disconnect `detector` or `found`.",
        )
    if found is not None:
        return given_finder(found, len(clip.clock), clip.width, clip.height, bbox_format)
    if hasattr(detector, "detect_batch"):  # a model of ComfyUI's own loader
        return MediaPipeFinder(detector)
    return detector


class ChooseSpeaker(io.ComfyNode):
    """Node: who of the people in the clip speaks."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        option = io.DynamicCombo.Option

        def pixels(name: str) -> io.Int.Input:
            return io.Int.Input(
                name, default=0, min=0, max=MOST_PIXELS, tooltip="Pixels of the source picture; 0 is at the top left."
            )

        return io.Schema(
            node_id="LipSyncChooseSpeaker",
            display_name="Choose Speaker",
            category="LipSync Studio",
            description="Who of the people that Face Preprocess found speaks. Without this node it is the one with "
            "the largest face in each shot. Nothing is detected again.",
            search_aliases=["lip", "face index", "select face", "several people", "which face"],
            inputs=[
                LipSyncFaces.Input("faces"),
                io.DynamicCombo.Input(
                    "rule",
                    options=[
                        option("largest", []),
                        option("leftmost", []),
                        option("rightmost", []),
                        option(
                            "person",
                            [
                                io.Int.Input(
                                    "person",
                                    default=0,
                                    min=0,
                                    max=9999,
                                    tooltip="Their number: see the preview of BBox Shift, or the `people` output of "
                                    "Face Preprocess.",
                                )
                            ],
                        ),
                        option(
                            "point",
                            [
                                io.Int.Input(
                                    "frame", default=0, min=0, max=2**31 - 1, tooltip="Number of the frame, from 0."
                                ),
                                pixels("x"),
                                pixels("y"),
                            ],
                        ),
                        option(
                            "reference picture",
                            [io.Image.Input("reference", tooltip="The speaker, best cut out of a frame of this clip.")],
                        ),
                    ],
                    tooltip="largest, leftmost, rightmost: chosen anew in each shot. person: by number, all over the "
                    "clip. point: whose face is at x, y on a frame. reference picture: whose hair, face and clothes "
                    "have its colours.",
                ),
                io.Int.Input(
                    "bridge_gaps",
                    default=MotionSettings.bridge,
                    min=0,
                    max=1000,
                    tooltip="Frames. Where the face is lost for up to as many, inside a shot, its place is filled in "
                    "between. Longer gaps are cutaways and stay as they are.",
                ),
            ],
            outputs=[LipSyncFaces.Output(display_name="faces")],
        )

    @classmethod
    def execute(cls, faces: SpeakerFaces, bridge_gaps: int, rule: dict[str, Any] | None = None) -> io.NodeOutput:
        choice = _choice(rule or {})
        chosen_rows(faces.found, choice)  # a choice that fits nobody is this node's error, not a later one's
        return io.NodeOutput(replace(faces, choice=choice, motion=replace(faces.motion, bridge=bridge_gaps)))


def _choice(rule: dict[str, Any]) -> SpeakerChoice:
    """rule: the name of the rule under "rule", and its own inputs; empty for a name that the node does not have."""
    name = rule.get("rule")
    if name is None:
        raise InputError(
            expected="a rule of Choose Speaker", got="another one", next_step="The node's help page lists them."
        )
    if name == "person":
        return SpeakerChoice("person", person=rule["person"])
    if name == "point":
        return SpeakerChoice("point", frame=rule["frame"], point=(rule["x"], rule["y"]))
    if name == "reference picture":
        picture = ImagePicture(rule["reference"][0].to("cpu", torch.float32))
        return SpeakerChoice("likeness", likeness=likeness_of(picture))
    return SpeakerChoice(name)
