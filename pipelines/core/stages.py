"""Run decode, network and encode side by side over small bounded queues."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

WAKE = 0.1  # seconds between looks while waiting


class _End:
    """Marks the end of a queue, with the exception that ended it, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(
    items: Generator[T, None, None] | Iterable[T], check: Callable[[], None], depth: int = 1
) -> Generator[T, None, None]:
    """Produce `items` in a thread; `depth` of them wait at most, beside one in the making and one in use.

    check: called ten times a second while waiting; what it raises ends the wait. An exception in the producer is raised
    in the consumer at its place. Leaving the loop early stops the thread.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(item: T | _End) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=WAKE)
                return
            except queue.Full:
                continue

    def produce() -> None:
        end = _End()
        try:
            for item in items:
                offer(item)
                if stopped.is_set():
                    break
        except BaseException as raised:  # handed to the consumer, which raises it
            end = _End(raised)
        finally:
            if isinstance(items, Generator):
                items.close()  # now, in the thread that used it: it may hold files
        offer(end)
        del end  # else the exception and this frame would keep each other alive

    thread = threading.Thread(target=produce, name="lipsync-ahead", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = waiting.get(timeout=WAKE)
            except queue.Empty:
                check()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        thread.join()


class Behind(Generic[T]):
    """Consume items in a thread, at most `depth` behind the producer; use it in a `with`.

    check: called ten times a second while waiting for the consumer; what it raises ends the wait. An exception in the
    consumer is raised by the next `put`, or at the end of the `with`. When the `with` block itself fails, items still
    waiting are dropped.
    """

    def __init__(self, consume: Callable[[T], None], check: Callable[[], None], depth: int = 2) -> None:
        self._consume = consume
        self._check = check
        self._waiting: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
        self._failed = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="lipsync-behind", daemon=True)

    def __enter__(self) -> Behind[T]:
        self._thread.start()
        return self

    def put(self, item: T) -> None:
        """Hand over one item; waits while the queue is full."""
        self._offer(item)
        self._raise_failure()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if error is None:
                self._offer(_End())
                while self._thread.is_alive():
                    self._thread.join(WAKE)
                    self._check()
        except BaseException:
            self._stop()
            raise
        if error is not None:
            self._stop()
        else:
            self._raise_failure()

    def _stop(self) -> None:
        """Drop what waits, and wait for the item in work."""
        self._failed.set()
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._waiting.put(_End(), timeout=WAKE)

    def _offer(self, item: T | _End) -> None:
        while self._thread.is_alive():
            try:
                self._waiting.put(item, timeout=WAKE)
                return
            except queue.Full:
                self._check()

    def _raise_failure(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while True:
            item = self._waiting.get()
            if isinstance(item, _End):
                return
            if self._failed.is_set():
                continue
            try:
                self._consume(item)
            except BaseException as raised:  # handed to the producer, which raises it
                self._error = raised
                self._failed.set()
                return
