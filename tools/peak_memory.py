"""The most private memory this process held at any moment."""

from __future__ import annotations

import threading

import psutil

INTERVAL = 0.1  # seconds between looks


class PeakMemory:
    """Use it in a `with`; then ask for `megabytes` (memory of this process alone, without mapped files)."""

    def __init__(self) -> None:
        self.megabytes = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        process = psutil.Process()
        while not self._over.wait(INTERVAL):
            held = process.memory_info()
            mapped = getattr(held, "shared", 0)  # programs and files; only Linux tells them apart
            self.megabytes = max(self.megabytes, (held.rss - mapped) / 1e6)
