"""What was bought, kept through crashes."""

from __future__ import annotations

import json
import os
import stat
import time
from dataclasses import replace
from pathlib import Path

import pytest
from lipsync_studio.pipelines.cloud.journal import KEPT_SECONDS, Job, Journal
from lipsync_studio.pipelines.core.errors import CloudError, InputError

HASH = "0123456789abcdef" * 4


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "deep" / "jobs")


def test_a_job_comes_back(journal: Journal) -> None:
    assert journal.find(HASH) is None
    job = Job.new(HASH)
    journal.write(job)
    assert Journal(journal.folder).find(HASH) == job
    made = replace(job, state="made", id="tlk_1", image="img_1", credits=3.5)
    journal.write(made)
    assert journal.find(HASH) == made
    assert len(list(journal.folder.iterdir())) == 1, "no temporary file is left"
    journal.forget(made)
    journal.forget(made)
    assert journal.find(HASH) is None


def test_every_job_has_a_token_of_its_own() -> None:
    assert Job.new(HASH).token != Job.new(HASH).token


ODD = [{"inputs": "x"}, {"inputs": "x", "token": "t", "state": "?"}, {"inputs": "x", "token": "t", "state": "made"}]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", *map(json.dumps, ODD)])
def test_a_note_that_cannot_be_read_is_not_taken_for_none(journal: Journal, text: str) -> None:
    journal.write(Job.new(HASH))
    (file,) = journal.folder.iterdir()
    file.write_text(text)
    with pytest.raises(CloudError, match="run_again"):
        journal.find(HASH)


def test_only_the_owner_may_read_it(journal: Journal) -> None:
    if os.name != "posix":
        pytest.skip("Windows has no such bits")
    before = os.umask(0)
    try:
        journal.write(Job.new(HASH))
    finally:
        os.umask(before)
    (file,) = journal.folder.iterdir()
    assert (stat.S_IMODE(journal.folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode)) == (0o700, 0o600)


def test_old_notes_go(journal: Journal) -> None:
    journal.write(Job.new("old" * 20))
    (old,) = journal.folder.iterdir()
    long_ago = time.time() - KEPT_SECONDS - 60
    os.utime(old, (long_ago, long_ago))
    journal.write(Job.new(HASH))
    assert journal.find("old" * 20) is None
    assert journal.find(HASH) is not None


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file")
    with pytest.raises(InputError, match="to note what is bought"):
        Journal(tmp_path / "jobs").write(Job.new(HASH))
