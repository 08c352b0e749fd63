"""The preview inside the BBox Shift node, in ComfyUI's own editor, on the canvas and as Nodes 2.0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from client import Graph
from host import Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NODES_2 = "Comfy.VueNodes.Enabled"
RUN_FIRST = "Run the graph once to see the preview."

SHOWN = """async picture => {
    await picture.decode()
    const canvas = Object.assign(document.createElement("canvas"), { width: 128, height: 128 })
    canvas.getContext("2d").drawImage(picture, 0, 0, 128, 128)
    return canvas.toDataURL()
}"""

VIEW = "() => [100 * app.canvas.ds.scale, ...app.canvas.ds.offset].map(Math.round)"

# Where the arrow for more of the first widget is, in pixels of the page.
ARROW = """() => {
    const node = app.graph.getNodeById(3), widget = node.widgets[0]
    const [x, y] = app.canvas.ds.convertOffsetToCanvas([node.pos[0] + node.size[0] - 25, node.pos[1] + widget.y + 10])
    const { left, top } = app.canvas.canvas.getBoundingClientRect()
    return [left + x, top + y]
}"""


def shift_graph(clip: str, shift: int = 0) -> Graph:
    return {
        "1": {"class_type": "LoadVideo", "inputs": {"file": clip}},
        "2": {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["1", 0]}},
        "3": {
            "class_type": "LipSyncBBoxShift",
            "inputs": {"faces": ["2", 0], "bbox_shift": shift, "extra_margin": -1, "source": ["1", 0]},
        },
    }


@pytest.fixture(params=[False, True], ids=["canvas", "Nodes 2.0"])
def page(editor: Page, comfyui: Server, clip: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The editor with the graph in it, which has not been run."""
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", request.param)
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", shift_graph(clip))
    editor.evaluate("app.graph.arrange()")
    editor.get_by_text(RUN_FIRST).wait_for(state="attached")
    bring_into_view(editor)
    yield editor
    comfyui.post("/settings", {NODES_2: False})


def bring_into_view(page: Page) -> None:
    """Widgets outside of the view are hidden. The view moves softly, clicks need it still, and nodes may still grow: it
    fits when fitting it again changes nothing."""
    for _ in range(20):
        before = page.evaluate(VIEW)
        page.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        page.wait_for_timeout(2000)
        if slider(page).is_visible() and page.evaluate(VIEW) == before:
            return
    raise AssertionError("the slider does not come into view")


def slider(page: Page) -> Locator:
    return page.get_by_label("Frame of the preview")


def picture(page: Page) -> str:
    """The picture in the node, as data."""
    return page.get_by_alt_text("Preview of the crop").evaluate(SHOWN)


def wait_for_another(page: Page, before: str) -> str:
    for _ in range(300):
        page.wait_for_timeout(100)
        if (after := picture(page)) != before:
            return after
    raise AssertionError("the picture stayed as it was")


def run(page: Page) -> None:
    page.evaluate("app.queuePrompt(0)")
    page.get_by_text("suggested: ").wait_for(state="attached")
    bring_into_view(page)


def free_results(comfyui: Server, page: Page) -> None:
    """Until the preview is gone: ComfyUI misses the wish to free while it tidies up after a run."""
    for turn in range(120):
        comfyui.post("/free", {"free_memory": True})
        slider(page).press(("End", "Home")[turn % 2])
        page.wait_for_timeout(500)
        if page.get_by_text("no longer in memory").count():
            return
    raise AssertionError("the preview was still there")


def raise_shift(page: Page) -> None:
    """One click on the widget's arrow or plus, which changes it by 1."""
    plus = page.locator("[data-node-id='3'] [data-testid='increment']").first
    if plus.count():
        plus.click()
    else:
        page.mouse.click(*page.evaluate(ARROW))
    page.wait_for_function("app.graph.getNodeById(3).widgets[0].value === 1")


def test_the_slider_and_the_widgets_change_the_picture_without_a_run(page: Page) -> None:
    assert slider(page).is_disabled()
    run(page)
    first = picture(page)
    slider(page).press("End")
    last = wait_for_another(page, first)
    assert page.get_by_text("19 / 19").count() == 1
    raise_shift(page)
    shifted = wait_for_another(page, last)
    slider(page).press("Home")
    assert wait_for_another(page, shifted) != first


def test_a_preview_that_is_gone_comes_back_with_a_run(page: Page, comfyui: Server) -> None:
    run(page)
    comfyui.post("/free", {"free_memory": True})
    for key in ["End", "Home"] * 60:  # ComfyUI takes some seconds
        slider(page).press(key)
        page.wait_for_timeout(500)
        if page.get_by_text("no longer in memory").count():
            break
    else:
        raise AssertionError("the preview outlives the result")
    run(page)
    assert page.get_by_text("no longer in memory").count() == 0


def test_a_workflow_that_is_opened_again_asks_for_a_run_and_keeps_its_widgets(page: Page) -> None:
    """The run costs nothing: the result is still there."""
    raise_shift(page)
    run(page)
    saved = page.evaluate("app.graph.serialize()")
    (node,) = [node for node in saved["nodes"] if node["type"] == "LipSyncBBoxShift"]
    assert node["widgets_values"] == [1, -1, 0, "engine's own", 0.5, 0]
    asked = page.evaluate("async () => (await app.graphToPrompt()).output")
    assert "lipsync_preview" not in asked["3"]["inputs"]
    page.evaluate("graph => app.loadGraphData(graph)", saved)
    page.get_by_text(RUN_FIRST).wait_for(state="attached")
    run(page)
    assert page.evaluate("app.graph.getNodeById(3).widgets[0].value") == 1
