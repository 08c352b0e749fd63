"""The D-ID key in ComfyUI's settings, and the price line in the node, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from did_fake import KEY, FakeDID, error
from host import PACK, Server

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

NODES_2 = "Comfy.VueNodes.Enabled"
ROUTE = "/lipsync_studio/did/key"

PRICE = "Price: 15 s of D-ID's time (7.1 s, rounded up to 15 s)."


@pytest.fixture
def did(did_server: FakeDID) -> Iterator[FakeDID]:
    did_server.forget()
    yield did_server
    assert did_server.breaches == []


@pytest.fixture
def panel(editor: Page) -> Locator:
    """ComfyUI's settings, opened at this pack's."""
    editor.evaluate("app.extensionManager.command.execute('Comfy.ShowSettingsDialog')")
    editor.get_by_role("dialog").get_by_text("LipSync Studio", exact=True).first.click()
    found = editor.locator("[id='LipSyncStudio.DID.Key']")
    found.wait_for()
    return found


def test_the_key_is_set_tested_and_forgotten(
    editor: Page, panel: Locator, comfyui: Server, did: FakeDID, logs: object
) -> None:
    sent: list[tuple[str, str]] = []
    heard: list[str] = []
    editor.on("request", lambda request: sent.append((request.method + request.url, request.post_data or "")))
    editor.on("response", lambda response: heard.append(response.text()) if "did/key" in response.url else None)

    panel.get_by_role("button", name="Forget").click()
    panel.get_by_text("Not set.").wait_for()
    panel.get_by_role("button", name="Test connection").click()
    panel.get_by_text("No D-ID key is set").wait_for()
    assert did.asked == []

    field = panel.get_by_role("textbox")
    assert field.get_attribute("type") == "password"
    field.fill(f" Basic {KEY} ")
    panel.get_by_role("button", name="Save").click()
    panel.get_by_text("Set.", exact=True).wait_for()
    assert field.input_value() == ""

    panel.get_by_role("button", name="Test connection").click()
    panel.get_by_text("Credits left: 20 of 20").wait_for()
    did.on("GET /credits", error(401, "AuthorizationError", f"unknown {KEY}"))
    panel.get_by_role("button", name="Test connection").click()
    panel.get_by_text("D-ID does not know this key").wait_for()

    field.fill("no key at all")
    panel.get_by_role("button", name="Save").click()
    panel.get_by_text("Expected a D-ID API key").wait_for()
    assert comfyui.get(ROUTE) == {"whence": "file"}, "the old one stays"

    editor.screenshot(path=f"{logs}/did_settings.png")
    assert [url for url, body in sent if KEY in body or KEY in url] == [f"POST{comfyui.url}/api{ROUTE}"]
    assert heard
    assert not any(KEY in text for text in heard)
    assert KEY not in json.dumps(comfyui.get("/settings"))
    assert KEY not in editor.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert KEY not in editor.content()

    panel.get_by_role("button", name="Forget").click()
    panel.get_by_text("Not set.").wait_for()
    assert comfyui.get(ROUTE) == {"whence": "nowhere"}


@pytest.mark.parametrize("modern", [False, True], ids=["canvas", "Nodes 2.0"])
def test_the_price_is_told_before_a_run(editor: Page, comfyui: Server, did: FakeDID, modern: bool) -> None:
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", modern)
    graph = json.loads((PACK / "workflows" / "api" / "did_talk.json").read_text(encoding="utf-8"))
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    editor.evaluate("app.graph.arrange()")
    editor.get_by_text(PRICE).wait_for(state="attached")
    saved = editor.evaluate("JSON.stringify(app.graph.serialize())")
    asked = editor.evaluate("async () => JSON.stringify((await app.graphToPrompt()).output)")
    assert "Price" not in saved + asked

    pad = "app.graph.getNodeById(3).widgets.find(widget => widget.name === 'pad_audio')"
    editor.evaluate(f"{pad}.value = 8.5")
    editor.get_by_text("Price: 30 s of D-ID's time (15.6 s, rounded up to 15 s).").wait_for(state="attached")
    editor.evaluate("app.graph.getNodeById(2).mode = 4")
    editor.get_by_text("It is known when the graph runs.").wait_for(state="attached")
    editor.evaluate(
        "node => node.disconnectInput(node.inputs.findIndex(input => input.name === 'audio'))",
        editor.evaluate_handle("app.graph.getNodeById(3)"),
    )
    editor.get_by_text("Price: how long the text takes to say, rounded up to 15 s.").wait_for(state="attached")
    comfyui.post("/settings", {NODES_2: False})
    assert did.asked == [], "a price is told without asking D-ID"


@pytest.mark.parametrize("modern", [False, True], ids=["canvas", "Nodes 2.0"])
def test_the_node_tells_how_it_goes_and_what_a_stop_means(
    editor: Page, comfyui: Server, did: FakeDID, modern: bool
) -> None:
    comfyui.post(ROUTE, {"key": KEY})
    did.course = ("created", "started")  # for ever
    editor.evaluate(f"on => app.extensionManager.setting.set('{NODES_2}', on)", modern)
    graph = json.loads((PACK / "workflows" / "api" / "did_talk.json").read_text(encoding="utf-8"))
    graph["3"]["inputs"] |= {"consent": True, "run_again": 50 + modern}
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    editor.evaluate("app.queuePrompt(0)")
    editor.get_by_text("Started; D-ID is at work").first.wait_for()
    comfyui.interrupt()
    editor.get_by_text("D-ID goes on with talk tlk_0-x and may bill it").first.wait_for()
    comfyui.post("/settings", {NODES_2: False})
    assert did.count("POST /talks") == 1
