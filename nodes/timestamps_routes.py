"""HTTP: what the editor of Edit Timestamps hears and sees, and every format of lyrics for its import and export."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import folder_paths
import numpy as np
from aiohttp import web

from ..pipelines.core.errors import LipSyncError
from ..pipelines.lyrics.formats import json_words
from ..pipelines.lyrics.formats.registry import FORMATS, read_timings, write_timings
from ..pipelines.lyrics.formats.text import MAX_BYTES
from .timestamp_sounds import Sound, Sounds

ROOT = "/lipsync_studio/timestamps"

SOUNDS = Sounds(lambda: Path(folder_paths.get_temp_directory()))

# Each one at a time, beside ComfyUI's own threads. Nobody waits with a file for the picture of an hour.
_painter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-timestamps-pictures")
_reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-timestamps-files")


def register(routes: web.RouteTableDef) -> None:
    """Add the editor's routes; ComfyUI serves each under /api too."""
    routes.get(f"{ROOT}/sound/{{token}}/audio")(audio)
    routes.get(f"{ROOT}/sound/{{token}}/peaks")(peaks)
    routes.get(f"{ROOT}/sound/{{token}}/onsets")(onsets)
    routes.get(f"{ROOT}/sound/{{token}}/spectrogram")(spectrogram)
    routes.get(f"{ROOT}/formats")(formats)
    routes.post(f"{ROOT}/read")(read)
    routes.post(f"{ROOT}/write/{{format}}")(write)


async def audio(request: web.Request) -> web.StreamResponse:
    """The sound as a WAV, any part of it (Range). token, here and below: what the node told the editor.

    Answers 404 when the sound is gone, as all of these do, with {"error": text}.
    """
    known = SOUNDS.get(request.match_info["token"])
    if known is None or not known.path.exists():
        return _gone()
    return web.FileResponse(known.path, headers={"Content-Type": "audio/wav", "Cache-Control": "no-store"})


async def peaks(request: web.Request) -> web.Response:
    """`Sound.peaks` as bytes."""
    return await _drawn(request, _reader, lambda sound: sound.peaks)


async def onsets(request: web.Request) -> web.Response:
    """`Sound.onsets` as float64 of little endian."""
    return await _drawn(request, _painter, lambda sound: sound.onsets.astype("<f8"))


async def spectrogram(request: web.Request) -> web.Response:
    """`Sound.picture` as bytes: a row of 64 for each hundredth of a second."""
    return await _drawn(request, _painter, lambda sound: sound.picture)


async def formats(request: web.Request) -> web.Response:
    """[{"id", "label", "extension"}] of all that can be written."""
    known = [{"id": form.id, "label": form.label, "extension": form.extension} for form in FORMATS.values()]
    return web.json_response(known)


async def read(request: web.Request) -> web.Response:
    """Our JSON of the file in the body. Query: name, the file's. Answers 400 with {"error"} when it cannot be read."""
    data = await _body(request)
    name = request.query.get("name", "")
    return await _answered(lambda: json_words.write(read_timings(data, name)), "application/json")


async def write(request: web.Request) -> web.Response:
    """The text of a file in `format` of our JSON in the body. Answers 400 with {"error"} when it cannot be made."""
    data = await _body(request)
    chosen = request.match_info["format"]
    return await _answered(lambda: write_timings(read_timings(data, "timings.json"), chosen), "text/plain")


async def _body(request: web.Request) -> bytes:
    """At most a byte more than `read_timings` takes: it then says so."""
    pieces, size = [], 0
    async for piece in request.content.iter_chunked(2**16):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_BYTES:
            break
    return b"".join(pieces)[: MAX_BYTES + 1]


async def _answered(made: Callable[[], str], content_type: str) -> web.Response:
    try:
        text = await asyncio.get_running_loop().run_in_executor(_reader, made)
    except LipSyncError as error:
        return _error(400, str(error))
    return web.Response(text=text, content_type=content_type, charset="utf-8")


async def _drawn(
    request: web.Request, worker: ThreadPoolExecutor, values: Callable[[Sound], np.ndarray[Any, Any]]
) -> web.Response:
    known = SOUNDS.get(request.match_info["token"])
    if known is None:
        return _gone()
    try:
        body = await asyncio.get_running_loop().run_in_executor(worker, lambda: values(known).tobytes())
    except FileNotFoundError:  # dropped meanwhile
        return _gone()
    return web.Response(body=body, content_type="application/octet-stream", headers={"Cache-Control": "no-store"})


def _gone() -> web.Response:
    return _error(404, "This sound is no longer in memory. Run the graph once to hear it again.")


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
