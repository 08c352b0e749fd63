"""What LipSync Video shows before and after a run, in ComfyUI's own editor, on the canvas and as Nodes 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from draft_graphs import video_graph
from host import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

NODES_2 = "Comfy.VueNodes.Enabled"
EMPTY = "Lengths, rates and the waveform are shown here when they are known, at the latest after a run."
CLIP = "clip: 20 frames, 0.80 s, 25 fps, 256x256"
WIDGETS = """() => app.graph.nodes.find(({ comfyClass }) => comfyClass === "LipSyncVideo").serialize().widgets_values"""


CHOOSE = """([loader, widget, value]) => {
    const node = app.graph.nodes.find(({ comfyClass }) => comfyClass === loader);
    node.widgets.find(({ name }) => name === widget).value = value;
}"""

REMOVE_LOADERS = """() => app.graph.nodes.filter(({ comfyClass }) => comfyClass.startsWith("Load"))
    .forEach((node) => app.graph.remove(node))"""


@pytest.fixture(params=[False, True], ids=["canvas", "Nodes 2.0"])
def page(editor: Page, comfyui: Server, clip: str, speech: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The editor with the graph in it, which has not been run."""
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", request.param)
    graph = video_graph(clip, speech, crf=20 + request.param)  # another one each time: a cached node tells nothing
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    editor.evaluate("app.graph.arrange()")
    editor.get_by_text(CLIP, exact=True).wait_for(state="attached")
    yield editor
    comfyui.post("/settings", {NODES_2: False})


def test_the_node_tells_what_went_in_and_came_out(page: Page) -> None:
    before = page.evaluate(WIDGETS)
    page.evaluate("app.queuePrompt(0)")
    page.get_by_text("result: 20 frames, 0.80 s; Draft").wait_for(state="attached")
    assert page.get_by_text(CLIP, exact=True).count() == 1
    assert page.get_by_text("audio: 0.80 s, 16000 Hz", exact=True).count() == 1
    heights = waveform(page)
    assert len(heights) == 400
    assert min(heights) < 40, "the speech is not seen"
    page.wait_for_timeout(2500)  # two looks at what is wired in
    assert page.get_by_text("result: 20 frames").count() == 1, "the result's line went without a change"
    assert page.evaluate(WIDGETS) == before, "what the node shows was saved as a widget"


def test_the_node_tells_what_is_wired_in_before_it_runs(page: Page, comfyui: Server) -> None:
    assert page.get_by_text("audio: 0.80 s, 16000 Hz", exact=True).count() == 1
    assert min(waveform(page)) < 40, "the speech is not seen"

    (comfyui.input / "no_video.mp4").write_bytes(b"no video")
    page.evaluate(CHOOSE, ["LoadVideo", "file", "no_video.mp4"])
    page.get_by_text("Expected a video or audio file; got no_video.mp4").wait_for(state="attached")
    page.evaluate(CHOOSE, ["LoadAudio", "audio", "../secret.wav"])
    page.get_by_text("There is no such file.").wait_for(state="attached")

    page.evaluate(REMOVE_LOADERS)
    page.get_by_text(EMPTY).wait_for(state="attached")


def waveform(page: Page) -> list[float]:
    """Heights of the drawn waveform: its upper edge, then its lower one; 50 is silence."""
    points = page.get_by_label("Waveform of the audio").locator("polygon").get_attribute("points") or ""
    return [float(point.split(",")[1]) for point in points.split()]
