"""The jobs of the HTTP API. A job is a prompt in ComfyUI's own queue; its id is the prompt's."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal

import execution
import folder_paths
from server import PromptServer

from . import jobs_servers, jobs_state
from .jobs_errors import RequestError
from .jobs_files import Uploads, remove_abandoned
from .jobs_graph import Graph, Weights, build_graph, id_of
from .jobs_journal import End, Entry, Journal
from .jobs_order import Order

log = logging.getLogger(__name__)

MOST_JOBS: Final = 1000  # noted; the oldest that ended are forgotten, but for their results

Item = tuple[float, str, Graph, dict[str, Any], list[str], dict[str, Any]]
"""What ComfyUI's queue holds: number, id, graph, extra data, ids of the outputs, secrets."""


async def prepare(order: Order, job: str, weights: Weights) -> Item:
    """The prompt of an order, checked by ComfyUI. To be called where the server runs. Raises RequestError (400)."""
    server = PromptServer.instance
    asked = {"prompt": build_graph(order, job, weights), "prompt_id": job, "extra_data": {}}
    asked = server.trigger_on_prompt(asked)  # other packs may change it, as they may every prompt
    graph: Graph = asked["prompt"]
    # Only what is saved counts: BBox Shift, an output too, would make a prompt valid that saves nothing.
    valid, error, outputs, reports = await execution.validate_prompt(job, graph, [id_of(graph, "SaveVideo")])
    if not valid:
        raise _rejected(error, reports)
    number, server.number = server.number, server.number + 1
    return number, job, graph, {**asked["extra_data"], "create_time": int(time.time() * 1000)}, outputs, {}


def enter(item: Item, engine: str) -> dict[str, Any]:
    """Note the job and queue its prompt; how it stands.

    Raises RequestError (503) when too many wait, OSError when it cannot be noted; then its uploads are gone.
    """
    journal, entry = current_journal(), Entry(item[1], time.time(), engine, jobs_servers.THIS)
    try:
        jobs_servers.announce(journal.folder)
        _make_room(journal)
        journal.write(entry)
    except BaseException:
        Uploads(entry.id).remove()
        raise
    PromptServer.instance.prompt_queue.put(item)
    return _described(entry)


def tell(job: str) -> dict[str, Any]:
    """How a job stands, as JSON values. Raises RequestError (404)."""
    return _described(current_journal().find(job))


def tell_all() -> list[dict[str, Any]]:
    """The same of all jobs, the newest first."""
    return [_described(entry) for entry in current_journal().all()]


def find_result(job: str) -> Path:
    """The video of a completed job. Raises RequestError (404, 409)."""
    described = tell(job)
    if described["status"] != "completed":
        why = described.get("error", {}).get("message", "")
        raise RequestError(
            409,
            "not_completed",
            expected="a completed job",
            got=f"one that is {described['status']}" + (f" ({why})" if why else ""),
            next_step="GET /lipsync/status/{id} tells when there is a result.",
        )
    path = jobs_state.result(job)
    if path is None:
        raise RequestError(
            404,
            "result_gone",
            expected="the result in ComfyUI's output folder",
            got="none: it was deleted or moved",
            next_step="Make it again.",
        )
    return path


def delete(job: str) -> Literal["cancelled", "cancelling", "deleted"]:
    """Cancel a job that has not ended, forget one that has with all its files. Raises RequestError (404, 409).

    "cancelling": it runs and was told to stop; its status becomes "cancelled" when it has, if it did not end before.
    """
    journal, queue = current_journal(), PromptServer.instance.prompt_queue
    entry = journal.find(job)
    if queue.delete_queue_item(lambda item: item[1] == job):
        _settle(entry, End("cancelled"))
        return "cancelled"
    if queue.interrupt_if_running(job):
        return "cancelling"
    _forget(journal, job)
    return "deleted"


def clean_up() -> None:
    """What ComfyUI's last end left, where nobody asks for it: ends of jobs, uploads of no job, marks of servers."""
    journal = current_journal()
    _settled(journal)
    remove_abandoned(journal.ids())
    jobs_servers.forget_ended(journal.folder)


def counts() -> dict[str, int]:
    """Prompts in ComfyUI's queue, of everybody."""
    running, queued = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return {"running": len(running), "queued": len(queued)}


def current_journal() -> Journal:
    return Journal(Path(folder_paths.get_system_user_directory("lipsync_studio")) / "jobs")


def _described(entry: Entry) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": entry.id,
        "engine": entry.engine,
        "created": datetime.fromtimestamp(entry.created, timezone.utc).isoformat(timespec="seconds"),
    }
    live = jobs_state.live(entry.id) if entry.end is None else None
    if live is not None:
        told |= {"status": live.status, "percent": live.percent}
        return told if live.position is None else told | {"position": live.position}
    end = entry.end or _settle(entry, jobs_state.end(entry.id))
    told |= {"status": end.status, "percent": 100.0 if end.status == "completed" else 0.0}
    return told | {"error": {"code": end.code, "message": end.message}} if end.status == "failed" else told


def _settle(entry: Entry, end: End) -> End:
    """Note the end, so that it outlasts ComfyUI's history; the uploads have served."""
    Uploads(entry.id).remove()
    try:
        current_journal().write(replace(entry, end=end))
    except OSError as error:
        log.warning("LipSync Studio: the end of job %s is not noted: %s", entry.id, error.strerror)
    return end


def _settled(journal: Journal) -> list[Entry]:
    """All jobs, the newest first; of those that have ended, the end."""
    noted, live = journal.all(), jobs_state.live_ids()
    return [
        entry if entry.end or entry.id in live else replace(entry, end=_settle(entry, jobs_state.end(entry.id)))
        for entry in noted
    ]


def _make_room(journal: Journal) -> None:
    noted = _settled(journal)
    ended = [entry for entry in reversed(noted) if entry.end]
    surplus = max(0, len(noted) + 1 - MOST_JOBS)
    if surplus > len(ended):
        raise RequestError(
            503,
            "queue_full",
            expected=f"fewer than {MOST_JOBS} jobs",
            got="as many that have not ended",
            next_step="Try again later, or DELETE some.",
        )
    for entry in ended[:surplus]:
        Uploads(entry.id).remove()
        journal.forget(entry.id)


def _forget(journal: Journal, job: str) -> None:
    try:
        while (path := jobs_state.result(job)) is not None:
            path.unlink(missing_ok=True)
    except OSError as error:  # Windows deletes no file that is being read
        raise RequestError(
            409,
            "result_in_use",
            expected="a result that can be deleted",
            got=error.strerror or type(error).__name__,
            next_step="End what reads it, such as a download, and DELETE it again.",
        ) from error
    PromptServer.instance.prompt_queue.delete_history_item(job)
    Uploads(job).remove()
    journal.forget(job)


def _rejected(error: dict[str, Any], reports: dict[str, Any]) -> RequestError:
    """ComfyUI's own words about the values."""
    sentences = [
        f"{problem['message']}: {problem['details']}" for report in reports.values() for problem in report["errors"]
    ]
    got = "; ".join(sorted(sentences)) or f"{error['message']} {error['details']}".strip()
    return RequestError(400, "bad_value", expected="values that ComfyUI takes", got=got, next_step="Correct them.")
