"""Makes the environment for the tools and tests: a Python with torch, ComfyUI's requirements and ComfyUI's source.

    python tools/environment.py                     make it (a few minutes, once) and say where it is
    python tools/environment.py -m ruff check       run its Python with these arguments

It lives in the user's cache folder (or in LIPSYNC_STUDIO_CACHE), under a name made from all that goes into it; nothing
is installed anywhere else. COMFYUI_PATH chooses a ComfyUI of your own, else one is downloaded.
This file runs in any Python >= 3.10 and needs only its standard library.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import fetch_comfyui
from file_lock import file_lock

TOOLS = Path(__file__).resolve().parent
TORCH = TOOLS / "torch_constraints.txt"
FOR_TESTS = TOOLS / "test_requirements.txt"

# Set for programs inside the environment: its sys.prefix.
OUR_PREFIX = "LIPSYNC_STUDIO_PREFIX"

# An environment takes gigabytes: one that nobody used for so long goes when another is made.
UNUSED_SECONDS = 30 * 24 * 3600


class EnvironmentSetupError(Exception):
    """The environment cannot be made; the message says why and where the log is."""


@dataclass(frozen=True)
class Environment:
    """Where things are. The environment is whole when the file `complete` is there."""

    folder: Path
    comfyui: Path

    @property
    def prefix(self) -> Path:
        return self.folder / "python"

    @property
    def python(self) -> Path:
        return self.prefix / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    @property
    def complete(self) -> Path:
        return self.folder / "complete"

    @property
    def log(self) -> Path:
        return self.folder.with_suffix(".log")


def cache_folder() -> Path:
    """LIPSYNC_STUDIO_CACHE, else the folder `lipsync-studio` in the system's place for caches."""
    own = os.environ.get("LIPSYNC_STUDIO_CACHE")
    if own:
        return Path(own).resolve()
    if sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        place = Path.home() / "Library/Caches"
    else:
        place = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (place / "lipsync-studio").resolve()


def enter() -> None:
    """Return when this process runs in the environment; else make it and start this program again inside it."""
    told = os.environ.get(OUR_PREFIX)
    if told is None:
        run_inside(sys.argv)
    if os.path.realpath(told) != os.path.realpath(sys.prefix):
        sys.exit(f"{OUR_PREFIX} names {told}, but this Python is {sys.prefix}. Unset {OUR_PREFIX} and try again.")


def run_inside(arguments: Sequence[str]) -> NoReturn:
    """Become the environment's Python with `arguments`, and end with its exit code."""
    environment = _ensure_or_exit()
    inside = {OUR_PREFIX: str(environment.prefix), "COMFYUI_PATH": str(environment.comfyui)}
    command = [str(environment.python), *arguments]
    sys.stdout.flush()
    if sys.platform == "win32":  # exec would hand the console back to the shell
        sys.exit(subprocess.run(command, env=os.environ | inside).returncode)
    os.execve(command[0], command, os.environ | inside)


def ensure() -> Environment:
    """The environment, made now when it is not there yet. Runs at the same time wait for each other."""
    own_comfyui = _own_comfyui()
    folder = cache_folder() / "environments" / _key(own_comfyui)
    environment = Environment(folder, own_comfyui or folder / "ComfyUI")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not environment.complete.exists():
        with file_lock(folder.with_suffix(".lock"), "the same environment"):
            if not environment.complete.exists():
                _make(environment)
    environment.complete.touch()
    return environment


def _ensure_or_exit() -> Environment:
    try:
        return ensure()
    except EnvironmentSetupError as failed:
        sys.exit(str(failed))
    except KeyboardInterrupt:
        sys.exit("\nStopped. The next run makes the environment from the start.")


def _own_comfyui() -> Path | None:
    path = os.environ.get("COMFYUI_PATH")
    if not path:
        return None
    if not (Path(path) / "main.py").is_file() or not (Path(path) / "comfy").is_dir():
        raise EnvironmentSetupError(f"COMFYUI_PATH should name ComfyUI's folder, but {path} has no main.py and comfy/.")
    return Path(path).resolve()


def _key(own_comfyui: Path | None) -> str:
    """A short name for all that goes into an environment."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    parts = [python, sys.base_prefix, platform.system(), platform.machine(), str(own_comfyui)]
    recipe = [TOOLS / name for name in ("environment.py", "fetch_comfyui.py", "torch_operators.py")]
    sources = [*recipe, TORCH, FOR_TESTS]
    if own_comfyui:
        sources.append(own_comfyui / "requirements.txt")
    content = b"\0".join([*(part.encode() for part in parts), *(source.read_bytes() for source in sources)])
    return hashlib.sha256(content).hexdigest()[:12]


def _make(environment: Environment) -> None:
    _remove_unused(environment.folder.parent)
    if environment.folder.exists():  # left half-made by a run that was stopped
        shutil.rmtree(environment.folder)
    environment.folder.mkdir()
    print(f"Making an environment for ComfyUI in {environment.folder} (once; takes a few minutes)", flush=True)
    try:
        for what, step in _steps(environment):
            print(f"  {what} ...", end="", flush=True)
            started = time.monotonic()
            step()
            print(f" {time.monotonic() - started:.0f} s", flush=True)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        print()
        tail = "\n".join(environment.log.read_text(errors="replace").splitlines()[-15:])
        raise EnvironmentSetupError(f"{tail}\n{error}\nThe whole log is {environment.log}") from error
    environment.complete.touch()


def _remove_unused(environments: Path) -> None:
    for folder in environments.iterdir():
        complete = folder / "complete"
        used = complete if complete.exists() else folder
        if folder.is_dir() and time.time() - used.stat().st_mtime > UNUSED_SECONDS:
            complete.unlink(missing_ok=True)  # first: a clean-up that is stopped leaves nothing that looks whole
            shutil.rmtree(folder, ignore_errors=True)


def _steps(environment: Environment) -> Iterator[tuple[str, Callable[[], None]]]:
    """What to do, in this order: torch comes first and pinned, or else packages that want any torch bring another."""
    environment.log.write_text("")

    def run(*command: str | Path) -> None:
        with environment.log.open("a") as log:
            subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)

    def pip(*arguments: str | Path) -> None:
        run(environment.python, "-m", "pip", "--disable-pip-version-check", *arguments)

    def install(*arguments: str | Path) -> None:
        pip("install", "--constraint", TORCH, *arguments)

    yield "virtual environment", lambda: run(sys.executable, "-m", "venv", environment.prefix)
    if environment.comfyui.is_relative_to(environment.folder):
        yield "ComfyUI", lambda: fetch_comfyui.fetch_comfyui(pip, environment.comfyui)
    yield "torch (0.2 GB for the CPU, 3 GB with CUDA)", lambda: install("torch")
    yield "torchvision and torchaudio", lambda: install("--no-deps", "torchvision", "torchaudio")
    yield "ComfyUI's requirements", lambda: install("--requirement", environment.comfyui / "requirements.txt")
    yield "what the tests need", lambda: install("--requirement", FOR_TESTS)
    yield "check that they fit", lambda: run(environment.python, TOOLS / "torch_operators.py")


def main() -> None:
    if len(sys.argv) > 1:
        run_inside(sys.argv[1:])
    environment = _ensure_or_exit()
    print(f"The environment is in {environment.folder}, ComfyUI in {environment.comfyui}")


if __name__ == "__main__":
    main()
