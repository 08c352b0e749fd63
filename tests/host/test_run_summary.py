"""What LipSync Video shows in the node after a run, in ComfyUI's own editor, on the canvas and as Nodes 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from draft_graphs import video_graph
from host import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

NODES_2 = "Comfy.VueNodes.Enabled"
EMPTY = "Lengths, rates and the waveform are shown here when this node has run."
WIDGETS = """() => app.graph.nodes.find(({ comfyClass }) => comfyClass === "LipSyncVideo").serialize().widgets_values"""


@pytest.fixture(params=[False, True], ids=["canvas", "Nodes 2.0"])
def page(editor: Page, comfyui: Server, clip: str, speech: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The editor with the graph in it, which has not been run."""
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", request.param)
    graph = video_graph(clip, speech, crf=20 + request.param)  # another one each time: a cached node tells nothing
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    editor.evaluate("app.graph.arrange()")
    editor.get_by_text(EMPTY).wait_for(state="attached")
    yield editor
    comfyui.post("/settings", {NODES_2: False})


def test_the_node_tells_what_went_in_and_came_out(page: Page) -> None:
    before = page.evaluate(WIDGETS)
    page.evaluate("app.queuePrompt(0)")
    page.get_by_text("clip: 20 frames, 0.80 s, 25 fps, 256x256", exact=True).wait_for(state="attached")
    assert page.get_by_text("audio: 0.80 s, 16000 Hz", exact=True).count() == 1
    assert page.get_by_text("result: 20 frames, 0.80 s; Draft").count() == 1
    assert page.get_by_text(EMPTY).count() == 0
    points = page.get_by_label("Waveform of the audio").locator("polygon").get_attribute("points") or ""
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert len(heights) == 400
    assert min(heights) < 40, "the speech is not seen"
    assert page.evaluate(WIDGETS) == before, "what the node shows was saved as a widget"
