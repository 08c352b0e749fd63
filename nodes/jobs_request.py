"""Reads POST /lipsync/generate: a form with files in it, or JSON that names files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final, TypeVar

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from .jobs_errors import RequestError
from .jobs_files import Limits, Uploads, named_file
from .jobs_order import FILES, Role, Wishes, parameter, shown

_PIECE: Final = 2**18  # bytes read and written at once
_MOST_JSON: Final = 2**16  # bytes
_MOST_TEXT: Final = 1000  # bytes of a form's field
_BROKEN: Final = (ValueError, RuntimeError, AssertionError, OSError, HttpProcessingError, web.RequestPayloadError)

T = TypeVar("T")

Read = tuple[dict[Role, str], Wishes]
"""Names for loader nodes by what they are for, and all else that is asked."""


async def read_request(request: web.Request, uploads: Uploads, limits: Limits) -> Read:
    """Files of a form go into `uploads`. Raises RequestError (400, 404, 413, 415)."""
    if request.content_type == "application/json":
        files, wishes = await _read_json(request, limits)
    elif request.content_type == "multipart/form-data":
        files, wishes = await _read_form(request, uploads, limits)
    else:
        raise RequestError(
            415,
            "unsupported_media",
            expected="multipart/form-data or application/json",
            got=shown(request.content_type),
            next_step="Set the header Content-Type.",
        )
    if "audio" not in files or ("video" in files) == ("image" in files):
        raise bad_request("audio, and either video or image", f"{', '.join(files) or 'none of them'}")
    return files, wishes


def bad_request(expected: str, got: str) -> RequestError:
    return RequestError(
        400, "bad_request", expected=expected, got=got, next_step="docs/openapi.yaml says what there is."
    )


async def _read_json(request: web.Request, limits: Limits) -> Read:
    body = await _parsed(_at_most(_MOST_JSON, request.content.iter_chunked(_MOST_JSON), "JSON"))
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise bad_request("a JSON object", shown(body[:40]))
    files: dict[Role, str] = {}
    for role in [role for role in FILES if role in fields]:
        name = fields.pop(role)
        if not isinstance(name, str):
            raise bad_request(f"{role}: the name of a file", shown(name))
        files[role] = named_file(role, name, limits)
    return files, Wishes.of_json(fields)


async def _read_form(request: web.Request, uploads: Uploads, limits: Limits) -> Read:
    files: dict[Role, str] = {}
    texts: dict[str, str] = {}
    reader = await _parsed(request.multipart())
    while (part := await _parsed(reader.next())) is not None:
        if not isinstance(part, BodyPartReader):
            raise bad_request("a form of fields", "a form within a form")
        name = _name_of(part)
        if name in files or name in texts:
            raise bad_request("each field once", f"{name} again")
        role = next((role for role in FILES if role == name), None)
        if role is not None:
            files[role] = await uploads.receive(role, _pieces(part), limits)
        else:
            texts[name] = await _text(name, part)
    return files, Wishes.of_texts(texts)


def _name_of(part: BodyPartReader) -> str:
    if part.name is None:
        raise bad_request("a form of fields with names", "a part without one")
    if part.name not in (*FILES, "engine"):
        parameter(part.name)
    return part.name


async def _text(name: str, part: BodyPartReader) -> str:
    try:
        return (await _at_most(_MOST_TEXT, _pieces(part), name)).decode()
    except UnicodeDecodeError:
        raise bad_request("fields in UTF-8", f"other bytes in {name}") from None


async def _at_most(most: int, pieces: AsyncIterator[bytes], what: str) -> bytes:
    collected = bytearray()
    async for piece in pieces:
        collected += piece
        if len(collected) > most:
            raise bad_request(f"{what}: at most {most} bytes", "more")
    return bytes(collected)


async def _pieces(part: BodyPartReader) -> AsyncIterator[bytes]:
    while piece := await _parsed(part.read_chunk(_PIECE)):
        yield piece


async def _parsed(reading: Awaitable[T]) -> T:
    """What aiohttp raises over broken bodies and connections becomes RequestError (400)."""
    try:
        return await reading
    except _BROKEN as error:
        raise bad_request("a whole body in the stated type", f"a broken one ({type(error).__name__})") from error
