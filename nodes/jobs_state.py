"""How a job stands, by ComfyUI's queue, progress and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import folder_paths
from comfy_execution.progress import get_progress_state
from server import PromptServer

from ..pipelines.core.errors import MediaError
from ..pipelines.doctor import without_paths
from ..pipelines.media.sniff import sniff
from .jobs_graph import RESULTS, Graph
from .jobs_journal import End

# Of the whole work; every other node counts as 1.
_EFFORT: Final = {"LipSyncFacePreprocess": 25, "LipSyncVideo": 70}

# Our own exceptions, by what programs call them. Their messages say what to do; others go without their folders.
_FAILURES: Final = {
    "CloudError": "cloud",
    "HostVersionError": "comfyui_version",
    "InputError": "bad_input",
    "MediaError": "bad_media",
    "NoFaceError": "no_face",
    "WeightsError": "bad_weights",
}


@dataclass(frozen=True)
class Live:
    """A job that has not ended. percent: 0-100. position: in the queue, 0 is next; None when running."""

    status: Literal["queued", "running"]
    percent: float
    position: int | None = None


def live(job: str) -> Live | None:
    """None when it is neither running nor queued. To be asked before `end`: jobs move from the queue to the history."""
    running, queued = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    for item in running:
        if item[1] == job:
            return Live("running", _percent(job, item[2]))
    order = [item[1] for item in sorted(queued, key=lambda item: item[:2])]
    return Live("queued", 0.0, order.index(job)) if job in order else None


def live_ids() -> set[str]:
    """Of all prompts that have not ended."""
    running, queued = PromptServer.instance.prompt_queue.get_current_queue_volatile()
    return {item[1] for item in (*running, *queued)}


def end(job: str) -> End:
    """How a job ended that is not live any more. Without a history (after a restart) its result tells."""
    past = PromptServer.instance.prompt_queue.get_history(job, map_function=lambda item: item["status"]).get(job)
    messages = {kind: data for kind, data in (past or {}).get("messages", ())}
    if "execution_interrupted" in messages:
        return End("cancelled")
    if "execution_error" in messages:
        return _failure(messages["execution_error"])
    if past is None and not _is_whole(job):
        return End("failed", "forgotten", "ComfyUI restarted, or its queue or history was cleared, before a result.")
    if result(job) is None:
        return End("failed", "result_gone", "The result was deleted.")
    return End("completed")


def result(job: str) -> Path | None:
    """The file that SaveVideo made."""
    folder = Path(folder_paths.get_output_directory()) / RESULTS
    return next(iter(sorted(folder.glob(f"{job}_*.mp4"))), None)


def _is_whole(job: str) -> bool:
    """A file that was not written to its end has no index, so it cannot be opened."""
    path = result(job)
    try:
        return path is not None and sniff(path).picture == "moving"
    except MediaError:
        return False


def _percent(job: str, graph: Graph) -> float:
    """Done effort of all effort; below 100, which only a job with a result has."""
    progress = get_progress_state()
    if progress.prompt_id != job:  # it has only just begun
        return 0.0
    effort = {id: _EFFORT.get(node["class_type"], 1) for id, node in graph.items()}
    done = sum(effort.get(id, 0) * node["value"] / (node["max"] or 1) for id, node in list(progress.nodes.items()))
    return min(99.0, round(100 * done / sum(effort.values()), 1))


def _failure(error: Mapping[str, Any]) -> End:
    name = str(error["exception_type"]).split(".")[-1]
    message = str(error["exception_message"]).strip()
    if name in _FAILURES:
        return End("failed", _FAILURES[name], message)
    code = "out_of_memory" if name == "OutOfMemoryError" else "node_failed"
    return End("failed", code, f"{error['node_type']}: {name}: {without_paths(message)}")
