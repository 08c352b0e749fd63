"""HTTP: the jobs API (docs/openapi.yaml), for programs around ComfyUI."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from uuid import uuid4

from aiohttp import web

from . import jobs
from .jobs_errors import RequestError
from .jobs_files import Limits, Uploads, check_contents
from .jobs_graph import ENGINES, Weights, check_weights
from .jobs_order import Order, Role
from .jobs_request import read_request

log = logging.getLogger(__name__)

ROOT: Final = "/lipsync"
_FRESH: Final = {"Cache-Control": "no-store"}

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# One at a time: what one request sees of a job, another does not change meanwhile.
_worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="lipsync-jobs")


def register(routes: web.RouteTableDef) -> None:
    """Add the API; ComfyUI serves it under /api too, and guards it as it guards its own (origin, host, TLS)."""
    limits = Limits.of_environment()
    routes.get(f"{ROOT}/health")(_answering(lambda request: tell_health(limits)))
    routes.post(f"{ROOT}/generate")(_answering(lambda request: generate(request, limits)))
    routes.get(f"{ROOT}/status/{{id}}")(_answering(tell_status))
    routes.get(f"{ROOT}/download/{{id}}")(_answering(download))
    routes.get(f"{ROOT}/jobs")(_answering(list_jobs))
    routes.delete(f"{ROOT}/jobs/{{id}}")(_answering(delete))
    _worker.submit(jobs.clean_up)


async def tell_health(limits: Limits) -> web.Response:
    """Which engines are ready and what the others lack, the queue, the limits."""
    weights = await asyncio.to_thread(Weights)
    engines = {}
    for name in ENGINES:
        missing = weights.missing(name)
        engines[name] = {"ready": not missing, "missing": missing}
    sizes = {"video_bytes": limits.video, "audio_bytes": limits.audio}
    return _json({"status": "ok", "engines": engines, "queue": jobs.counts(), "limits": sizes})


async def generate(request: web.Request, limits: Limits) -> web.Response:
    """Queues a job: 202 with how it stands. What was uploaded goes when anything is wrong."""
    job = str(uuid4())
    uploads = Uploads(job)
    try:
        files, wishes = await read_request(request, uploads, limits)
        for role, name in files.items():
            await asyncio.to_thread(check_contents, role, name)
        weights = await asyncio.to_thread(Weights)
        check_weights(wishes.engine, weights)
        source: Role = "image" if "image" in files else "video"
        order = Order(files[source], source == "image", files["audio"], wishes)
        item = await jobs.prepare(order, job, weights)
    except BaseException:  # the server may stop, too
        uploads.remove()
        raise
    told = await _in_worker(lambda: jobs.enter(item, wishes.engine))
    return _json(told, 202, {"Location": f"{ROOT}/status/{job}"})


async def tell_status(request: web.Request) -> web.Response:
    """`jobs.tell`."""
    return _json(await _in_worker(lambda: jobs.tell(request.match_info["id"])))


async def download(request: web.Request) -> web.StreamResponse:
    """The MP4, any part of it (Range)."""
    job = request.match_info["id"]
    path = await _in_worker(lambda: jobs.find_result(job))
    headers = {"Content-Type": "video/mp4", "Content-Disposition": f'attachment; filename="{job}.mp4"'}
    return web.FileResponse(path, headers=_FRESH | headers)


async def list_jobs(request: web.Request) -> web.Response:
    """`jobs.tell_all`."""
    return _json({"jobs": await _in_worker(jobs.tell_all)})


async def delete(request: web.Request) -> web.Response:
    """`jobs.delete`."""
    job = request.match_info["id"]
    return _json({"id": job, "outcome": await _in_worker(lambda: jobs.delete(job))})


async def _in_worker(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_worker, work)


def _answering(handler: Handler) -> Handler:
    """What `handler` answers, or {"error": {"code", "message"}}."""

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except RequestError as refused:
            return _error(refused.status, refused.code, str(refused))
        except web.HTTPException:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                return _error(503, "no_space", "The disk of ComfyUI's server is full. Free some space and try again.")
            log.exception("LipSync Studio: %s %s failed", request.method, request.path)
            return _error(500, "internal", "This should not happen; the log of ComfyUI says why.")

    return answer


def _error(status: int, code: str, message: str) -> web.Response:
    return _json({"error": {"code": code, "message": message}}, status)


def _json(values: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(values, status=status, headers=_FRESH | (headers or {}))
