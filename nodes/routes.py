"""HTTP: preview pictures of BBox Shift for the editor."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from ..pipelines.core.errors import InputError, LipSyncError
from .previews import PREVIEWS, ShiftSettings

log = logging.getLogger(__name__)

# One picture at a time, beside ComfyUI's own threads: whoever scrubs fast waits, and nothing else does.
_painter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-preview")


def register(routes: web.RouteTableDef) -> None:
    """Add the pack's routes; ComfyUI serves each under /api too."""
    routes.get("/lipsync_studio/preview/{token}/{frame}")(preview)


async def preview(request: web.Request) -> web.Response:
    """A JPEG of one frame. token: what BBox Shift told the editor. Query: `ShiftSettings` by name.

    Answers 400 to bad values, 404 when the result is gone, 422 when the clip cannot be read, each with {"error": text}.
    """
    known = PREVIEWS.get(request.match_info["token"])
    if known is None:
        return _error(404, "This preview is no longer in memory. Run the graph once to see it again.")
    try:
        frame, settings = _number(request.match_info["frame"]), ShiftSettings.read(request.query)
        jpeg = await asyncio.get_running_loop().run_in_executor(_painter, PREVIEWS.draw, known, frame, settings)
    except InputError as error:
        return _error(400, str(error))
    except LipSyncError as error:
        return _error(422, str(error))
    except Exception:
        log.exception("LipSync Studio: the preview of frame %s failed", request.match_info["frame"])
        return _error(500, "The preview could not be drawn; the log of ComfyUI says why.")
    return web.Response(body=jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) < 10):
        raise InputError(expected="the number of a frame", got=repr(text[:20]), next_step="Count from 0.")
    return int(text)


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
