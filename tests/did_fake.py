"""A stand-in for D-ID: a real server on this machine that holds every request against D-ID's published contract.

By itself it does what D-ID does when all goes well. `FakeDID.on` scripts what goes wrong.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from did_contract import contract

# To be found nowhere but in the Authorization header of requests.
KEY = "Y2FuYXJ5QGV4YW1wbGUub3Jn:CANARY-4f9b2e7c1d"
SECRETS = (KEY, KEY.split(":")[1], KEY.split(":")[0], base64.b64encode(KEY.encode()).decode(), "CANARY-SIGNATURE")

NOW = "2026-01-02T03:04:05.678Z"
NAME = re.compile(r"[A-Za-z0-9._-]{1,50}")
ONE_OF_MANY = re.compile(r"^(/[a-z]+)/.+")
SIGNED = "Expires=1767400000&Signature=CANARY-SIGNATURE"


@dataclass(frozen=True)
class Answer:
    """What comes instead of the usual answer.

    hang_up: the connection ends without an answer. done_anyway: what was asked is done all the same. cut: bytes after
    which the connection breaks. drip: seconds between single bytes of the body.
    """

    status: int = 200
    said: Any = None  # JSON
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hang_up: bool = False
    done_anyway: bool = False
    cut: int | None = None
    drip: float = 0.0

    @property
    def content(self) -> bytes:
        return self.body if self.said is None else json.dumps(self.said).encode()


def error(status: int, kind: str, description: str, **headers: str) -> Answer:
    """D-ID's way of saying no."""
    return Answer(status, {"kind": kind, "description": description}, headers=headers)


HANG_UP = Answer(hang_up=True)


@dataclass(frozen=True)
class Asked:
    """A request that came in. call: method and path, with {id} for an id."""

    call: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> Any:  # noqa: ANN401
        return json.loads(self.body)


