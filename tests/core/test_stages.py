"""Queues between threads: order, errors, early exit, bounded depth."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from lipsync_studio.pipelines.core.stages import Behind, ahead


def never() -> None:
    """A check that finds nothing."""


def lipsync_threads() -> list[threading.Thread]:
    names = ("lipsync-ahead", "lipsync-behind")
    return [thread for thread in threading.enumerate() if thread.name in names]


def test_ahead_keeps_the_order() -> None:
    assert list(ahead(range(100), never)) == list(range(100))


def test_ahead_raises_the_producers_error_at_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise KeyError("broken")

    seen = []
    with pytest.raises(KeyError, match="broken"):
        seen.extend(ahead(items(), never))
    assert not lipsync_threads()


def test_ahead_is_never_further_ahead_than_its_depth() -> None:
    produced: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            produced.append(number)
            yield number

    with closing(ahead(items(), never, depth=3)) as numbers:
        for number in numbers:
            time.sleep(0.002)
            # the one in hand, three in the queue, one waiting to be put
            assert len(produced) <= number + 5


def test_ahead_stops_its_thread_when_left_early() -> None:
    with closing(ahead(iter(int, 1), never)) as endless:
        assert next(endless) == 0
    assert not lipsync_threads()


def test_behind_consumes_everything_in_order() -> None:
    seen: list[int] = []
    with Behind(seen.append, never) as sink:
        for number in range(100):
            sink.put(number)
    assert seen == list(range(100))


def test_behind_raises_the_consumers_error() -> None:
    def consume(number: int) -> None:
        raise OSError("disk full")

    def produce() -> None:
        with Behind(consume, never) as sink:
            for number in range(100):
                sink.put(number)

    with pytest.raises(OSError, match="disk full"):
        produce()
    assert not lipsync_threads()


class SlowConsumer:
    """Takes numbers only once it is released."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self._released = threading.Event()

    def release_after(self, seconds: float) -> None:
        threading.Timer(seconds, self._released.set).start()

    def __call__(self, number: int) -> None:
        self._released.wait(5)
        self.seen.append(number)


def test_behind_drops_what_waits_when_the_producer_fails() -> None:
    consume = SlowConsumer()

    def produce() -> None:
        with Behind(consume, never, depth=5) as sink:
            for number in range(3):
                sink.put(number)
            consume.release_after(0.05)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        produce()
    assert len(consume.seen) <= 1
    assert not lipsync_threads()


class Stop(BaseException):
    """As a host's interrupt: no Exception."""


def stop() -> None:
    raise Stop


def test_ahead_looks_for_an_interrupt_while_it_waits() -> None:
    release = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        release.wait(5)

    seen = []

    def consume() -> None:
        with closing(ahead(items(), stop)) as numbers:
            for number in numbers:
                seen.append(number)
                threading.Timer(0.3, release.set).start()

    with pytest.raises(Stop):
        consume()
    assert seen == [1]
    assert not lipsync_threads()


def test_behind_looks_for_an_interrupt_while_it_waits() -> None:
    consume = SlowConsumer()

    def produce() -> None:
        with Behind(consume, stop, depth=1) as sink:
            consume.release_after(0.3)
            for number in range(5):
                sink.put(number)

    with pytest.raises(Stop):
        produce()
    assert len(consume.seen) <= 1
    assert not lipsync_threads()


def test_a_producer_that_holds_something_lets_go_of_it_in_its_thread() -> None:
    closed: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield 1
            raise KeyError("broken")
        finally:
            closed.append(threading.current_thread().name)

    with pytest.raises(KeyError):
        list(ahead(items(), never))
    assert closed == ["lipsync-ahead"]
