"""The help pages, the names that find the nodes, and the texts in other languages, as ComfyUI serves and shows them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from host import PACK, PACK_NAME, Server

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

LANGUAGE = "Comfy.Locale"

# What people type -> nodes that must be offered then.
WANTED = {
    "lip": {"LipSyncVideo", "LipSyncSample", "LipSyncLoadMuseTalk", "LipSyncFacePreprocess", "LipSyncDIDTalk"},
    "talk": {"LipSyncVideo", "LipSyncSample", "LipSyncLoadMuseTalk", "LipSyncLoadLatentSync", "LipSyncDIDTalk"},
    "dub": {"LipSyncVideo", "LipSyncSample", "LipSyncLoadMuseTalk", "LipSyncLoadLatentSync", "LipSyncLoadWav2Lip"},
    "karaoke": {
        "LipSyncAlignLyrics",
        "LipSyncWordTimestamps",
        "LipSyncReadLyrics",
        "LipSyncEditTimestamps",
        "LipSyncSaveLyrics",
        "LipSyncLyricOverlay",
        "LipSyncLyricOverlayImages",
    },
}


def our_nodes(comfyui: Server) -> dict[str, dict]:
    return {name: node for name, node in comfyui.object_info().items() if name.startswith("LipSync")}


def served(comfyui: Server, path: str) -> bytes:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(comfyui.url + path, timeout=30) as answer:
        return answer.read()


def test_every_node_has_a_page_and_a_picture_where_the_editor_looks_for_them(comfyui: Server) -> None:
    for name in our_nodes(comfyui):
        assert served(comfyui, f"/extensions/{PACK_NAME}/docs/{name}.md").startswith(b"# ")
        assert served(comfyui, f"/extensions/{PACK_NAME}/docs/{name}.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("word", WANTED)
def test_what_people_type_finds_the_nodes(comfyui: Server, word: str) -> None:
    found = {
        name
        for name, node in our_nodes(comfyui).items()
        if any(word in text.lower().split() for text in (node["display_name"], *node["search_aliases"]))
    }
    assert WANTED[word] <= found


@pytest.mark.parametrize("language", ["zh", "ja"])
def test_the_translations_are_served(comfyui: Server, language: str) -> None:
    shown = json.loads(served(comfyui, "/i18n"))[language]
    folder = PACK / "locales" / language
    expected = json.loads((folder / "main.json").read_text(encoding="utf-8"))
    for name in ("nodeDefs", "commands", "settings"):
        expected[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert shown == expected


def test_a_help_page_opens_with_its_picture(editor: Page) -> None:
    # The editor asks for a page in its language first. That there is none is no mistake.
    def no_page(route: Route) -> None:
        route.fulfill(content_type="text/html", body="")

    editor.route("**/docs/*/en.md", no_page)
    editor.evaluate(
        """() => {
            const node = LiteGraph.createNode("LipSyncBlendSettings")
            app.graph.add(node)
            app.canvas.selectNode(node)
            app.extensionManager.command.execute("Comfy.Canvas.FitView")
        }"""
    )
    editor.get_by_test_id("info-button").click()
    help_page = editor.locator(".node-help-content")
    help_page.get_by_text("Mistakes people make.").wait_for()
    picture = help_page.get_by_alt_text("The node in the editor")
    assert picture.evaluate("async picture => { await picture.decode(); return picture.naturalWidth }") > 100
    assert help_page.get_by_role("cell", name="mask_feather", exact=True).count() == 1


@pytest.fixture(params=["zh", "ja"])
def language(comfyui: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    comfyui.post("/settings", {LANGUAGE: "en"})


def test_the_editor_speaks_the_language_of_its_user(editor: Page, comfyui: Server, language: str) -> None:
    texts = json.loads((PACK / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    comfyui.post("/settings", {LANGUAGE: language, "Comfy.TutorialCompleted": True})
    editor.goto(comfyui.url)
    editor.wait_for_function("window.app?.vueAppReady && !document.getElementById('splash-loader')")
    shown = editor.evaluate(
        """() => {
            app.graph.clear()
            const node = LiteGraph.createNode("LipSyncChooseSpeaker")
            app.graph.add(node)
            node.widgets[0].value = "point"
            return {
                title: node.title,
                inputs: node.inputs.map(({ name, label, localized_name }) => [name, label ?? localized_name]),
                widgets: node.widgets.map(({ name, label }) => [name, label]),
            }
        }"""
    )
    expected = texts["LipSyncChooseSpeaker"]
    assert shown["title"] == expected["display_name"]
    assert dict(shown["inputs"])["faces"] == expected["inputs"]["faces"]["name"]
    names = {name: texts["name"] for name, texts in expected["inputs"].items()}
    assert dict(shown["widgets"]) == {
        name: names[name.replace(".", "_")] for name in ("rule", "rule.frame", "rule.x", "rule.y", "bridge_gaps")
    }
    title = json.loads((PACK / "locales" / language / "main.json").read_text(encoding="utf-8"))["LipSync models"]
    command = "app.extensionManager.command.commands.find(({ id }) => id.endsWith('lipsync-models'))"
    assert title in editor.evaluate(f"{command}.getLabel?.() ?? {command}.label")
