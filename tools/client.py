"""Drives a running ComfyUI the way its own editor does: graphs through POST /prompt, news through /ws."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar
from uuid import uuid4

import aiohttp

Graph = dict[str, dict[str, Any]]
"""A graph in API format: node id -> {"class_type", "inputs"}."""

T = TypeVar("T")

# Kinds of binary messages (ComfyUI's protocol.py, BinaryEventTypes) that this client understands.
PREVIEW_IMAGE, TEXT = 1, 3


@dataclass(frozen=True)
class Event:
    """One message of the server, as named by ComfyUI ("executing", "progress_state", "executed", ...).

    Two more come from binary messages: "progress_text" {node, text} and "preview" {image: encoded bytes}.
    """

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Failure:
    """Why a graph has no result.

    kind: "rejected" before anything ran (HTTP 400), "raised" by a node, or "interrupted". message: for people.
    node: id of the node at fault, None when it is the graph as a whole. details: all that the server said.
    """

    kind: Literal["rejected", "raised", "interrupted"]
    message: str
    node: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """What became of one graph. outputs: node id -> what it shows, as in ComfyUI's history."""

    events: tuple[Event, ...]
    outputs: Mapping[str, Any]
    failure: Failure | None

    @property
    def executed(self) -> tuple[str, ...]:
        """Ids of the nodes that ran, in order."""
        return tuple(event.data["node"] for event in self._of("executing") if event.data["node"] is not None)

    @property
    def cached(self) -> tuple[str, ...]:
        """Ids of the nodes whose earlier results were used again."""
        return tuple(node for event in self._of("execution_cached") for node in event.data["nodes"])

    @property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """(node id, text) of every status text that nodes showed, in order."""
        return tuple((event.data["node"], event.data["text"]) for event in self._of("progress_text"))

    def files(self) -> list[dict[str, str]]:
        """Every saved file: {"filename", "subfolder", "type"}."""
        shown = (items for output in self.outputs.values() for items in output.values())
        return [item for items in shown for item in items if isinstance(item, dict) and "filename" in item]

    def _of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]


@dataclass(frozen=True)
class Client:
    """Talks to the ComfyUI at `url`. Calls wait for their answer; they may be made from several threads."""

    url: str

    def get(self, path: str) -> Any:  # noqa: ANN401 - whatever JSON the server answers
        """The JSON at `path`."""
        return _wait(self._request("GET", path))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """The JSON answer to `body`; None when the answer is empty."""
        return _wait(self._request("POST", path, json=body))

    def object_info(self) -> dict[str, Any]:
        """Every node the server knows: id -> its inputs, outputs and texts."""
        return dict(self.get("/object_info"))

    def interrupt(self) -> None:
        """What the stop button does."""
        self.post("/interrupt", {})

    def upload(self, path: Path) -> str:
        """Put a file into the server's input folder; the name that loader nodes know it by."""

        async def send() -> Any:  # noqa: ANN401
            with path.open("rb") as file:
                form = aiohttp.FormData({"image": file, "overwrite": "true"})
                return await self._request("POST", "/upload/image", data=form)

        return str(_wait(send())["name"])

    def run(self, graph: Graph, on_event: Callable[[Event], None] | None = None, timeout: float | None = 600) -> Result:
        """Run `graph` to its end. `on_event` is called with every message as it comes, in another thread.

        A graph that fails is a `Result` with a `failure`. Raises ConnectionError when the server goes away, and
        TimeoutError after `timeout` seconds (None: never).
        """
        try:
            return _wait(asyncio.wait_for(self._run(graph, on_event or _ignore), timeout))
        except asyncio.TimeoutError as error:  # another class than TimeoutError in Python 3.10
            raise TimeoutError(f"The graph was still running after {timeout} s.") from error
        except aiohttp.ClientError as error:
            raise ConnectionError(f"ComfyUI went away: {error}") from error

    async def _run(self, graph: Graph, on_event: Callable[[Event], None]) -> Result:
        client_id = uuid4().hex
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.ws_connect("/ws", params={"clientId": client_id}, max_msg_size=0) as socket,
        ):
            async with session.post("/prompt", json={"prompt": graph, "client_id": client_id}) as response:
                answer = await response.json()
            if response.status == 400:
                return Result((), {}, _rejection(answer))
            response.raise_for_status()
            events = await _follow(socket, answer["prompt_id"], on_event)
            async with session.get(f"/history/{answer['prompt_id']}") as response:
                history = (await response.json())[answer["prompt_id"]]
        return Result(tuple(events), history["outputs"], _failure(events))

    async def _request(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401
        async with (
            aiohttp.ClientSession(self.url, raise_for_status=True) as session,
            session.request(method, path, **content) as response,
        ):
            body = await response.read()
            return json.loads(body) if body else None


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in a thread of its own, so that callers may have an event loop (Playwright has one)."""
    thread = ThreadPoolExecutor(max_workers=1)
    try:
        return thread.submit(asyncio.run, work).result()
    finally:
        thread.shutdown(wait=False)  # an interrupted caller goes on at once, and can stop the server


def _ignore(event: Event) -> None:
    pass


async def _follow(
    socket: aiohttp.ClientWebSocketResponse, prompt_id: str, on_event: Callable[[Event], None]
) -> list[Event]:
    """Collect the messages of one prompt until the server has put its result into the history."""
    events: list[Event] = []
    async for message in socket:
        event = _event(message)
        if event is None or event.data.get("prompt_id", prompt_id) != prompt_id:
            continue
        events.append(event)
        on_event(event)
        if event.kind == "executing" and event.data["node"] is None:
            return events
    raise ConnectionError("ComfyUI went away while the graph ran.")


def _event(message: aiohttp.WSMessage) -> Event | None:
    if message.type is aiohttp.WSMsgType.TEXT:
        content = json.loads(message.data)
        return Event(content["type"], content["data"])
    if message.type is not aiohttp.WSMsgType.BINARY:
        return None
    (kind,) = struct.unpack_from(">I", message.data)
    body = message.data[4:]
    if kind == TEXT:
        (length,) = struct.unpack_from(">I", body)
        return Event("progress_text", {"node": body[4 : 4 + length].decode(), "text": body[4 + length :].decode()})
    if kind == PREVIEW_IMAGE:  # four bytes say JPEG or PNG, then comes the file
        return Event("preview", {"image": body[4:]})
    return None


def _rejection(answer: Mapping[str, Any]) -> Failure:
    """The server's own words; those about single nodes, if any, because they say what to mend."""
    reports: Mapping[str, Any] = answer["node_errors"]
    sentences = [
        f"{report['class_type']}: {error['message']}: {error['details']}"
        for report in reports.values()
        for error in report["errors"]
    ]
    if not sentences:
        sentences = [f"{answer['error']['message']} {answer['error']['details']}".strip()]
    return Failure("rejected", "\n".join(sorted(sentences)), next(iter(reports), None), answer)


def _failure(events: list[Event]) -> Failure | None:
    for event in events:
        if event.kind == "execution_error":
            return Failure("raised", event.data["exception_message"].strip(), event.data["node_id"], event.data)
        if event.kind == "execution_interrupted":
            return Failure("interrupted", "The run was interrupted.", event.data["node_id"], event.data)
    return None
