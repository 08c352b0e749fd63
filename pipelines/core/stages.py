"""Run decode, network and encode side by side over small bounded queues."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    """Marks the end of a queue, with the exception that ended it, if any."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(items: Iterable[T], depth: int = 2) -> Generator[T, None, None]:
    """Produce `items` in a thread, at most `depth` ahead of the consumer.

    An exception in the producer is raised in the consumer at its place. Leaving the loop early stops the thread.
    """
    waiting: queue.Queue[T | _End] = queue.Queue(maxsize=depth)
    stopped = threading.Event()

    def offer(item: T | _End) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def produce() -> None:
        error: BaseException | None = None
        try:
            for item in items:
                offer(item)
                if stopped.is_set():
                    return
        except BaseException as raised:  # handed to the consumer, which raises it
            error = raised
        offer(_End(error))

    thread = threading.Thread(target=produce, name="lipsync-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item = waiting.get()
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

    An exception in the consumer is raised by the next `put`, or at the end of the `with`. When the `with` block
    itself fails, items still waiting are dropped.
    """

    def __init__(self, consume: Callable[[T], None], depth: int = 2) -> None:
        self._consume = consume
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
        if error is not None:
            self._failed.set()
        self._offer(_End())
        self._thread.join()
        if error is None:
            self._raise_failure()

    def _offer(self, item: T | _End) -> None:
        while self._thread.is_alive():
            try:
                self._waiting.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

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
