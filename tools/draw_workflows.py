"""Makes what people see of the workflows in workflows/api: the editor's own files and their pictures.

    python tools/draw_workflows.py                          all of them, and the blueprint in subgraphs/
    python tools/draw_workflows.py musetalk lyric_video     some of them
    python tools/draw_workflows.py blueprint                the blueprint, made of workflows/api/musetalk.json

ComfyUI's editor does it, in a browser. What workflows/NAME.json says about places, sizes and notes is kept: arrange a
graph and write its notes in the editor, save it over that file, and run this. A new workflow begins with its file in
workflows/api; the editor places its nodes.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from drawn_names import drawn_names

if TYPE_CHECKING:
    from host import Server
    from playwright.sync_api import Page

PACK = Path(__file__).resolve().parent.parent
WORKFLOWS = PACK / "workflows"
BLUEPRINT = "blueprint"

MODEL_FILES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")

# Nothing over the graph, and no tabs of the workflows before.
SETTINGS = {"Comfy.Minimap.Visible": False, "Comfy.Workflow.Persist": False}

Workflow = dict[str, Any]

# Puts nodes where they were, and brings the notes back.
ARRANGE = """before => {
    const known = new Map(before.map(node => [String(node.id), node]))
    if (app.graph.nodes.some(node => !known.has(String(node.id)))) app.graph.arrange()
    for (const node of app.graph.nodes) {
        const { pos = node.pos, size = [340, 0] } = known.get(String(node.id)) ?? {}
        node.pos = pos
        node.setSize(node.computeSize().map((least, axis) => Math.max(least, size[axis])))
    }
    for (const { id, ...kept } of before.filter(node => node.type.endsWith("Note"))) {
        const note = LiteGraph.createNode(kept.type)
        note.configure(kept)
        app.graph.add(note)
    }
    app.canvas.setDirty(true, true)
}"""

# x, y, width and height of all nodes, in pixels of the page.
BOUNDS = """() => {
    const boxes = app.graph.nodes.map(node => node.getBounding())
    const low = axis => Math.min(...boxes.map(box => box[axis]))
    const high = axis => Math.max(...boxes.map(box => box[axis] + box[axis + 2]))
    const [x, y] = app.canvas.ds.convertOffsetToCanvas([low(0), low(1)])
    const [right, bottom] = app.canvas.ds.convertOffsetToCanvas([high(0), high(1)])
    const { left, top } = app.canvas.canvas.getBoundingClientRect()
    return { x: left + x - 20, y: top + y - 20, width: right - x + 40, height: bottom - y + 40 }
}"""


def main() -> int:
    wanted = drawn_names(
        [*sorted(path.stem for path in (WORKFLOWS / "api").glob("*.json")), BLUEPRINT], "workflow", __doc__
    )
    environment.enter()
    with tempfile.TemporaryDirectory() as folder:
        draw(wanted, Path(folder))
    return 0


def draw(names: list[str], folder: Path) -> None:
    """Make what `names` ask for, with a ComfyUI and a browser in the empty `folder`."""
    import blueprint
    import host
    import sample_clips
    from editor_page import browser_window

    with (
        host.running(folder / "comfyui", folder / "comfyui.log", cpu=True) as server,
        browser_window(folder / "profile", 2400, 1300) as window,
    ):
        for file in (WORKFLOWS / "inputs").iterdir():
            shutil.copy2(file, server.input)
        sample_clips.write_one_person(server)
        sample_clips.write_two_people(server)
        server.post("/settings", SETTINGS)
        page = window.new_page()
        page.set_default_timeout(120_000)  # ms, for busy machines
        for name in names:
            if name == BLUEPRINT:
                blueprint.write_blueprint(page, open_workflow(page, server, blueprint.WORKFLOW))
            else:
                draw_one(page, server, name)
            print(f"drew {name}")


def open_workflow(page: Page, server: Server, name: str) -> Workflow:
    """Show workflows/api/NAME.json, arranged as workflows/NAME.json is. Returns what the editor would save."""
    from editor_page import open_empty

    graph = json.loads((WORKFLOWS / "api" / f"{name}.json").read_text(encoding="utf-8"))
    path = WORKFLOWS / f"{name}.json"
    before = json.loads(path.read_text(encoding="utf-8"))["nodes"] if path.exists() else []
    offers = model_offers(graph, before)
    for offer in (offer for found in offers.values() for offer in found):
        put_placeholder(server.models / offer["directory"] / offer["name"])
    open_empty(page, server)  # anew, so that the loaders list the placeholders
    page.evaluate("([graph, name]) => app.loadApiJson(graph, name)", [graph, name])
    page.wait_for_timeout(1500)  # previews of inputs come, and nodes grow
    page.evaluate(ARRANGE, before)
    page.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    page.wait_for_timeout(1500)  # the view moves softly
    workflow: Workflow = page.evaluate("app.graph.serialize()")
    for node in workflow["nodes"]:
        if str(node["id"]) in offers:
            node["properties"]["models"] = offers[str(node["id"])]
    workflow.pop("id", None)
    return workflow


def draw_one(page: Page, server: Server, name: str) -> None:
    from editor_page import save_jpeg

    workflow = open_workflow(page, server, name)
    text = json.dumps(workflow, indent=1) + "\n"
    (WORKFLOWS / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    save_jpeg(page.screenshot(clip=page.evaluate(BOUNDS)), WORKFLOWS / f"{name}.jpg")


def model_offers(graph: dict[str, Any], before: list[dict[str, Any]]) -> dict[str, list[dict[str, str]]]:
    """node id -> `properties.models` for the files it names: from the catalog, else as they were in `before`.

    The editor offers these for download where they are missing. Raises SystemExit for a file without an address.
    """
    known = {offer["name"]: offer for node in before for offer in node.get("properties", {}).get("models", [])}
    known |= catalog_offers()
    found: dict[str, list[dict[str, str]]] = {}
    for number, node in graph.items():
        for value in node["inputs"].values():
            if not (isinstance(value, str) and value.endswith(MODEL_FILES)):
                continue
            if value not in known:
                raise SystemExit(
                    f"Nobody says where {value} comes from: add it to pipelines/weights/catalog.py, or to "
                    f"properties.models of node {number} in the workflow's file for the editor."
                )
            found.setdefault(number, []).append(known[value])
    return found


def catalog_offers() -> dict[str, dict[str, str]]:
    sys.path.append(str(PACK))  # the catalog needs nothing of ComfyUI; at the end, for ComfyUI has a `nodes` of its own
    from pipelines.weights.catalog import CATALOG

    return {
        file.place: {
            "name": file.place,
            "url": file.sources[0].url,
            "directory": file.category,
            "hash": file.sha256,
            "hash_type": "SHA256",
        }
        for file in CATALOG.values()
    }


def put_placeholder(path: Path) -> None:
    """An empty file, so that the editor does not draw the loader as one whose model is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


if __name__ == "__main__":
    sys.exit(main())
