"""Starts a real ComfyUI with this pack in it and nothing else, and stops it again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server

from client import Client
from link_folder import link_folder

TOOLS = Path(__file__).resolve().parent
PACK = TOOLS.parent
PACK_NAME = "lipsync-studio"
STARTS_WITHIN_SECONDS = 180
STOPS_WITHIN_SECONDS = 10

# The server is on this machine: a proxy from the environment must not be asked for it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ServerStartError(Exception):
    """ComfyUI did not start; the message ends with what it said last."""


@dataclass(frozen=True)
class Server(Client):
    """A running ComfyUI. base: holds its input, output, temp, user and custom_nodes folders."""

    base: Path
    models: Path
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def input(self) -> Path:
        return self.base / "input"

    @property
    def output(self) -> Path:
        return self.base / "output"

    @property
    def temp(self) -> Path:
        return self.base / "temp"


@contextmanager
def running(
    base: Path, log: Path, *, cpu: bool, models: Path | None = None, port: int | None = None
) -> Iterator[Server]:
    """ComfyUI with the base directory `base`, as long as the `with` lasts.

    log: file for all it says. cpu: do not use a GPU. models: its models folder; None = the one in `base`. port: None =
    any free one. Raises ServerStartError.
    """
    models = models or base / "models"
    for name in ("custom_nodes", "input", "models", "output", "temp", "user"):
        (base / name).mkdir(parents=True, exist_ok=True)
    link_folder(PACK, base / "custom_nodes" / PACK_NAME)
    port = _free_port(port or 0)
    command = _command(base, models, port) + (["--cpu"] if cpu else [])
    with log.open("w") as out:
        # UTF-8, or ComfyUI's own symbols end it where the system's encoding lacks them.
        utf8 = os.environ | {"PYTHONUTF8": "1"}
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=base, env=utf8)
    try:
        server = Server(f"http://127.0.0.1:{port}", base, models, log, process)
        _wait_until_ready(server)
        yield server
    finally:
        _stop(process)


def _free_port(wanted: int) -> int:
    """`wanted` when nothing listens there; any free TCP port for 0."""
    try:
        with create_server(("127.0.0.1", wanted)) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        raise ServerStartError(f"Port {wanted} cannot be used: {error}") from error


def _command(base: Path, models: Path, port: int) -> list[str]:
    command = [sys.executable, str(TOOLS / "launch_comfyui.py"), "--listen", "127.0.0.1", "--port", str(port)]
    command += ["--base-directory", str(base), "--models-directory", str(models)]
    command += ["--database-url", "sqlite:///:memory:", "--disable-auto-launch"]
    # No other packs, and no nodes or editor parts that call services on the internet.
    return [*command, "--disable-all-custom-nodes", "--whitelist-custom-nodes", PACK_NAME, "--disable-api-nodes"]


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while not _answers(server.url):
        ended = server.process.poll()
        if ended is not None:
            raise _start_error(server.log, f"ComfyUI ended with exit code {ended}.")
        if time.monotonic() > deadline:
            raise _start_error(server.log, f"ComfyUI was not ready in {STARTS_WITHIN_SECONDS} s.")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        with _direct.open(f"{url}/system_stats", timeout=5):
            return True
    except OSError:  # urllib's URLError is one
        return False


def _start_error(log: Path, what: str) -> ServerStartError:
    last_words = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:])
    return ServerStartError(f"{last_words}\n{what} Its log: {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
