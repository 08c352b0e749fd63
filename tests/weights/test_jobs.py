"""Downloads in the background: one after the other, with news, an end and a cancel."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hub_fake import FakeHub
from lipsync_studio.pipelines.weights.download import Hub
from lipsync_studio.pipelines.weights.jobs import Job, Jobs
from sample_weights import CONTENT, PATH, REPO, weight_file

WITHIN_SECONDS = 60


class News:
    """Collects what jobs tell, and waits for it."""

    def __init__(self) -> None:
        self.told: list[Job] = []
        self._came = threading.Condition()

    def __call__(self, job: Job) -> None:
        with self._came:
            self.told.append(job)
            self._came.notify_all()

    def wait_for(self, key: str, *phases: str) -> Job:
        def latest() -> Job | None:
            return next((job for job in reversed(self.told) if job.key == key and job.phase in phases), None)

        with self._came:
            assert self._came.wait_for(latest, WITHIN_SECONDS), self.told
            found = latest()
            assert found is not None
            return found


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
def jobs(news: News, hub: FakeHub) -> Jobs:
    return Jobs(news, Hub(hub.url, pauses=()))


def test_a_download_is_told_from_start_to_end(jobs: Jobs, news: News, tmp_path: Path) -> None:
    assert jobs.start("download", "net", weight_file(), tmp_path / "net.pth").phase == "waiting"
    ended = news.wait_for("net", "done", "failed")
    assert (ended.phase, ended.done, ended.total) == ("done", len(CONTENT), len(CONTENT))
    assert (tmp_path / "net.pth").read_bytes() == CONTENT
    phases = list(dict.fromkeys(job.phase for job in news.told))
    assert phases == ["waiting", "downloading", "checking", "done"]
    assert jobs.all() == (ended,)


def test_a_failure_is_told_in_the_words_of_its_error(jobs: Jobs, news: News, hub: FakeHub, tmp_path: Path) -> None:
    hub.on[REPO, PATH] = "gated"
    jobs.start("download", "net", weight_file(), tmp_path / "net.pth")
    assert "Accept them at https://huggingface.co/" in news.wait_for("net", "failed", "done").message


def test_a_download_is_cancelled_and_taken_up_again(jobs: Jobs, news: News, hub: FakeHub, tmp_path: Path) -> None:
    hub.on[REPO, PATH] = "slow"
    path = tmp_path / "net.pth"
    first = jobs.start("download", "net", weight_file(), path)
    news.wait_for("net", "downloading")
    assert jobs.start("download", "net", weight_file(), path).key == first.key  # the same one
    jobs.cancel("net")
    hub.go_on.set()
    assert news.wait_for("net", "cancelled", "done").phase == "cancelled"
    assert not path.exists()
    del hub.on[REPO, PATH]
    jobs.start("download", "net", weight_file(), path)
    news.wait_for("net", "done")
    assert path.read_bytes() == CONTENT


def test_one_that_waits_for_its_turn_is_cancelled_at_once(jobs: Jobs, news: News, hub: FakeHub, tmp_path: Path) -> None:
    hub.on[REPO, PATH] = "slow"
    jobs.start("download", "first", weight_file(), tmp_path / "first.pth")
    news.wait_for("first", "downloading")
    jobs.start("download", "second", weight_file(), tmp_path / "second.pth")
    jobs.cancel("second")
    assert news.wait_for("second", "cancelled", "done").phase == "cancelled"
    hub.go_on.set()
    news.wait_for("first", "done")


@pytest.mark.parametrize(("content", "phase"), [(CONTENT, "done"), (CONTENT[1:], "failed")])
def test_a_file_is_verified(jobs: Jobs, news: News, tmp_path: Path, content: bytes, phase: str) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(content)
    jobs.start("verify", "net", weight_file(), path)
    assert news.wait_for("net", "done", "failed").phase == phase
    assert path.exists()


def test_a_file_that_is_gone_does_not_end_the_worker(jobs: Jobs, news: News, tmp_path: Path) -> None:
    jobs.start("verify", "net", weight_file(), tmp_path / "gone.pth")
    assert news.wait_for("net", "failed").message
    jobs.start("download", "net", weight_file(), tmp_path / "net.pth")
    news.wait_for("net", "done")