class FakeDID:
    """url: where it is. asked: all requests so far. breaches: what was against the contract; tests want none."""

    def __init__(self, url: str, video: bytes) -> None:
        """video: what every talk looks like, MP4."""
        self.url = url
        self.asked: list[Asked] = []
        self.breaches: list[str] = []
        self.closing = threading.Event()
        self._contract = contract()
        self._video = video
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """As if it were new."""
        with self._lock:
            self.asked.clear()
            self.breaches.clear()
            self.script: dict[str, deque[Answer]] = {}
            self.talks: dict[str, dict[str, Any]] = {}
            self.uploads: dict[str, bytes] = {}
            self.credits = 20
            self.course = ("created", "started", "done")  # what successive looks at a talk tell
            self.ending: dict[str, Any] = {}  # more about a talk that has ended

    def on(self, call: str, *answers: Answer) -> None:
        """The next answers to `call`, such as "GET /talks/{id}"; then it is the usual ones again."""
        self.script.setdefault(call, deque()).extend(answers)

    def count(self, call: str) -> int:
        return sum(asked.call == call for asked in self.asked)

    def calls(self) -> list[str]:
        return [asked.call for asked in self.asked]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """What to say to a request, after holding it against the contract."""
        path = urlsplit(target).path
        call = " ".join((method, ONE_OF_MANY.sub(r"\1/{id}", path)))
        with self._lock:
            asked = Asked(call, target, dict(headers), body)
            self.asked.append(asked)
            if path.startswith("/results/"):
                return self._result(asked)
            breach = self._contract.breach_of_request(method, target, headers, body)
            if breach:
                self.breaches.append(breach)
                return error(400, "ValidationError", "against the contract")
            scripted = self.script.get(call)
            answer = scripted.popleft() if scripted else None
            if answer is None or answer.done_anyway:
                usual = self._usual(asked)
                answer = answer or usual
            return self._checked(method, target, answer)

    def _checked(self, method: str, target: str, answer: Answer) -> Answer:
        """The fake itself keeps to the contract, too, where it means to."""
        if not answer.hang_up and answer.said is not None:
            kind = answer.headers.get("Content-Type", "application/json")
            breach = self._contract.breach_of_answer(method, target, answer.status, kind, answer.content)
            if breach:
                self.breaches.append(breach)
        return answer

    def _usual(self, asked: Asked) -> Answer:
        if not self._knows(asked.headers.get("Authorization", "")):
            return error(401, "AuthorizationError", "user unauthenticated")
        if asked.call in ("POST /images", "POST /audios"):
            return self._store(asked)
        if asked.call == "POST /talks":
            return self._make(asked)
        if asked.call == "GET /credits":
            item = {"owner_id": "o", "created_at": NOW, "modified_at": NOW, "expire_at": NOW}
            left = {"remaining": self.credits, "total": 20}
            return Answer(200, {"credits": [item | left], **left})
        if asked.call == "GET /talks":
            return Answer(200, {"talks": [self._told(talk) for talk in self.talks.values()]})
        return self._single(asked)

    def _knows(self, sent: str) -> bool:
        """D-ID's documentation sends the key as it is, its own SDK encodes it."""
        return sent in (f"Basic {KEY}", f"Basic {base64.b64encode(KEY.encode()).decode()}")

    def _store(self, asked: Asked) -> Answer:
        part = _file(asked)
        name, content = str(part.get_filename()), bytes(part.get_payload(decode=True) or b"")
        is_image = asked.call == "POST /images"
        signatures = (b"\xff\xd8\xff", b"\x89PNG") if is_image else (b"RIFF", b"\x00\x00\x00")
        if not NAME.fullmatch(name) or len(content) > (10_000_000 if is_image else 6_000_000):
            return error(400, "InvalidFileSizeError", f"{name}, {len(content)} bytes")
        if not content.startswith(signatures):
            return error(415, "UnsupportedMimeTypeError", "The provided mime type is not supported")
        id = f"{'img' if is_image else 'aud'}_{len(self.uploads)}"
        self.uploads[id] = content
        if is_image:
            return Answer(201, {"id": id, "url": f"s3://d-id-images-prod/o/{id}/{name}", "faces": [{}]})
        return Answer(201, {"id": id, "url": f"s3://d-id-audios-prod/o/{id}/{name.rsplit('.', 1)[0]}.wav"})

    def _make(self, asked: Asked) -> Answer:
        id = f"tlk_{len(self.talks)}-x"
        self.talks[id] = {"id": id, "looks": 0, "source_url": asked.said.get("source_url", "")}
        self.credits -= 1
        made = {"id": id, "object": "talk", "created_at": NOW, "created_by": "o", "status": "created"}
        return Answer(201, made)

    def _single(self, asked: Asked) -> Answer:
        kind, id = urlsplit(asked.target).path.strip("/").split("/")
        shelf: dict[str, Any] = self.talks if kind == "talks" else self.uploads
        if id not in shelf:
            return error(404, "NotFoundError", "not found")
        if asked.call == "GET /talks/{id}":
            self.talks[id]["looks"] += 1
            return Answer(200, self._told(self.talks[id]))
        if kind == "talks":
            return Answer(200, self._told(shelf.pop(id)))
        del shelf[id]
        return Answer(204)

    def _told(self, talk: Mapping[str, Any]) -> dict[str, Any]:
        status = self.course[min(max(talk["looks"] - 1, 0), len(self.course) - 1)]
        # An upload's s3:// address comes back as a web address.
        source = talk["source_url"].replace("s3://d-id-images-prod/", f"{self.url}/images-prod/")
        told = {"id": talk["id"], "user_id": "o", "created_at": NOW, "modified_at": NOW}
        told |= {"source_url": source, "status": status}
        if status == "done":
            told["result_url"] = f"{self.url}/results/{talk['id']}/{talk['looks']}.mp4?{SIGNED}"
        return told | (self.ending if status in ("done", "error", "rejected") else {})

    def _result(self, asked: Asked) -> Answer:
        if "Authorization" in asked.headers:
            self.breaches.append("the key was sent to the store of results")
        scripted = self.script.get("GET /results/{id}")
        return scripted.popleft() if scripted else Answer(200, None, self._video, {"Content-Type": "video/mp4"})


def _file(asked: Asked) -> Any:  # noqa: ANN401 - email's own type
    """The part of a form that is a file."""
    form = message_from_bytes(f"Content-Type: {asked.headers['Content-Type']}\r\n\r\n".encode() + asked.body)
    (part,) = [part for part in form.walk() if part.get_filename()]
    return part


class _Handler(BaseHTTPRequestHandler):
    fake: FakeDID

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.fake.answer(self.command, self.path, dict(self.headers.items()), body)
        self.close_connection = True
        if answer.hang_up:
            return
        content = answer.content
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **answer.headers}
        self.send_response(answer.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(content[: answer.cut], answer.drip)

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - names of http.server

    def _send(self, content: bytes, drip: float) -> None:
        try:
            for at in range(len(content)) if drip else (0,):
                self.wfile.write(content[at : at + 1] if drip else content)
                self.wfile.flush()
                if drip and self.fake.closing.wait(drip):
                    return
        except OSError:
            return  # whoever asked does not listen any more

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running(video: bytes) -> Iterator[FakeDID]:
    """A fake as long as the `with` lasts. video: the MP4 that it gives as every result."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        handler.fake = fake = FakeDID(f"http://127.0.0.1:{server.server_port}", video)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            fake.closing.set()
            server.shutdown()
            thread.join()


def wait_until(happens: Any, seconds: float = 30.0) -> None:  # noqa: ANN401 - any function
    """Until `happens()` is true. Fails the test after a long time."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)
