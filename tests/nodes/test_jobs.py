"""Jobs in ComfyUI's own queue, without a server around it: which are kept, whose they are, what a deletion takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import execution
import folder_paths
import pytest
from filelock import FileLock
from lipsync_studio.nodes import jobs, jobs_servers
from lipsync_studio.nodes.jobs_errors import RequestError
from lipsync_studio.nodes.jobs_files import Uploads
from lipsync_studio.nodes.jobs_journal import End, Entry, Journal
from server import PromptServer

RESULTS = Path("output", "lipsync", "jobs")


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's input, output and user folders."""
    for name in ("input", "output", "user"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    return tmp_path


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> execution.PromptQueue:
    """A queue that nobody works on."""
    made = execution.PromptQueue(SimpleNamespace(queue_updated=lambda: None))
    monkeypatch.setattr(PromptServer, "instance", SimpleNamespace(prompt_queue=made), raising=False)
    return made


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Journal:
    """For three jobs."""
    monkeypatch.setattr(jobs, "MOST_JOBS", 3)
    return jobs.current_journal()


@pytest.fixture
def another(journal: Journal) -> Iterator[str]:
    """A second ComfyUI that runs in the same user folder."""
    server = str(uuid4())
    journal.folder.mkdir(parents=True)
    with FileLock(journal.folder / f"{server}.lock"):
        yield server


def note(journal: Journal, created: float, end: End | None = None, server: str = jobs_servers.THIS) -> Entry:
    """A job with something uploaded."""
    entry = Entry(str(uuid4()), created, "draft", server, end)
    journal.write(entry)
    Uploads(entry.id).folder.mkdir(parents=True)
    return entry


def queued(queue: execution.PromptQueue, entry: Entry) -> Entry:
    queue.put((entry.created, entry.id, {}, {}, [], {}))
    return entry


def enter(number: int) -> str:
    return jobs.enter((number, str(uuid4()), {}, {}, [], {}), "draft")["id"]


def has_uploads(*entries: Entry) -> list[bool]:
    return [Uploads(entry.id).folder.exists() for entry in entries]


def test_of_too_many_jobs_the_oldest_that_ended_goes_with_its_uploads(journal: Journal) -> None:
    noted = [note(journal, age, End("completed")) for age in range(3)]
    assert {entry.id for entry in journal.all()} == {entry.id for entry in noted}
    new = enter(3)
    assert [entry.id for entry in journal.all()] == [new, noted[2].id, noted[1].id]
    assert has_uploads(*noted) == [False, True, True]


def test_it_goes_also_when_an_older_one_still_waits(journal: Journal, queue: execution.PromptQueue) -> None:
    waiting = queued(queue, note(journal, 0))
    ended = [note(journal, age, End("cancelled")) for age in (1, 2)]
    new = enter(3)
    assert [entry.id for entry in journal.all()] == [new, ended[1].id, waiting.id]


def test_when_all_wait_another_is_refused(journal: Journal, queue: execution.PromptQueue) -> None:
    noted = [queued(queue, note(journal, age)) for age in range(3)]
    with pytest.raises(RequestError) as refused:
        enter(3)
    assert (refused.value.status, refused.value.code) == (503, "queue_full")
    assert len(journal.all()) == 3
    assert has_uploads(*noted) == [True] * 3


def test_the_uploads_of_a_job_that_nobody_asks_about_go_with_the_next(journal: Journal) -> None:
    unseen = note(journal, 0)
    enter(1)
    assert has_uploads(unseen) == [False]
    assert journal.find(unseen.id).end is not None


def test_what_comfyui_s_end_left_goes_when_it_starts(journal: Journal) -> None:
    journal.folder.mkdir(parents=True)
    last = str(uuid4())
    mark = journal.folder / f"{last}.lock"
    mark.touch()
    running = note(journal, 0, server=last)
    jobs.clean_up()
    assert jobs.tell(running.id)["error"]["code"] == "forgotten"
    assert has_uploads(running) == [False]
    assert not mark.exists()


def test_jobs_of_another_comfyui_are_left_to_it(journal: Journal, another: str) -> None:
    theirs = note(journal, 0, server=another)
    jobs.clean_up()
    mine = enter(1)
    assert [told["id"] for told in jobs.tell_all()] == [mine]
    for ask in (jobs.tell, jobs.find_result, jobs.delete):
        with pytest.raises(RequestError) as refused:
            ask(theirs.id)
        assert refused.value.code == "job_not_found"
    assert has_uploads(theirs) == [True]


def test_a_comfyui_says_that_it_runs(journal: Journal) -> None:
    enter(1)
    with pytest.raises(TimeoutError), FileLock(journal.folder / f"{jobs_servers.THIS}.lock", timeout=0):
        pass


def test_a_result_that_cannot_be_deleted_stays_a_job_s(base: Path, journal: Journal) -> None:
    """A folder in its place stands for a file that Windows does not delete while it is read."""
    entry = note(journal, 0, End("completed"))
    (base / RESULTS / f"{entry.id}_00001_.mp4").mkdir(parents=True)
    with pytest.raises(RequestError) as refused:
        jobs.delete(entry.id)
    assert (refused.value.status, refused.value.code) == (409, "result_in_use")
    assert str(base) not in str(refused.value)
    assert journal.find(entry.id) == entry
