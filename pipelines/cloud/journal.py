"""What was bought: a small file for each job, so that a run after a crash fetches what is paid instead of paying again.

It holds ids only: no key, no link, nothing of the picture, the sound or the text.
"""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args
from uuid import uuid4

from ..core.errors import CloudError, InputError

log = logging.getLogger(__name__)

State = Literal["sending", "made", "deleted"]

KEPT_SECONDS = 180 * 24 * 3600
_NAME_LENGTH = 40  # hexadecimal digits of the inputs' hash


@dataclass(frozen=True)
class Job:
    """One order. inputs: hash of all that was asked. token: in the names of the uploaded files, and in no other job's.

    state: "sending" until D-ID's answer is known, "made" when `id` is, "deleted" when the talk was deleted at D-ID as
    the user wished. image, audio: ids of the uploads. credits: before, when they were told.
    """

    inputs: str
    token: str
    state: State = "sending"
    id: str = ""
    image: str | None = None
    audio: str | None = None
    credits: float | None = None

    def __post_init__(self) -> None:
        if self.state not in get_args(State) or (self.state == "made" and not self.id):
            raise ValueError(f"no job: {self}")

    @classmethod
    def new(cls, inputs: str) -> Job:
        return cls(inputs, uuid4().hex[:16])


@dataclass(frozen=True)
class Journal:
    """One file per job in `folder`, which only its owner may read."""

    folder: Path

    def find(self, inputs: str) -> Job | None:
        """The job of these inputs. Raises CloudError for a file that cannot be read: it may stand for a paid job."""
        path = self._path(inputs)
        try:
            job = Job(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise CloudError(
                expected="the note of an earlier job with these inputs",
                got=f"{path.name}, which cannot be read ({type(error).__name__})",
                next_step="Look at your talks at D-ID. Change `run_again` to make and pay a new one.",
            ) from None
        return job

    def write(self, job: Job) -> None:
        """Keep `job`, whole or not at all. Raises InputError when it cannot be kept: then nothing must be bought."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._drop_old()
            path = self._path(job.inputs)
            write_private(path, json.dumps(asdict(job)))
        except OSError as error:
            raise InputError(
                expected="ComfyUI's user folder to be writable, to note what is bought",
                got=error.strerror or type(error).__name__,
                next_step="Free some space, or let ComfyUI write to its user folder.",
            ) from None

    def write_or_warn(self, job: Job) -> None:
        """The same for what was bought already: a full disk must not take the result away."""
        try:
            self.write(job)
        except InputError as failure:
            log.warning("LipSync Studio: talk %s is not noted: %s", job.id, failure.got)

    def forget(self, job: Job) -> None:
        """Nothing was bought."""
        self._path(job.inputs).unlink(missing_ok=True)

    def _path(self, inputs: str) -> Path:
        return self.folder / f"{inputs[:_NAME_LENGTH]}.json"

    def _drop_old(self) -> None:
        for file in self.folder.glob("*.json"):
            if time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """A file that only its owner may read (on Windows: who may read the folder), whole or not at all."""
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
