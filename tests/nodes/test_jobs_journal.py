"""The notes of jobs, and the files of one: what is kept, what is refused, what goes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import folder_paths
import pytest
from lipsync_studio.nodes.jobs_errors import RequestError
from lipsync_studio.nodes.jobs_files import Limits, Uploads, named_file, remove_abandoned
from lipsync_studio.nodes.jobs_journal import End, Entry, Journal
from lipsync_studio.nodes.jobs_servers import THIS

UNDATED = f'{{"id": "{THIS}", "server": "{THIS}", "created": "now", "engine": "draft", "end": null}}'
FOREIGN = f'{{"id": "{THIS}", "server": "../../x", "created": 1, "engine": "draft", "end": null}}'
LIMITS = Limits(video=1000, audio=10)


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's input, output and user folders, with a file outside of the first."""
    for name in ("input", "output", "user"):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(folder_paths, f"{name}_directory", str(tmp_path / name))
    (tmp_path / "secret").write_text("secret")
    return tmp_path


def entry(created: float = 0.0, end: End | None = None) -> Entry:
    return Entry(str(uuid4()), created, "draft", THIS, end)


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


def test_jobs_are_noted_listed_and_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "jobs")
    assert journal.all() == []
    old, new = entry(1.0, End("failed", "no_face", "Nobody.")), entry(2.0)
    journal.write(old)
    journal.write(new)
    assert journal.all() == [new, old]
    assert journal.find(old.id) == old
    journal.forget(new.id)
    journal.forget(new.id)
    assert journal.all() == [old]


@pytest.mark.parametrize("id", ["", "x", "../../secret", "..%2fsecret", str(uuid4()), str(uuid4()).upper(), "\x00"])
def test_other_ids_are_not_found(tmp_path: Path, id: str) -> None:
    with pytest.raises(RequestError) as refused:
        Journal(tmp_path / "jobs").find(id)
    assert (refused.value.status, refused.value.code) == (404, "job_not_found")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"end": {"status": "lost"}}', '{"id": "../x", "end": null}', "null", UNDATED, FOREIGN]
)
def test_a_damaged_note_is_no_job(tmp_path: Path, text: str) -> None:
    journal, good = Journal(tmp_path / "jobs"), entry()
    journal.write(good)
    (tmp_path / "jobs" / f"{uuid4()}.json").write_text(text)
    assert journal.all() == [good]


def test_an_upload_is_written_as_it_comes_under_our_name(base: Path) -> None:
    job = str(uuid4())
    name = asyncio.run(Uploads(job).receive("audio", pieces(b"123", b"4567890"), LIMITS))
    assert name == f"lipsync_jobs/{job}/audio"
    assert (base / "input" / name).read_bytes() == b"1234567890"
    assert named_file("audio", name, LIMITS) == name


def test_an_upload_is_refused_with_the_first_byte_too_many(base: Path) -> None:
    asked = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            asked.append(1)
            yield b"1234"

    with pytest.raises(RequestError) as refused:
        asyncio.run(Uploads(str(uuid4())).receive("audio", endless(), LIMITS))
    assert (refused.value.status, refused.value.code, len(asked)) == (413, "too_large", 3)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("", 400),
        ("../secret", 400),
        ("sub/../../secret", 400),
        ("/etc/passwd", 400),
        ("a.wav [output]", 400),
        ("a.wav [input]", 400),
        ("a\x00b", 400),
        ("\ud800", 400),
        ("none.wav", 404),
        ("sub", 404),
        ("x" * 5000, 404),
        ("large.wav", 413),
    ],
)
def test_only_files_of_the_input_folder_are_named(base: Path, name: str, status: int) -> None:
    (base / "input" / "sub").mkdir()
    (base / "input" / "large.wav").write_bytes(bytes(11))
    (base / "output" / "a.wav").write_bytes(b"1")
    with pytest.raises(RequestError) as refused:
        named_file("audio", name, LIMITS)
    assert refused.value.status == status
    assert str(base) not in str(refused.value)


def test_a_link_out_of_the_input_folder_is_refused(base: Path) -> None:
    try:
        (base / "input" / "link").symlink_to(base / "secret")
    except OSError:
        pytest.skip("Windows allows no links here")
    with pytest.raises(RequestError) as refused:
        named_file("audio", "link", LIMITS)
    assert refused.value.status == 400


def test_what_a_crash_left_goes_after_a_day(base: Path) -> None:
    known, left, fresh = (str(uuid4()) for _ in range(3))
    foreign = base / "input" / "lipsync_jobs" / "mine"
    foreign.mkdir(parents=True)
    for job in (known, left, fresh):
        asyncio.run(Uploads(job).receive("audio", pieces(b"1"), LIMITS))
    for folder in (Uploads(known).folder, Uploads(left).folder, foreign):
        os.utime(folder, (0, time.time() - 2 * 24 * 3600))
    remove_abandoned({known})
    assert [Uploads(job).folder.exists() for job in (known, left, fresh)] == [True, False, True]
    assert foreign.exists()


@pytest.mark.parametrize(
    ("text", "video"), [("", 500_000_000), ("1", 10**6), ("0.5", 500_000), ("lots", 500_000_000), ("nan", 500_000_000)]
)
def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, text: str, video: int) -> None:
    monkeypatch.setenv("LIPSYNC_STUDIO_MAX_VIDEO_MB", text)
    monkeypatch.delenv("LIPSYNC_STUDIO_MAX_AUDIO_MB", raising=False)
    assert Limits.of_environment() == Limits(video, 100_000_000)
