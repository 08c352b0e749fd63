"""LipSync Studio: puts new speech or song on a face in existing footage, inside a ComfyUI graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfy_api.latest import ComfyExtension

WEB_DIRECTORY = "./web"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]


async def comfy_entrypoint() -> ComfyExtension:
    """Called by ComfyUI once at start-up; loads the node schemas, no weights."""
    from .nodes import LipSyncStudio

    return LipSyncStudio()
