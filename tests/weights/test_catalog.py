"""The catalog against itself, the nodes and the shipped workflows."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import list_weights
import pytest
from lipsync_studio.pipelines.weights.bundles import BUNDLES, Bundle
from lipsync_studio.pipelines.weights.catalog import CATALOG, MUSETALK_V15_UNET
from lipsync_studio.pipelines.weights.weight_file import WeightFile

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
FILES = [pytest.param(file, id=key) for key, file in CATALOG.items()]

# What the editor's own schema asks of an entry, and the endings that it takes for those of models (frontend 1.47).
MODEL_KEYS = {"name", "url", "directory", "hash", "hash_type"}
MODEL_ENDINGS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin", ".sft", ".onnx", ".gguf")


def test_every_file_has_a_place_of_its_own() -> None:
    places = [f"{file.folder}/{file.name}" for file in CATALOG.values()]
    assert len(places) == len(set(places)) > 10


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_where_it_says(file: WeightFile) -> None:
    for source in file.sources:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", source.repo)
        assert re.fullmatch(r"[0-9a-f]{40}|main", source.revision)
    assert not file.folder.startswith("models")
    assert file.place.endswith(file.name)


def test_a_wrong_entry_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="sha256"):
        WeightFile("x", "a/b", "c", 1, "7ebf", "none", "vae")
    with pytest.raises(ValueError, match="size"):
        WeightFile("x", "a/b", "c", 0, MUSETALK_V15_UNET.sha256, "none", "vae")


def test_the_nodes_that_need_a_file_have_the_input_for_it() -> None:
    from lipsync_studio.nodes import LipSyncStudio

    schemas = [node.define_schema() for node in asyncio.run(LipSyncStudio().get_node_list())]
    inputs = {schema.node_id: {given.id for given in schema.inputs} for schema in schemas}
    for file in CATALOG.values():
        for use in file.uses:
            assert use.node in inputs, file.what
            assert not use.widget or use.widget in inputs[use.node], file.what


def test_every_file_is_in_a_bundle_and_every_bundle_in_the_catalog() -> None:
    bundled = {file for bundle in BUNDLES.values() for file in bundle.files}
    alone = {key for key, file in CATALOG.items() if file not in bundled}
    assert alone == {"whisper-tiny-tokenizer"}  # Whisper-tiny hears for MuseTalk; for words there is better
    assert bundled <= set(CATALOG.values())


def test_an_engine_that_no_node_takes_is_not_usable() -> None:
    assert BUNDLES["musetalk"].is_usable
    assert Bundle("nothing to fetch").is_usable
    assert not Bundle("one file of two", (MUSETALK_V15_UNET, replace(MUSETALK_V15_UNET, uses=()))).is_usable


def test_the_page_is_up_to_date() -> None:
    written = list_weights.PAGE.read_text(encoding="utf-8")
    assert written == list_weights.render(), "run: python tools/list_weights.py"


def nodes_of(path: Path) -> list[dict[str, Any]]:
    graph = json.loads(path.read_text(encoding="utf-8"))
    subgraphs = (graph.get("definitions") or {}).get("subgraphs", [])
    inner = [node for subgraph in subgraphs for node in subgraph["nodes"]]
    return [*graph["nodes"], *inner]


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.json")), ids=lambda path: path.stem)
def test_a_shipped_workflow_says_where_its_models_are(path: Path) -> None:
    """Every catalog file that a widget names is in the node's `properties.models`, as the editor reads it.

    Models of ComfyUI's own nodes, which the catalog does not know, are there, too.
    """
    places = {file.place: file for file in CATALOG.values()}
    for node in nodes_of(path):
        values = node.get("widgets_values") or []
        names = [value for value in values if isinstance(value, str) and value.endswith(MODEL_ENDINGS)]
        listed = {model["name"]: model for model in node["properties"].get("models", [])}
        known = {name: places.get(name) or places.get(name.partition("/")[2]) for name in names}
        assert list(listed) == [name for name in names if known[name] or name in listed], (path.name, node["type"])
        for name, model in listed.items():
            file = known[name]
            if file is None:
                assert {"name", "url", "directory"} <= set(model) <= MODEL_KEYS
                continue
            assert set(model) == MODEL_KEYS
            assert model["url"] == file.sources[0].url
            assert (model["hash"], model["hash_type"]) == (file.sha256, "SHA256")
            assert model["directory"] == file.category
