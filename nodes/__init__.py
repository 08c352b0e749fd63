"""The nodes: a schema and a few lines each. What they do is in `pipelines`."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io
from server import PromptServer

from . import did_routes, input_overviews, jobs_routes, models_routes, routes, timestamps_routes
from .align import AlignLyrics
from .detectors import LoadReferenceDetector
from .did import DIDTalk
from .doctor import Doctor
from .edit_timestamps import EditTimestamps
from .engines import LoadMuseTalk, UseDraftEngine
from .faces import ChooseSpeaker, FacePreprocess
from .latentsync import LoadLatentSync
from .lyrics import ReadLyrics, SaveLyrics
from .masks import FaceParsing, SetBlending
from .measure import QualityReport, Score
from .merge import MergeSpeakers
from .overlay import LyricOverlay, LyricOverlayImages
from .sample import LipSyncImages, LipSyncVideo
from .select import SelectEngine
from .shift import BBoxShift
from .timestamps import LoadWhisper, WordTimestamps
from .wav2lip import LoadWav2Lip


class LipSyncStudio(ComfyExtension):
    """The pack, as ComfyUI asks for it."""

    async def on_load(self) -> None:
        """Called once, before ComfyUI begins to serve."""
        routes.register(PromptServer.instance.routes)
        did_routes.register(PromptServer.instance.routes)
        timestamps_routes.register(PromptServer.instance.routes)
        models_routes.register(PromptServer.instance.routes)
        jobs_routes.register(PromptServer.instance.routes)
        input_overviews.register(PromptServer.instance.routes)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The node classes, in the order people use them."""
        return [
            LoadMuseTalk,
            LoadLatentSync,
            LoadWav2Lip,
            UseDraftEngine,
            SelectEngine,
            LoadReferenceDetector,
            FacePreprocess,
            ChooseSpeaker,
            BBoxShift,
            FaceParsing,
            SetBlending,
            LipSyncImages,
            LipSyncVideo,
            MergeSpeakers,
            QualityReport,
            Score,
            LoadWhisper,
            WordTimestamps,
            AlignLyrics,
            ReadLyrics,
            EditTimestamps,
            SaveLyrics,
            LyricOverlay,
            LyricOverlayImages,
            DIDTalk,
            Doctor,
        ]
