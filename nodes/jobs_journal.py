"""Which jobs there are: a small file for each, because a restart makes ComfyUI forget its queue."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from ..pipelines.cloud.journal import write_private
from .jobs_errors import RequestError

log = logging.getLogger(__name__)

EndStatus = Literal["completed", "failed", "cancelled"]

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class End:
    """How a job ended. code, message: why it failed."""

    status: EndStatus
    code: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if self.status not in get_args(EndStatus):
            raise ValueError(f"no end of a job: {self}")


@dataclass(frozen=True)
class Entry:
    """A job. id: of its prompt, too. created: seconds since 1970. end: None until it was seen to have ended."""

    id: str
    created: float
    engine: str
    end: End | None = None

    def __post_init__(self) -> None:
        if not is_id(self.id) or not isinstance(self.created, (int, float)):
            raise ValueError(f"no job: {self}")


@dataclass(frozen=True)
class Journal:
    """In `folder`, which ComfyUI never serves."""

    folder: Path

    def find(self, job: str) -> Entry:
        """Raises RequestError (404) when there is none."""
        entry = _read(self._path(job)) if is_id(job) else None
        if entry is None:
            raise RequestError(
                404,
                "job_not_found",
                expected="the id of a job",
                got="another text, or a job that was deleted",
                next_step="GET /lipsync/jobs lists the jobs there are.",
            )
        return entry

    def all(self) -> list[Entry]:
        """The newest first."""
        entries = [entry for path in self.folder.glob("*.json") if (entry := _read(path)) is not None]
        return sorted(entries, key=lambda entry: entry.created, reverse=True)

    def write(self, entry: Entry) -> None:
        """Whole or not at all. Raises OSError when it cannot be written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path(entry.id), json.dumps(asdict(entry)))

    def forget(self, job: str) -> None:
        self._path(job).unlink(missing_ok=True)

    def _path(self, job: str) -> Path:
        return self.folder / f"{job}.json"


def is_id(text: str) -> bool:
    """Whether it is a UUID as ComfyUI writes it; nothing else becomes part of a path."""
    return _ID.fullmatch(text) is not None


def _read(path: Path) -> Entry | None:
    """None for a file that is not there, or cannot be read: then it stands for no job."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        end = values.pop("end")
        return Entry(**values, end=None if end is None else End(**end))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        log.warning("LipSync Studio: the note of job %s cannot be read (%s)", path.stem, type(error).__name__)
        return None
