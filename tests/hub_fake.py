"""A stand-in for Hugging Face: a real server on this machine that speaks as much of the hub's protocol as files need.

HEAD and GET of /<owner>/<repository>/resolve/<revision>/<path>, with the headers of the hub; large files are redirected
to a second address, as the hub does with its store. `Files.on` scripts what goes wrong.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_CANARY4f9b2e7c1d"
_RESOLVE = re.compile(r"^/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)$")

Trouble = Literal[
    "gated", "no repository", "no entry", "unavailable", "cut", "no ranges", "altered", "too long", "retagged", "slow"
]


@dataclass
class FakeHub:
    """A running hub. files: (repository, path) -> bytes. claims: the same -> a SHA-256 to announce in place of the own.

    on: (repository, path) -> what goes wrong there. cut_at: byte of the file where a "cut" answer breaks off. times:
    how often it goes wrong before all is well again; None = always. go_on: set it for the second half of a "slow"
    answer. asked: (method, path, Range, Authorization) of every request; those to the store have the path /store/….
    """

    url: str
    store: str
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    on: dict[tuple[str, str], Trouble] = field(default_factory=dict)
    cut_at: int = 0
    times: int | None = None
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
    go_on: threading.Event = field(default_factory=threading.Event)

    def put(self, repo: str, path: str, content: bytes) -> None:
        self.files[repo, path] = content

    def transfers(self) -> list[str]:
        """The Range headers of the requests for content, empty for those without."""
        return [wanted for method, path, wanted, _ in self.asked if method == "GET" and path.startswith("/store/")]

    def trouble(self, key: tuple[str, str]) -> str:
        """What goes wrong this time."""
        if key not in self.on or self.times == 0:
            return ""
        return self.on[key]

    def spent(self) -> None:
        """One time less."""
        if self.times is not None:
            self.times -= 1


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        hub = self.hub
        wanted, key_of_account = self.headers.get("Range", ""), self.headers.get("Authorization", "")
        hub.asked.append((self.command, self.path, wanted, key_of_account))
        if self.path.startswith("/store/"):
            repo, path = self.path.removeprefix("/store/").split("/blob/")
            return self._send_file((repo, path), with_body)
        named = _RESOLVE.match(self.path)
        key = (named["repo"], named["path"]) if named else ("", "")
        trouble = hub.trouble(key)
        if trouble == "gated":
            return self._refuse(401 if not key_of_account else 403, "GatedRepo")
        if trouble == "unavailable":
            hub.spent()
            return self._refuse(503, "")
        if trouble == "no repository" or key[0] not in {repo for repo, _ in hub.files}:
            return self._refuse(401, "RepoNotFound")
        if trouble == "no entry" or key not in hub.files:
            return self._refuse(404, "EntryNotFound")
        return self._redirect(key)

    def _redirect(self, key: tuple[str, str]) -> None:
        content = self.hub.files[key]
        digest = self.hub.claims.get(key) or hashlib.sha256(content).hexdigest()
        self.send_response(302)
        self.send_header("Location", f"{self.hub.store}/store/{key[0]}/blob/{key[1]}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("X-Linked-Etag", f'"{"0" * 64 if self.hub.trouble(key) == "retagged" else digest}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
            self.send_header("X-Error-Message", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_file(self, key: tuple[str, str], with_body: bool) -> None:
        trouble, content = self.hub.trouble(key), self.hub.files[key]
        if trouble == "altered":
            content = content[:-1] + bytes([content[-1] ^ 1])
        if trouble == "too long":
            content *= 4
        start = 0
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if wanted and trouble != "no ranges":
            start = int(wanted[1])
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", f'"{hashlib.md5(content).hexdigest()}"')
        self.end_headers()
        if with_body:
            self._send_body(content, start, trouble)

    def _send_body(self, content: bytes, start: int, trouble: str) -> None:
        if trouble == "cut":
            self.hub.spent()
            self.close_connection = True
            content = content[: self.hub.cut_at]
        if trouble == "slow":
            half = (start + len(content)) // 2
            self.wfile.write(content[start:half])
            self.wfile.flush()
            self.hub.go_on.wait(120)
            start = half
        self.wfile.write(content[start:])

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the other side gave up, as tests want it to
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[FakeHub]:
    """A hub without files, at two addresses: its own and its store's."""
    with _server() as front, _server() as store:
        # Another host name: what the hub may see (a token), its store may not.
        hub = FakeHub(_address(front, "127.0.0.1"), _address(store, "localhost"))
        handler = type("Handler", (_Handler,), {"hub": hub})
        front.RequestHandlerClass = store.RequestHandlerClass = handler
        for server in (front, store):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield hub
        finally:
            hub.go_on.set()
            for server in (front, store):
                server.shutdown()


def _server() -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    return server


def _address(server: ThreadingHTTPServer, host: str) -> str:
    return f"http://{host}:{server.server_address[1]}"
