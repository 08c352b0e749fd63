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
from .jobs_servers import is_elsewhere

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
    """A job. id: of its prompt, too. created: seconds since 1970. server: the ComfyUI that queued it.

    end: None until it was seen to have ended.
    """

    id: str
    created: float
    engine: str
    server: str
    end: End | None = None

    def __post_init__(self) -> None:
        if not (is_id(self.id) and is_id(self.server) and isinstance(self.created, (int, float))):
            raise ValueError(f"no job: {self}")


@dataclass(frozen=True)
class Journal:
    """In `folder`, which ComfyUI never serves. What has not ended in another ComfyUI that runs is left to that one."""

    folder: Path

    def find(self, job: str) -> Entry:
        """Raises RequestError (404) when there is none."""
        entry = _read(self._path(job)) if is_id(job) else None
        if entry is None or self._is_elsewhere(entry):
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
        entries = (entry for job in self.ids() if (entry := _read(self._path(job))) is not None)
        ours = [entry for entry in entries if not self._is_elsewhere(entry)]
        return sorted(ours, key=lambda entry: entry.created, reverse=True)

    def ids(self) -> set[str]:
        """Of all that are noted, by whichever ComfyUI."""
        return {path.stem for path in self.folder.glob("*.json")}

    def write(self, entry: Entry) -> None:
        """Whole or not at all. Raises OSError when it cannot be written."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path(entry.id), json.dumps(asdict(entry)))

    def forget(self, job: str) -> None:
        self._path(job).unlink(missing_ok=True)

    def _is_elsewhere(self, entry: Entry) -> bool:
        return entry.end is None and is_elsewhere(self.folder, entry.server)

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
