"""HTTP: the models panel sees what is installed, and downloads, cancels and verifies files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from aiohttp import web

from ..pipelines.core.errors import InputError
from . import doctor, models

ROOT = "/lipsync_studio/models"
_MOST_BYTES = 4096  # of a request

Answer = Callable[[web.Request], Awaitable[web.Response]]

# Looking through folders may take long on a network disk; one at a time, beside ComfyUI's own threads.
_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-models")


def register(routes: web.RouteTableDef) -> None:
    """Add the panel's routes; ComfyUI serves each under /api too."""
    routes.get(ROOT)(_answering(tell))
    routes.get("/lipsync_studio/doctor")(_answering(examine))
    routes.post(f"{ROOT}/download")(_answering(download))
    routes.post(f"{ROOT}/verify")(_answering(verify))
    routes.post(f"{ROOT}/cancel")(_answering(cancel))


async def tell(request: web.Request) -> dict[str, Any]:
    """`models.snapshot`."""
    return await _in_thread(models.snapshot)


async def examine(request: web.Request) -> dict[str, Any]:
    """{"report": text}, as the node LipSyncDoctor gives it."""
    return {"report": await _in_thread(doctor.written_report)}


async def download(request: web.Request) -> dict[str, Any]:
    """Body: {"file": name in the catalog}. Answers the job; its progress comes as messages `models.NEWS`."""
    key = await _file(request)
    return asdict(await _in_thread(lambda: models.start("download", key)))


async def verify(request: web.Request) -> dict[str, Any]:
    """The same for a check of the hash."""
    key = await _file(request)
    return asdict(await _in_thread(lambda: models.start("verify", key)))


async def cancel(request: web.Request) -> dict[str, Any]:
    """Ends the job of a file at its next piece; nothing when there is none."""
    models.JOBS.cancel(await _file(request))
    return {}


async def _file(request: web.Request) -> str:
    """JSON only, because browsers let no foreign page send that."""
    wrong = InputError(expected='JSON {"file": text}', got="something else", next_step="Use the models panel.")
    if request.content_type != "application/json" or not 0 < (request.content_length or 0) <= _MOST_BYTES:
        raise wrong
    try:
        key = json.loads(await request.read())["file"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise wrong from None
    if not isinstance(key, str):
        raise wrong
    return key


async def _in_thread(work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever `work` gives
    return await asyncio.get_running_loop().run_in_executor(_worker, work)


def _answering(handler: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Answer:
    """JSON: what `handler` gives, or 400 with {"error": text}."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return web.json_response(await handler(request), headers={"Cache-Control": "no-store"})
        except InputError as error:
            return web.json_response({"error": str(error)}, status=400)

    return answer
