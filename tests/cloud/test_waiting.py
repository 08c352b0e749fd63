"""Waiting that ends at the stop button, and how long it takes."""

from __future__ import annotations

import threading

import pytest
from did_client import Stopped, Watcher
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.cloud.pace import Pace, jittered
from lipsync_studio.pipelines.cloud.waiting import in_background, pause


def test_a_result_or_an_exception_comes_through(watcher: Watcher) -> None:
    assert in_background(lambda stop: 7, watcher) == 7

    def fail(stop: threading.Event) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        in_background(fail, watcher)


def test_work_that_blocks_is_left_and_told_so(watcher: Watcher) -> None:
    begun, ended, told = threading.Event(), threading.Event(), []

    def block(stop: threading.Event) -> None:
        begun.set()
        if stop.wait(60):
            ended.set()

    def tell() -> None:
        told.append(True)
        if begun.is_set():
            watcher.stop.set()

    with pytest.raises(Stopped):
        in_background(block, watcher, tell)
    assert told
    assert ended.wait(60)


def test_a_pause_ends_with_the_stop_button(watcher: Watcher) -> None:
    pause(0.01, watcher)
    threading.Timer(0.05, watcher.stop.set).start()
    with pytest.raises(Stopped):
        pause(3600, watcher)
    with pytest.raises(Stopped):
        pause(0, watcher)


@given(st.integers(1, 60), st.none() | st.floats(0, 1e9))
def test_how_long_until_the_next_try(tries: int, asked: float | None) -> None:
    pace = Pace()
    wait = pace.wait_after(tries, asked)
    if asked is not None:
        assert wait == min(asked, pace.longest_retry_after)
    else:
        most = min(2 ** (tries - 1), pace.longest_wait)
        assert most / 2 <= wait <= most


def test_jitter_differs() -> None:
    assert len({jittered(1.0) for _ in range(10)}) > 1
