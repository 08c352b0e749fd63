"""The nodes: a schema and a few lines each. What they do is in `pipelines`."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io
from server import PromptServer

from . import routes
from .detectors import LoadReferenceDetector
from .engines import LoadMuseTalk, UseDraftEngine
from .faces import ChooseSpeaker, FacePreprocess
from .lyrics import ReadLyrics, SaveLyrics
from .masks import FaceParsing, SetBlending
from .merge import MergeSpeakers
from .overlay import LyricOverlay, LyricOverlayImages
from .sample import LipSyncImages, LipSyncVideo
from .shift import BBoxShift


class LipSyncStudio(ComfyExtension):
    """The pack, as ComfyUI asks for it."""

    async def on_load(self) -> None:
        """Called once, before ComfyUI begins to serve."""
        routes.register(PromptServer.instance.routes)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The node classes, in the order people use them."""
        return [
            LoadMuseTalk,
            UseDraftEngine,
            LoadReferenceDetector,
            FacePreprocess,
            ChooseSpeaker,
            BBoxShift,
            FaceParsing,
            SetBlending,
            LipSyncImages,
            LipSyncVideo,
            MergeSpeakers,
            ReadLyrics,
            SaveLyrics,
            LyricOverlay,
            LyricOverlayImages,
        ]
