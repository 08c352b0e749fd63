"""Downloads and checks in the background, one after the other, with their state for whoever asks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..core.errors import LipSyncError
from .installed import verify
from .weight_file import WeightFile

if TYPE_CHECKING:
    from .download import Hub

log = logging.getLogger(__name__)

Kind = Literal["download", "verify"]
Phase = Literal["waiting", "downloading", "checking", "done", "failed", "cancelled"]

TOLD_EVERY = 0.25  # seconds between two news of a check
_ENDED: tuple[Phase, ...] = ("done", "failed", "cancelled")


class CancelledError(Exception):
    """Somebody pressed Cancel. Not an error: what came of the file is kept."""


@dataclass(frozen=True)
class Job:
    """How one file is doing. done, total: bytes of this phase. speed: bytes per second. message: why it failed."""

    key: str
    kind: Kind
    phase: Phase = "waiting"
    done: int = 0
    total: int = 0
    speed: float = 0.0
    message: str = ""

    @property
    def has_ended(self) -> bool:
        return self.phase in _ENDED


class Jobs:
    """The latest job of each file.

    tell: called from other threads with every change. hub: None is the one that
    HF_ENDPOINT names, else Hugging Face.
    """

    def __init__(self, tell: Callable[[Job], None], hub: Hub | None = None) -> None:
        self._tell = tell
        self._hub = hub
        self._jobs: dict[str, Job] = {}
        self._stops: dict[str, threading.Event] = {}
        self._changing = threading.Lock()
        self._turn = threading.Lock()  # one transfer at a time: two share the same line, and finish no sooner

    def all(self) -> tuple[Job, ...]:
        """The latest job of each file that ever had one."""
        with self._changing:
            return tuple(self._jobs.values())

    def start(self, kind: Kind, key: str, file: WeightFile, path: Path) -> Job:
        """Begin, or the job that is under way for the same file."""
        with self._changing:
            running = self._jobs.get(key)
            if running is not None and not running.has_ended:
                return running
            job = self._jobs[key] = Job(key, kind, total=file.size)
            stop = self._stops[key] = threading.Event()
        # A daemon, so that ComfyUI can be stopped while a file of some GB comes.
        run = threading.Thread(target=self._run, args=(job, file, path, stop), name=f"lipsync-{kind}", daemon=True)
        run.start()
        return job

    def cancel(self, key: str) -> None:
        """Ends at the next piece; nothing when there is no job."""
        with self._changing:
            if key in self._stops:
                self._stops[key].set()

    def _run(self, job: Job, file: WeightFile, path: Path, stop: threading.Event) -> None:
        self._set(job)
        reporter = _Reporter(job, self._set, stop)
        try:
            while not self._turn.acquire(timeout=TOLD_EVERY):
                reporter.check()
            try:
                self._work(job.kind, file, path, reporter)
            finally:
                self._turn.release()
            ended = replace(reporter.job, phase="done", done=file.size, total=file.size)
        except CancelledError:
            ended = replace(reporter.job, phase="cancelled")
        except LipSyncError as error:
            ended = replace(reporter.job, phase="failed", message=str(error))
        except OSError as error:  # without the path, which is nobody else's business
            ended = replace(reporter.job, phase="failed", message=f"{file.name}: {error.strerror or error!r}.")
        except Exception:
            log.exception("LipSync Studio: the %s of %s failed", job.kind, file.name)
            ended = replace(reporter.job, phase="failed", message="Something unforeseen; the log of ComfyUI says what.")
        self._set(ended)

    def _work(self, kind: Kind, file: WeightFile, path: Path, reporter: _Reporter) -> None:
        if kind == "verify":
            verify(file, path, lambda done, total: reporter("checking", done, total))
            return
        # Here and not above: a huggingface_hub that lacks a name must not keep the pack from loading.
        from .download import download

        download(file, path, reporter, self._hub)

    def _set(self, job: Job) -> None:
        with self._changing:
            self._jobs[job.key] = job
        self._tell(job)


class _Reporter:
    """Turns progress into news, and Cancel into an end."""

    def __init__(self, job: Job, publish: Callable[[Job], None], stop: threading.Event) -> None:
        self.job = job
        self._publish = publish
        self._stop = stop
        self._told = 0.0
        self._began = 0.0, 0  # when this phase began, and with how many bytes

    def check(self) -> None:
        if self._stop.is_set():
            raise CancelledError

    def __call__(self, phase: Phase, done: int, total: int) -> None:
        self.check()
        now = time.monotonic()
        if phase != self.job.phase:
            self._began, self._told = (now, done), 0.0
        began, first = self._began
        speed = (done - first) / (now - began) if now > began else 0.0
        self.job = replace(self.job, phase=phase, done=done, total=total, speed=max(speed, 0.0))
        # What is downloaded comes in pieces of 10 MB: each is news. What is checked goes by in smaller ones.
        if phase != "checking" or now - self._told >= TOLD_EVERY:
            self._told = now
            self._publish(self.job)
