"""The editor of Edit Timestamps in a browser: a graph with it, how to use it, and what it has saved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from client import Graph

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SPEECH = "speech.flac"  # 7.08 s, one of the shipped workflows' inputs
SECONDS = 7.08

LRC = (
    "[ti:Test]\n"
    "[00:01.00]<00:01.00>one <00:01.50>two <00:02.00>three<00:02.50>\n"
    "[00:03.00]<00:03.00>four <00:03.50>five <00:04.00>six<00:05.00>\n"
)
WORDS = ["one", "two", "three", "four", "five", "six"]

SAVED = "app.graph.getNodeById(3).widgets.find(({ name }) => name === 'edits').value"


def edit_graph(text: str = LRC, audio: str = SPEECH, **widgets: object) -> Graph:
    """Audio and lyrics through Edit Timestamps (node 3) into a file. widgets: of that node."""
    return {
        "1": {"class_type": "LoadAudio", "inputs": {"audio": audio}},
        "2": {"class_type": "LipSyncReadLyrics", "inputs": {"text": text}},
        "3": {"class_type": "LipSyncEditTimestamps", "inputs": {"audio": ["1", 0], "timings": ["2", 0], **widgets}},
        "4": {
            "class_type": "LipSyncSaveLyrics",
            "inputs": {"timings": ["3", 0], "filename_prefix": "edited", "format": "srt"},
        },
    }


def load(page: Page, graph: Graph) -> None:
    """Open the graph, which has not been run."""
    page.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    page.evaluate("app.graph.arrange()")
    page.get_by_text("Run the graph once to open the editor.").wait_for(state="attached")


def run(page: Page, says: str) -> None:
    """Run the graph until the node's panel says this."""
    page.evaluate("app.queuePrompt(0)")
    page.locator(".ls-panel-text").get_by_text(says).wait_for(state="attached")


def open_editor(page: Page) -> None:
    """Widgets outside of the view are hidden; the view moves softly, and clicks need it still."""
    opener = page.get_by_role("button", name="Open editor")
    for _ in range(20):
        page.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        page.wait_for_timeout(2000)
        if opener.is_visible():
            break
    opener.click()
    page.locator(".ls-inspector").wait_for()
    page.wait_for_timeout(500)


def close_editor(page: Page) -> None:
    page.locator(".ls-close").click()
    page.locator(".ls-editor").wait_for(state="detached")


def saved(page: Page) -> dict[str, Any]:
    """The edits as the workflow keeps them; {} without any."""
    text = page.evaluate(SAVED)
    return json.loads(text) if text else {}


def words(page: Page) -> list[str]:
    return [word["text"] for line in saved(page)["lines"] for word in line["words"]]


def times(page: Page) -> list[list[float]]:
    """[start, end] of each word of the saved edits."""
    return [[word["start"], word["end"]] for line in saved(page)["lines"] for word in line["words"]]


def pixel(page: Page, seconds: float) -> tuple[float, float]:
    """Where a time is on the page: by the width of the waveform, not by what the editor says."""
    box = page.locator(".ls-blocks").bounding_box()
    assert box is not None
    return box["x"] + seconds / SECONDS * box["width"], box["y"] + box["height"] / 2


def per_pixel(page: Page) -> float:
    """Seconds of one pixel."""
    box = page.locator(".ls-blocks").bounding_box()
    assert box is not None
    return SECONDS / box["width"]


def drag(page: Page, start: float, end: float, key: str = "") -> None:
    """From one time to another on the waveform, with a key held down."""
    if key:
        page.keyboard.down(key)
    page.mouse.move(*pixel(page, start))
    page.mouse.down()
    page.mouse.move(*pixel(page, (start + end) / 2), steps=3)
    page.mouse.move(*pixel(page, end), steps=3)
    page.mouse.up()
    if key:
        page.keyboard.up(key)


def click(page: Page, seconds: float, modifier: str = "") -> None:
    if modifier:
        page.keyboard.down(modifier)
    page.mouse.click(*pixel(page, seconds))
    if modifier:
        page.keyboard.up(modifier)


def chip(page: Page, word: str) -> Locator:
    return page.locator(".ls-chip", has_text=word).first


def selected(page: Page) -> list[str]:
    return page.locator(".ls-chip.ls-selected").all_inner_texts()


def playhead(page: Page) -> float:
    """Seconds; the sound is shorter than a minute."""
    return float(page.locator(".ls-clock").inner_text().removeprefix("0:"))


def near(found: list[list[float]], expected: list[list[float]], within: float) -> bool:
    return bool(np.allclose(found, expected, atol=within, rtol=0))
