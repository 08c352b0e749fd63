"""The environment is made once, whole or not at all. The steps here write a file instead of installing gigabytes."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import environment
import pytest
from environment import Environment, EnvironmentSetupError, ensure

Steps = Callable[[Environment], Iterator[tuple[str, Callable[[], None]]]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIPSYNC_STUDIO_CACHE", str(tmp_path))
    monkeypatch.delenv("COMFYUI_PATH")
    return tmp_path


def steps_that(act: Callable[[Environment], None]) -> Steps:
    def steps(made: Environment) -> Iterator[tuple[str, Callable[[], None]]]:
        made.log.write_text("what pip said last\n")
        yield "one", lambda: (made.folder / "installed").touch()
        yield "two", lambda: act(made)

    return steps


def fail(_: Environment) -> None:
    raise OSError("disk full")


def nothing(_: Environment) -> None:
    pass


def test_a_stopped_installation_is_made_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_steps", steps_that(fail))
    with pytest.raises(EnvironmentSetupError, match=r"(?s)what pip said last.*disk full.*\.log"):
        ensure()
    (left,) = (environment.cache_folder() / "environments").glob("*/installed")
    left.write_text("half-made")
    monkeypatch.setattr(environment, "_steps", steps_that(nothing))
    assert (ensure().folder / "installed").read_text() == ""


def test_runs_at_once_make_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Environment] = []
    monkeypatch.setattr(environment, "_steps", steps_that(made.append))
    runs = [threading.Thread(target=ensure) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(made) == 1
    assert made[0].complete.exists()


def test_other_requirements_are_another_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_steps", steps_that(nothing))
    first = ensure()
    assert ensure() == first
    changed = tmp_path / "requirements.txt"
    changed.write_text("pytest\n")
    monkeypatch.setattr(environment, "FOR_TESTS", changed)
    assert ensure().folder != first.folder


def test_an_environment_nobody_uses_goes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "_steps", steps_that(nothing))
    for name, age in {"old": environment.UNUSED_SECONDS + 60, "recent": 60}.items():
        complete = tmp_path / "environments" / name / "complete"
        complete.parent.mkdir(parents=True)
        complete.touch()
        then = complete.stat().st_mtime - age
        os.utime(complete, (then, then))
    made = ensure()
    left = {folder.name for folder in (tmp_path / "environments").iterdir() if folder.is_dir()}
    assert left == {"recent", made.folder.name}


def test_a_comfyui_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "_steps", steps_that(nothing))
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "own"))
    with pytest.raises(EnvironmentSetupError, match=r"main\.py"):
        ensure()
    (tmp_path / "own" / "comfy").mkdir(parents=True)
    for name in ("main.py", "requirements.txt"):
        (tmp_path / "own" / name).touch()
    assert ensure().comfyui == tmp_path / "own"
