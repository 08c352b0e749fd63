"""What finds faces, other than the detectors that come with the pack."""

from __future__ import annotations

from comfy_api.latest import io

from ..pipelines.faces.reference import ReferenceFinder
from ..pipelines.weights.catalog import DWPOSE, S3FD
from ..pipelines.weights.loaders import load_dwpose, load_s3fd
from .sockets import LipSyncDetector
from .weight_files import file_input, full_path, missing

FOLDER = "detection"


class LoadReferenceDetector(io.ComfyNode):
    """Node: the detectors of MuseTalk's own preprocessing."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncLoadDWPose",
            display_name="Load S3FD + DWPose",
            category="LipSync Studio",
            description="MuseTalk's own face detectors, for crops like its own. One face per frame. Slower and coarser "
            "than the detectors that come with the pack, which need no download. Both networks were trained on data "
            "for non-commercial use.",
            search_aliases=["lip", "face detection", "landmarks", "dwpose", "s3fd", "rtmpose", "musetalk preprocess"],
            inputs=[
                file_input("s3fd", FOLDER, S3FD),
                file_input("dwpose", FOLDER, DWPOSE),
                io.Boolean.Input(
                    "exact",
                    default=False,
                    advanced=True,
                    tooltip="On: S3FD searches the full frame, as in MuseTalk; many times slower. Off: it searches the "
                    "frame scaled to 512 px. The landmarks come from the full frame either way.",
                ),
            ],
            outputs=[LipSyncDetector.Output(display_name="detector")],
        )

    @classmethod
    def validate_inputs(cls, s3fd: str | None, dwpose: str | None) -> bool | str:
        """The inputs are None where another node gives them; then `execute` finds out."""
        return " ".join(filter(None, (missing(FOLDER, s3fd, S3FD), missing(FOLDER, dwpose, DWPOSE)))) or True

    @classmethod
    def execute(cls, s3fd: str, dwpose: str, exact: bool) -> io.NodeOutput:
        detector = load_s3fd(full_path(FOLDER, s3fd))
        return io.NodeOutput(ReferenceFinder(detector, load_dwpose(full_path(FOLDER, dwpose)), exact))
