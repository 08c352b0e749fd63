"""A request for a job whose client goes away in the middle of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import folder_paths
import pytest
from aiohttp import web
from lipsync_studio.nodes.jobs_errors import RequestError
from lipsync_studio.nodes.jobs_files import Limits, Uploads
from lipsync_studio.nodes.jobs_request import read_request

WITHIN_SECONDS = 60
FORM = b'--x\r\nContent-Disposition: form-data; name="audio"\r\n\r\n' + bytes(100_000)
JSON = b'{"video": "clip.mp4", '


async def cut_off(kind: str, body: bytes) -> Exception:
    """What reading a request ends with whose connection is closed after `body`, of which more was announced."""
    began, ended = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def read(request: web.Request) -> web.Response:
        began.set()
        try:
            await read_request(request, Uploads(str(uuid4())), Limits())
        except Exception as error:
            ended.set_result(error)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", read)
    runner = web.AppRunner(app)  # as ComfyUI has it
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        _, writer = await asyncio.open_connection(*runner.addresses[0])
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 1000000\r\n\r\n"
        writer.write(head.encode() + body)
        await asyncio.wait_for(began.wait(), WITHIN_SECONDS)
        writer.close()
        return await asyncio.wait_for(ended, WITHIN_SECONDS)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("kind", "body"), [("multipart/form-data; boundary=x", FORM), ("application/json", JSON)], ids=["form", "JSON"]
)
def test_a_client_that_goes_away_is_no_fault_of_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, body: bytes
) -> None:
    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    error = asyncio.run(cut_off(kind, body))
    assert isinstance(error, RequestError), repr(error)
    assert error.status == 400
