"""The subgraph blueprint "Lip-sync a video": the workflow for MuseTalk as one node, made by ComfyUI's editor.

ComfyUI lists subgraphs/*.json of every pack among its own blueprints. There is none in API format: there a subgraph is
the nodes inside it, so workflows/api/musetalk.json is what programs use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "Lip-sync a video"
PATH = Path(__file__).resolve().parent.parent / "subgraphs" / f"{NAME}.json"
WORKFLOW = "musetalk"

INSIDE = ("VAELoader", "LipSyncLoadMuseTalk", "LipSyncFacePreprocess", "LipSyncBBoxShift", "LipSyncVideo")

# What the one node shows, beside source and audio.
WIDGETS = (
    ("LipSyncBBoxShift", "bbox_shift"),
    ("LipSyncVideo", "fps"),
    ("LipSyncVideo", "audio_longer"),
    ("LipSyncVideo", "restore_in_silence"),
    ("LipSyncLoadMuseTalk", "unet"),
    ("LipSyncLoadMuseTalk", "whisper"),
    ("VAELoader", "vae_name"),
)

DESCRIPTION = (
    "Makes the speaker of a video, or of a picture, say the audio, with MuseTalk 1.5. Needs three files that are yours "
    "to download: see LipSync models in the sidebar."
)
SEARCH_ALIASES = ["lip", "lip sync", "talk", "dub", "talking head", "musetalk"]

# Leaves nothing but one subgraph node in the graph. The report has no link in the workflow, so it gets one meanwhile.
CONVERT = """([name, inside, widgets]) => {
    const find = (graph, type) => graph.nodes.find(node => node.type === type)
    const reader = LiteGraph.createNode("PreviewAny")
    app.graph.add(reader)
    find(app.graph, "LipSyncVideo").connect(1, reader, 0)
    const { subgraph, node } = app.graph.convertToSubgraph(new Set(inside.map(type => find(app.graph, type))))
    subgraph.name = node.title = name
    for (const [type, widget] of widgets) {
        const inner = find(subgraph, type)
        const slot = inner.inputs.find(input => input.widget?.name === widget)
        subgraph.addInput(widget, slot.type).connect(slot, inner)
    }
    for (const other of [...app.graph.nodes]) if (other !== node) app.graph.remove(other)
    node.pos = [0, 0]
    node.setSize([400, node.computeSize()[1]])
    return app.graph.serialize()
}"""


def write_blueprint(page: Page, workflow: dict[str, Any]) -> None:
    """page: shows `workflow`, which is the one for MuseTalk."""
    made = page.evaluate(CONVERT, [NAME, INSIDE, WIDGETS])
    (subgraph,) = made["definitions"]["subgraphs"]
    subgraph |= {"category": "LipSync Studio", "description": DESCRIPTION}
    models = {node["type"]: node["properties"].get("models") for node in workflow["nodes"]}
    for node in subgraph["nodes"]:
        if models[node["type"]]:
            node["properties"]["models"] = models[node["type"]]
    made |= {"id": _id_of(NAME), "extra": {"BlueprintSearchAliases": SEARCH_ALIASES}}
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(_with_lasting_ids(made, subgraph), encoding="utf-8", newline="\n")


def _with_lasting_ids(made: dict[str, Any], subgraph: dict[str, Any]) -> str:
    """As JSON, with ids made of names in place of random ones, so that making it again changes nothing."""
    text = json.dumps(made, indent=1) + "\n"
    names = {subgraph["id"]: "subgraph"}
    names |= {slot["id"]: f"{side}/{slot['name']}" for side in ("inputs", "outputs") for slot in subgraph[side]}
    for random, name in names.items():
        text = text.replace(random, _id_of(name))
    return text


def _id_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"lipsync-studio/blueprint/{name}"))
