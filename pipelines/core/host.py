"""What the pipelines ask of the program they run in: progress out, interrupts in."""

from __future__ import annotations

import logging
import sys
from typing import Protocol

log = logging.getLogger(__name__)


class Host(Protocol):
    """Implemented by nodes/host.py for ComfyUI and by `PlainHost` for tools and tests."""

    def progress(self, done: int, total: int, text: str) -> None:
        """Show that `done` of `total` steps are finished; `text` names the stage."""

    def check_interrupt(self) -> None:
        """Raise the host's own interrupt exception when the user pressed stop."""

    def free_memory(self) -> int:
        """Bytes of main memory that a result may take."""


class PlainHost:
    """A host without a graph: logs progress, is never interrupted, knows no limit of memory."""

    def progress(self, done: int, total: int, text: str) -> None:
        log.debug("%s: %d of %d", text, done, total)

    def check_interrupt(self) -> None:
        return None

    def free_memory(self) -> int:
        return sys.maxsize
