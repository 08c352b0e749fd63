"""One line in the terminal that shows how far a graph has come."""

from __future__ import annotations

import shutil
import sys
from typing import TextIO

from client import Event, Graph

BAR_CELLS = 24


class ProgressLine:
    """Call it with every event of a run; use it in a `with`.

    Shows the bar of the node that runs and the node's own words, which for this pack's nodes end with the speed and
    the time left. Without a terminal (a log file), it prints each new stage once: the words before the colon.
    """

    def __init__(self, graph: Graph, out: TextIO = sys.stdout) -> None:
        self._graph = graph
        self._out = out
        self._node = ""
        self._text = ""
        self._share = 0.0
        self._stage = ""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._out.isatty():
            self._out.write("\n")

    def __call__(self, event: Event) -> None:
        if event.kind == "executing" and event.data["node"] is not None:
            self._node, self._share = event.data["node"], 0.0
            self._text = self._graph[self._node]["class_type"] if self._node in self._graph else self._node
        elif event.kind == "progress_text":
            self._text = " ".join(event.data["text"].split())
        elif event.kind == "progress_state":
            state = event.data["nodes"].get(self._node, {"value": 0, "max": 1})
            self._share = state["value"] / (state["max"] or 1)
        if self._out.isatty():
            self._draw()
        else:
            self._print_new_stage()

    def _draw(self) -> None:
        filled = round(self._share * BAR_CELLS)
        line = f"[{'#' * filled}{'.' * (BAR_CELLS - filled)}] {self._share:4.0%}  {self._text}"
        width = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r{line[:width]:<{width}}")
        self._out.flush()

    def _print_new_stage(self) -> None:
        stage = self._text.split(":")[0]
        if stage != self._stage:
            self._stage = stage
            self._out.write(f"  {stage}\n")
            self._out.flush()
