"""HTTP: what the file in a loader holds, for web/run_summary.js to show in a sampler before its run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import folder_paths
from aiohttp import web

from ..pipelines.core.errors import LipSyncError
from ..pipelines.media.decode import open_video
from ..pipelines.media.overview import sound_overview
from .run_summary import PEAKS, audio_line, clip_line, percent

log = logging.getLogger(__name__)

REMEMBERED: Final = 64  # files

# One file at a time, beside ComfyUI's own threads: an hour of sound takes seconds.
_reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-input")


def register(routes: web.RouteTableDef) -> None:
    """Add the route; ComfyUI serves it under /api too."""
    routes.get("/lipsync_studio/input/{kind}")(overview)


async def overview(request: web.Request) -> web.Response:
    """{"line": text}, for sound also {"peaks": see `run_summary.peaks`}. kind: "clip" or "audio". Query: name, as Load
    Video and Load Audio have it.

    Answers 404 when there is no such kind or file, 422 when it cannot be read, each with {"error": text}.
    """
    tell, path = TELLERS.get(request.match_info["kind"]), _path(request.query.get("name", ""))
    if tell is None or path is None:
        return web.json_response({"error": "There is no such file."}, status=404)
    try:
        state = path.stat()
        seen = (state.st_mtime_ns, state.st_size)
        told = await asyncio.get_running_loop().run_in_executor(_reader, _told, tell, path, seen)
    except (LipSyncError, OSError) as error:
        return web.json_response({"error": str(error)}, status=422)
    return web.json_response(told)


@lru_cache(REMEMBERED)
def _told(tell: Callable[[Path], dict[str, Any]], path: Path, seen: tuple[int, int]) -> dict[str, Any]:
    """seen: when the file was changed and how large it is, so that another one of its name is read anew."""
    return tell(path)


def _clip(path: Path) -> dict[str, Any]:
    return {"line": clip_line(open_video(path))}


def _audio(path: Path) -> dict[str, Any]:
    found = sound_overview(path, PEAKS)
    return {"line": audio_line(found.seconds, found.rate), "peaks": percent(found.loudest)}


TELLERS: Final[Mapping[str, Callable[[Path], dict[str, Any]]]] = {"clip": _clip, "audio": _audio}


def _path(name: str) -> Path | None:
    """The file that a loader's name means; None when there is none, or when it leads out of ComfyUI's folders."""
    try:
        path = Path(folder_paths.get_annotated_filepath(name)) if name else None
        return path if path is not None and path.is_file() else None
    except (ValueError, OSError):  # a name that is no name
        return None
