"""The graph of a job: the shipped workflow with the order's files, engine and values in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from comfy_api.latest import io

from ..pipelines.weights.catalog import (
    LATENTSYNC_V15_UNET,
    LATENTSYNC_V16_UNET,
    MUSETALK_V15_UNET,
    SD_VAE,
    WAV2LIP_GAN,
    WHISPER_TINY,
)
from ..pipelines.weights.weight_file import WeightFile
from . import models
from .engines import LoadMuseTalk, UseDraftEngine
from .jobs_errors import RequestError
from .jobs_order import PARAMETERS, EngineName, Order
from .latentsync import LoadLatentSync
from .wav2lip import LoadWav2Lip

Graph = dict[str, dict[str, Any]]
"""API format: node id -> {"class_type", "inputs"}."""

WORKFLOW: Final = Path(__file__).resolve().parent.parent / "workflows" / "api" / "musetalk.json"
RESULTS: Final = "lipsync/jobs"  # in ComfyUI's output folder


@dataclass(frozen=True)
class EngineNode:
    """The node that gives an engine. files: by its inputs, the weights that do, the first that is there is taken.

    vae: it takes the Stable Diffusion VAE, too.
    """

    node: type[io.ComfyNode]
    files: Mapping[str, tuple[WeightFile, ...]] = field(default_factory=dict)
    vae: bool = False

    @property
    def needs(self) -> tuple[tuple[WeightFile, ...], ...]:
        """One out of each has to be there."""
        return (*self.files.values(), *(((SD_VAE,),) if self.vae else ()))


ENGINES: Final[Mapping[EngineName, EngineNode]] = MappingProxyType(
    {
        "draft": EngineNode(UseDraftEngine),
        "musetalk": EngineNode(LoadMuseTalk, {"unet": (MUSETALK_V15_UNET,), "whisper": (WHISPER_TINY,)}, vae=True),
        "latentsync": EngineNode(
            LoadLatentSync,
            {"unet": (LATENTSYNC_V15_UNET, LATENTSYNC_V16_UNET), "whisper": (WHISPER_TINY,)},
            vae=True,
        ),
        "wav2lip": EngineNode(LoadWav2Lip, {"model": (WAV2LIP_GAN,)}),
    }
)


class Weights:
    """What lies in ComfyUI's model folders now."""

    def __init__(self) -> None:
        self._files = {(file["folder"], file["name"]): file for file in models.snapshot()["files"]}

    def name(self, choices: tuple[WeightFile, ...]) -> str | None:
        """What a loader node calls the first of `choices` that is here."""
        found = (self._files[file.folder, file.name]["found"] for file in choices)
        return next((str(Path(*path.split("/")[1:])) for path in found if path), None)

    def missing(self, engine: EngineName) -> list[str]:
        """What has to be downloaded for the engine, and where it goes."""
        lacking = (choices[0] for choices in ENGINES[engine].needs if self.name(choices) is None)
        return [f"models/{file.folder}/{file.name}" for file in lacking]


def check_weights(engine: EngineName, weights: Weights) -> None:
    """Raises RequestError (503) when some are missing."""
    missing = weights.missing(engine)
    if missing:
        raise RequestError(
            503,
            "weights_missing",
            expected=f"the weights of {engine} in ComfyUI's folders",
            got=f"no {', no '.join(missing)}",
            next_step="Download them with the LipSync models panel in ComfyUI's sidebar, or with "
            "tools/download_models.py; or choose another engine (GET /lipsync/health).",
        )


def build_graph(order: Order, job: str, weights: Weights) -> Graph:
    """The prompt of job `job`. Raises RequestError (400) for a value that the engine does not know."""
    graph: Graph = json.loads(WORKFLOW.read_text(encoding="utf-8"))
    _set_engine(graph, order.wishes.engine, weights)
    source = id_of(graph, "LoadVideo")
    if order.still:
        graph[source] = {"class_type": "LoadImage", "inputs": {"image": order.source}}
    else:
        graph[source]["inputs"]["file"] = order.source
    graph[id_of(graph, "LoadAudio")]["inputs"]["audio"] = order.audio
    graph[id_of(graph, "LipSyncBBoxShift")]["inputs"].pop("source")  # its preview has no onlooker here
    graph[id_of(graph, "SaveVideo")]["inputs"]["filename_prefix"] = f"{RESULTS}/{job}"
    _set_values(graph, order)
    return graph


def id_of(graph: Graph, class_type: str) -> str:
    """The id of the one node of that class."""
    (found,) = [id for id, node in graph.items() if node["class_type"] == class_type]
    return found


def _set_engine(graph: Graph, name: EngineName, weights: Weights) -> None:
    engine, vae = ENGINES[name], id_of(graph, "VAELoader")
    schema = engine.node.GET_SCHEMA()
    inputs = {entry.id: entry.default for entry in schema.inputs if getattr(entry, "default", None) is not None}
    inputs |= {widget: weights.name(choices) for widget, choices in engine.files.items()}
    if engine.vae:
        graph[vae]["inputs"]["vae_name"] = weights.name((SD_VAE,))
        inputs["vae"] = [vae, 0]
    else:
        del graph[vae]
    graph[id_of(graph, "LipSyncLoadMuseTalk")] = {"class_type": schema.node_id, "inputs": inputs}


def _set_values(graph: Graph, order: Order) -> None:
    by_class = {node["class_type"]: node["inputs"] for node in graph.values()}
    for name, value in order.wishes.values.items():
        node = PARAMETERS[name].node
        if node not in by_class:
            raise RequestError(
                400,
                "bad_value",
                expected=f"values that {order.wishes.engine} knows",
                got=name,
                next_step="Leave it out, or choose another engine.",
            )
        by_class[node][name] = value
