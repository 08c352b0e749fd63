"""HTTP: the settings panel sets, tests and forgets the D-ID key. No answer ever holds it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ..pipelines.cloud.did import DIDClient
from ..pipelines.cloud.key import ApiKey
from ..pipelines.cloud.pace import Pace
from ..pipelines.core.errors import InputError, LipSyncError
from .did_key import NO_KEY, current_key, current_service, forget_key, keep_key, whence

PATH = "/lipsync_studio/did/key"
_MOST_BYTES = 4096  # of a request

Handler = Callable[[web.Request], Awaitable[web.Response]]


def register(routes: web.RouteTableDef) -> None:
    """Add the routes; ComfyUI serves each under /api too."""
    routes.get(PATH)(_answering(tell))
    routes.post(PATH)(_answering(keep))
    routes.delete(PATH)(_answering(forget))
    routes.post(f"{PATH}/test")(_answering(test))


async def tell(request: web.Request) -> dict[str, Any]:
    """{"whence": "environment" | "file" | "nowhere"}."""
    return {"whence": whence()}


async def keep(request: web.Request) -> dict[str, Any]:
    """Body: JSON {"key": text}. JSON only, because browsers let no foreign page send that."""
    if request.content_type != "application/json" or not 0 < (request.content_length or 0) <= _MOST_BYTES:
        raise InputError(expected="a short JSON text", got="something else", next_step="Use the settings panel.")
    try:
        pasted = (await request.json())["key"]
    except (ValueError, KeyError, TypeError):
        pasted = None
    if not isinstance(pasted, str):
        raise InputError(expected='{"key": text}', got="something else", next_step="Use the settings panel.")
    keep_key(ApiKey.read(pasted))
    return {"whence": whence()}


async def forget(request: web.Request) -> dict[str, Any]:
    """Deletes the file; answers where a key is still taken from."""
    forget_key()
    return {"whence": whence()}


async def test(request: web.Request) -> dict[str, Any]:
    """Asks D-ID what is left: {"remaining": credits, "total": credits}. Buys nothing."""
    if whence() == "nowhere":
        raise InputError(expected="a D-ID key", got="none", next_step=NO_KEY)
    client = DIDClient.of(current_service(), current_key(), Pace(silence=20, tries=2))
    left = await asyncio.get_running_loop().run_in_executor(None, client.credits, _Nobody())
    return {"remaining": left.remaining, "total": left.total}


class _Nobody:
    """Waits for an answer without a stop button; the client's own time limits end it."""

    def say(self, text: str) -> None:
        pass

    def check_interrupt(self) -> None:
        pass

    def is_interrupted(self) -> bool:
        return False


def _answering(handler: Callable[[web.Request], Awaitable[dict[str, Any]]]) -> Handler:
    """JSON: what `handler` gives, or 400 (the request is wrong) or 502 (D-ID says no) with {"error": text}.

    403 for a page of another site, also where ComfyUI's own guard is off (--enable-cors-header): it could put the key
    of its own account in the place of the user's, and would get the faces.
    """

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Sec-Fetch-Site") == "cross-site":
            return web.json_response({"error": "Only ComfyUI's own pages may do this."}, status=403)
        try:
            return web.json_response(await handler(request), headers={"Cache-Control": "no-store"})
        except InputError as error:
            return web.json_response({"error": str(error)}, status=400)
        except LipSyncError as error:
            return web.json_response({"error": str(error)}, status=502)

    return answer
