"""The subgraph blueprint "Lip-sync a video": found by its name, the same as the workflow for MuseTalk, and it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import av
import portrait_clip
from client import Graph
from graph_check import faults
from host import PACK, PACK_NAME, Server
from lipsync_studio.pipelines.weights.catalog import MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME = "Lip-sync a video"

CONNECT = """() => {
    const [video, audio, save, blueprint] = ["LoadVideo", "LoadAudio", "SaveVideo"]
        .map(type => app.graph.nodes.find(node => node.type === type))
        .concat(app.graph.nodes.find(node => node.isSubgraphNode()))
    video.connect(0, blueprint, 0)
    audio.connect(0, blueprint, 1)
    blueprint.connect(0, save, 0)
    return String(blueprint.id)
}"""


def shipped() -> Graph:
    return json.loads((PACK / "workflows" / "api" / "musetalk.json").read_text(encoding="utf-8"))


def essence(graph: Graph) -> dict[str, dict[str, object]]:
    """Class -> its inputs; a link as the class that it comes from, and the outlet. Every class is there once."""
    kinds = {id: node["class_type"] for id, node in graph.items()}
    return {
        node["class_type"]: {
            name: (kinds[value[0]], value[1]) if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        for node in graph.values()
    }


def add_by_name(editor: Page) -> None:
    """As people do: a double click beside the nodes, the name, Enter, and a click where it is to be."""
    editor.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    editor.wait_for_timeout(1000)  # the view moves softly
    editor.mouse.dblclick(300, 900)
    editor.keyboard.type(NAME)
    editor.get_by_text("Subgraph Blueprints / LipSync Studio").first.wait_for()
    editor.keyboard.press("Enter")
    editor.wait_for_function("app.graph.nodes.some(node => node.isSubgraphNode?.())")
    editor.mouse.click(300, 700)


def test_comfyui_lists_it_as_this_pack_s(comfyui: Server) -> None:
    listed = [entry for entry in comfyui.get("/global_subgraphs").values() if PACK_NAME in entry["info"]["node_pack"]]
    assert [entry["name"] for entry in listed] == [NAME]


def test_it_is_the_workflow_for_musetalk_and_runs(
    editor: Page, comfyui: Server, musetalk_weights: None, clip: str
) -> None:
    speech = portrait_clip.write_speech(comfyui.input / "short.wav", 0.1).name
    graph: Graph = {
        "1": {"class_type": "LoadVideo", "inputs": {"file": clip}},
        "2": {"class_type": "LoadAudio", "inputs": {"audio": speech}},
        "3": {
            "class_type": "SaveVideo",
            "inputs": {"filename_prefix": "blueprint", "format": "auto", "codec": "auto"},
        },
    }
    editor.evaluate("graph => app.loadApiJson(graph, 'test')", graph)
    editor.evaluate("app.graph.arrange()")
    add_by_name(editor)
    number = editor.evaluate(CONNECT)
    asked: Graph = editor.evaluate("async () => (await app.graphToPrompt()).output")
    found = faults(asked, comfyui.object_info())  # core's loaders get inputs that only the editor knows
    assert [fault for fault in found if fault.startswith(f"{number}:")] == []

    expected, inside = essence(shipped()), essence(asked)
    for kind in expected.keys() - {"LoadVideo", "LoadAudio", "SaveVideo"}:
        assert inside[kind] | expected[kind] == inside[kind]

    result = comfyui.run(asked, timeout=900)
    assert result.failure is None, result.failure
    (file,) = [file for file in result.files() if file["filename"].endswith(".mp4")]
    with av.open(str(comfyui.output / file["subfolder"] / file["filename"])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 20


def test_missing_weights_are_offered() -> None:
    blueprint = json.loads((PACK / "subgraphs" / f"{NAME}.json").read_text(encoding="utf-8"))
    (subgraph,) = blueprint["definitions"]["subgraphs"]
    offered = {offer["name"] for node in subgraph["nodes"] for offer in node["properties"].get("models", [])}
    assert offered == {file.place for file in (MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY)}
