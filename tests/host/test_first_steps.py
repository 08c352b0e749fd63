"""What a person does first in the editor: find a template, run it, see the result; read a node's help."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from host import PACK, PACK_NAME, Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

TEMPLATES = sorted(path.stem for path in (PACK / "workflows").glob("*.json"))

# Until a picture is there: its width in px.
LOADED_WIDTH = "image => image.decode().then(() => image.naturalWidth)"


def template_cards(editor: Page) -> Locator:
    """Ours, in the template browser, which is opened."""
    editor.evaluate("void app.extensionManager.command.execute('Comfy.BrowseTemplates')")
    browser = editor.get_by_role("dialog")
    browser.get_by_text(PACK_NAME, exact=True).click()
    browser.get_by_test_id("template-workflow-quick_start").wait_for()
    return browser.locator("[data-testid^='template-workflow-']")


def show_all(editor: Page) -> None:
    editor.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    editor.wait_for_timeout(1000)  # the view moves softly


def test_a_template_is_found_and_run_and_its_result_plays(
    editor: Page, comfyui: Server, picture: Callable[..., None]
) -> None:
    cards = template_cards(editor)
    names = [str(card.get_attribute("data-testid")).removeprefix("template-workflow-") for card in cards.all()]
    assert sorted(names) == TEMPLATES
    for card in cards.all():
        card.scroll_into_view_if_needed()
        assert card.locator("img").first.evaluate(LOADED_WIDTH) > 0
    cards.first.scroll_into_view_if_needed()
    picture("templates")

    editor.get_by_test_id("template-workflow-quick_start").click()
    shipped = json.loads((PACK / "workflows" / "quick_start.json").read_text(encoding="utf-8"))
    editor.wait_for_function(f"app.graph.nodes.length === {len(shipped['nodes'])}")
    assert editor.get_by_text(re.compile(r"\d+ errors? found")).all_inner_texts() == []

    editor.get_by_role("dialog").wait_for(state="hidden")
    editor.get_by_test_id("queue-button").click()
    editor.wait_for_function("document.querySelector('video')?.videoWidth === 512")
    assert editor.locator("video").evaluate("video => video.duration") == pytest.approx(7.08, abs=0.1)
    editor.get_by_text("picture: 512x512", exact=True).wait_for(state="attached")
    show_all(editor)
    editor.get_by_text("Job completed").wait_for(state="hidden")
    picture("graph")


def test_the_help_page_opens_beside_the_node(editor: Page) -> None:
    graph = json.loads((PACK / "workflows" / "quick_start.json").read_text(encoding="utf-8"))
    editor.evaluate("graph => app.loadGraphData(graph)", graph)
    show_all(editor)
    editor.evaluate("app.canvas.selectNode(app.graph.nodes.find(node => node.type === 'LipSyncVideo'))")
    editor.get_by_test_id("info-button").click()
    page = (PACK / "web" / "docs" / "LipSyncVideo.md").read_text(encoding="utf-8")
    first = next(line for line in page.splitlines() if line and line[0].isalpha())
    editor.get_by_text(first.split(",")[0]).wait_for()
