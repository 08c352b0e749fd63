"""What the terminal shows while a graph runs."""

from __future__ import annotations

import io

import pytest
from client import Event
from progress_line import ProgressLine

GRAPH = {"1": {"class_type": "LoadAudio", "inputs": {}}, "2": {"class_type": "LipSyncVideo", "inputs": {}}}


def news(value: int, total: int) -> Event:
    return Event("progress_state", {"nodes": {"2": {"value": value, "max": total}}})


def says(text: str) -> Event:
    return Event("progress_text", {"node": "2", "text": text})


EVENTS = [
    Event("status", {}),
    Event("executing", {"node": "1"}),
    Event("executing", {"node": "2"}),
    news(0, 0),
    says("Lip-sync: 30 of 120 frames, 10.0 fps, 9 s left"),
    news(30, 120),
    says("Lip-sync: 60 of 120 frames\n6 s left"),
    news(60, 120),
    Event("executing", {"node": None}),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO) -> str:
    with ProgressLine(GRAPH, out) as line:
        for event in EVENTS:
            line(event)
    return out.getvalue()


def test_without_a_terminal_each_stage_is_one_line() -> None:
    assert shown(io.StringIO()).split() == ["LoadAudio", "LipSyncVideo", "Lip-sync"]


def test_the_line_follows_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    lines = shown(Terminal()).rstrip("\n").split("\r")
    assert lines[-1].rstrip() == "[############............]  50%  Lip-sync: 60 of 120 frames 6 s left"
    assert {len(line) for line in lines[1:]} == {99}, "a shorter line must wipe out a longer one before it"
