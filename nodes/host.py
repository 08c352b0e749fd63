"""ComfyUI as the pipelines see it: its progress bar, status text, stop button and log."""

from __future__ import annotations

import time

import comfy.model_management
import comfy.utils
import torch
from comfy_execution.utils import get_executing_context
from server import PromptServer

TEXT_INTERVAL = 0.5  # seconds between status texts; the bar itself is throttled by ComfyUI


class ComfyHost:
    """One per node execution. Implements `pipelines.core.host.Host`.

    steps, speed: what is counted, and what their number per second is called.
    """

    def __init__(self, steps: str = "frames", speed: str = "fps") -> None:
        self._words = steps, speed
        self._stage = ""
        self._started = 0.0
        self._told = 0.0
        self._bar: comfy.utils.ProgressBar | None = None

    def progress(self, done: int, total: int, text: str) -> None:
        """Move the node's bar and, twice a second, say the stage, the speed and the time left."""
        now = time.monotonic()
        if self._bar is None or text != self._stage:
            self._stage, self._started, self._told = text, now, 0.0
            self._bar = comfy.utils.ProgressBar(total)
        self._bar.update_absolute(done, total)
        if now - self._told >= TEXT_INTERVAL or done == total:
            self._told = now
            self._tell(done, total, now - self._started)

    def check_interrupt(self) -> None:
        """Raise ComfyUI's InterruptProcessingException when the user pressed stop."""
        comfy.model_management.throw_exception_if_processing_interrupted()

    def free_memory(self) -> int:
        """Bytes of main memory that are free, as ComfyUI counts them."""
        return int(comfy.model_management.get_free_memory(torch.device("cpu")))

    def say(self, text: str) -> None:
        """Show a text on the node, until the next one."""
        context = get_executing_context()
        if context is not None and PromptServer.instance is not None:
            PromptServer.instance.send_progress_text(text, context.node_id)

    def _tell(self, done: int, total: int, elapsed: float) -> None:
        speed = done / elapsed if elapsed > 0 else 0.0
        steps, per_second = self._words
        left = f", {speed:.1f} {per_second}, {(total - done) / speed:.0f} s left" if speed and done < total else ""
        self.say(f"{self._stage}: {done} of {total} {steps}{left}")
