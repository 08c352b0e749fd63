"""This pack in ComfyUI's own graph editor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from host import PACK, PACK_NAME, Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOR_PEOPLE = sorted((PACK / "workflows").glob("*.json"))
FOR_PROGRAMS = sorted((PACK / "workflows" / "api").glob("*.json"))

ADD_NODES = """names => names.map((name, index) => {
    const node = LiteGraph.createNode(name)
    if (!node) return [name, false]
    node.pos = [(index % 4) * 420, Math.floor(index / 4) * 480]
    app.graph.add(node)
    return [name, app.graph.getNodeById(node.id)?.type === name]
})"""


def test_every_node_can_be_added(editor: Page, comfyui: Server) -> None:
    names = [name for name in comfyui.object_info() if name.startswith("LipSync")]
    assert names
    assert editor.evaluate(ADD_NODES, names) == [[name, True] for name in names]


@contextmanager
def weights_of(workflow: Path, comfyui: Server) -> Iterator[None]:
    """Empty files, so that the editor misses none of the weights that the workflow names."""
    nodes = json.loads(workflow.read_text(encoding="utf-8"))["nodes"]
    offers = [offer for node in nodes for offer in node["properties"].get("models", [])]
    paths = {comfyui.models / offer["directory"] / offer["name"] for offer in offers}
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    try:
        yield
    finally:
        for path in missing:
            path.unlink()


@pytest.mark.parametrize("workflow", FOR_PEOPLE, ids=lambda path: path.stem)
def test_a_template_opens_and_is_the_graph_for_programs(
    editor: Page, comfyui: Server, two_people: str, workflow: Path
) -> None:
    with weights_of(workflow, comfyui):
        _opens(editor, comfyui, workflow)


def _opens(editor: Page, comfyui: Server, workflow: Path) -> None:
    editor.goto(f"{comfyui.url}/?template={workflow.stem}&source={PACK_NAME}")
    count = len(json.loads(workflow.read_text(encoding="utf-8"))["nodes"])
    editor.wait_for_function(f"window.app?.graph?.nodes.length === {count}")
    unknown = "app.graph.nodes.filter(node => !(node.type in LiteGraph.registered_node_types)).map(node => node.type)"
    assert editor.evaluate(unknown) == []
    asked = editor.evaluate("async () => (await app.graphToPrompt()).output")
    shipped = json.loads((PACK / "workflows" / "api" / workflow.name).read_text(encoding="utf-8"))
    assert _essence(asked, shipped) == _essence(shipped, shipped)
    assert editor.get_by_text(re.compile(r"\d+ errors? found")).all_inner_texts() == []


def _essence(graph: dict, like: dict) -> dict[str, tuple[str, dict]]:
    """Classes and those inputs that `like` names; the editor adds what only it needs."""
    return {
        id: (node["class_type"], {name: node["inputs"].get(name) for name in like[id]["inputs"]})
        for id, node in graph.items()
        if id in like
    }


@pytest.mark.parametrize("workflow", FOR_PROGRAMS, ids=lambda path: path.stem)
def test_an_api_workflow_survives_the_editor(editor: Page, workflow: Path) -> None:
    """The editor asks the server for the graph it was given; what the file leaves out, it adds with its default."""
    graph = json.loads(workflow.read_text(encoding="utf-8"))
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    asked = editor.evaluate("async () => (await app.graphToPrompt()).output")
    assert {id: node["class_type"] for id, node in asked.items()} == {
        id: node["class_type"] for id, node in graph.items()
    }
    for id, node in graph.items():
        assert asked[id]["inputs"] | node["inputs"] == asked[id]["inputs"]
