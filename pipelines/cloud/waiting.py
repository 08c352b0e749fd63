"""Waiting that the stop button ends at once, however slow the network is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..core.errors import CloudError

T = TypeVar("T")

WAKE = 0.1  # seconds between looks at the stop button


class Watcher(Protocol):
    """Whoever waits for the result: ComfyUI's node, or a test."""

    def say(self, text: str) -> None:
        """Show what is going on."""

    def check_interrupt(self) -> None:
        """Raise the host's own interrupt exception when the user pressed stop."""

    def is_interrupted(self) -> bool:
        """Whether `check_interrupt` would raise. Asking changes nothing."""


@dataclass(frozen=True)
class WithoutInterrupt:
    """For a last step: a stop ends it as a failure that can be told, and stays pressed, so that the host stops next."""

    watcher: Watcher

    def say(self, text: str) -> None:
        self.watcher.say(text)

    def is_interrupted(self) -> bool:
        return self.watcher.is_interrupted()

    def check_interrupt(self) -> None:
        if self.is_interrupted():
            raise CloudError(expected="an answer", got="the stop button before it", next_step="Run again.")


def pause(seconds: float, watcher: Watcher) -> None:
    """Sleep; raises what `watcher.check_interrupt` raises."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        watcher.check_interrupt()
        time.sleep(min(left, WAKE))
    watcher.check_interrupt()


def in_background(work: Callable[[threading.Event], T], watcher: Watcher, tell: Callable[[], None] = lambda: None) -> T:
    """The result of `work`, which runs in a thread and may block.

    A blocking read cannot be ended from outside. When the user presses stop, the thread is left alone to end by its own
    timeouts; the event that `work` was given tells it. tell: called at each look at the stop button.
    """
    watcher.check_interrupt()  # nothing begins after a stop
    answer: Future[T] = Future()
    abandoned = threading.Event()

    def run() -> None:
        try:
            answer.set_result(work(abandoned))
        except BaseException as raised:  # handed to the waiting thread, which raises it
            answer.set_exception(raised)

    threading.Thread(target=run, name="lipsync-cloud", daemon=True).start()
    try:
        while not answer.done():
            watcher.check_interrupt()
            tell()
            wait([answer], timeout=WAKE)
        return answer.result()
    finally:
        abandoned.set()
