"""The pack's own socket types. Everything else uses ComfyUI's."""

from __future__ import annotations

from comfy_api.latest import io

LipSyncEngine = io.Custom("LIPSYNC_ENGINE")
LipSyncParsing = io.Custom("LIPSYNC_PARSING")
LipSyncFaces = io.Custom("LIPSYNC_FACES")
