"""The nodes: a schema and a few lines each. What they do is in `pipelines`."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .engines import LoadMuseTalk, UseDraftEngine
from .faces import BBoxShift, FacePreprocess
from .masks import FaceParsing
from .sample import LipSyncImages, LipSyncVideo


class LipSyncStudio(ComfyExtension):
    """The pack, as ComfyUI asks for it."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """The node classes, in the order people use them."""
        return [LoadMuseTalk, UseDraftEngine, FacePreprocess, BBoxShift, FaceParsing, LipSyncImages, LipSyncVideo]
