"""The node that chooses an engine, says why, and loads it when a sampler needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Final, get_args

import comfy.model_management
import comfy.sd
from comfy_api.latest import io

from ..pipelines.core.errors import InputError, WeightsError
from ..pipelines.core.faces import SpeakerFaces
from ..pipelines.engines.base import Engine
from ..pipelines.engines.draft import DraftEngine
from ..pipelines.engines.fallback import Choice, EngineChain
from ..pipelines.engines.select import (
    CANDIDATES,
    GB,
    Circumstances,
    EngineId,
    Fallback,
    Priority,
    Selection,
    Wish,
    Wishes,
    fits,
    select,
)
from ..pipelines.engines.wav2lip.engine import Wav2LipEngine
from ..pipelines.networks.checkpoint import read_checkpoint
from ..pipelines.networks.residency import obtainable_memory
from ..pipelines.plan import face_side
from ..pipelines.weights.bundles import BUNDLES
from ..pipelines.weights.catalog import SD_VAE
from ..pipelines.weights.loaders import load_wav2lip
from ..pipelines.weights.weight_file import WeightFile
from . import models
from .engines import musetalk_engine
from .host import ComfyHost
from .latentsync import latentsync_engine
from .sockets import LipSyncEngine, LipSyncFaces
from .wav2lip import ACCEPTANCE, TERMS

ASK: Final = -1.0  # for `free_vram`: what ComfyUI says


class SelectEngine(io.ComfyNode):
    """Node: an engine for these wishes, this machine and this clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LipSyncSelectEngine",
            display_name="Select Engine",
            category="LipSync Studio",
            description="Chooses MuseTalk, LatentSync, Wav2Lip or the draft engine by what you want, what is "
            "installed, the free video memory and the size of the face; says why, and why not the others. The engine "
            "is loaded when a sampler needs it.",
            search_aliases=["lip", "engine selector", "auto engine", "choose engine", "fallback", "which engine"],
            inputs=[
                io.Combo.Input(
                    "priority",
                    options=list(get_args(Priority)),
                    default="balanced",
                    tooltip="quality: LatentSync. speed: MuseTalk, or Wav2Lip on small cards. balanced: MuseTalk, and "
                    "LatentSync 1.6 for close-ups where it can run.",
                ),
                io.Combo.Input(
                    "fallback",
                    options=list(get_args(Fallback)),
                    default="stop",
                    tooltip="What may do the whole job where LatentSync cannot (no weights, too little memory, a small "
                    "face), or where the chosen engine's weights cannot be read or its memory runs out in the first "
                    "block. Never in the middle of a clip. stop: nothing may.",
                ),
                io.Combo.Input(
                    "wish",
                    options=list(get_args(Wish)),
                    default="new speech in a video",
                    tooltip="Engines repaint mouths. For the other wishes the reason names what can help.",
                ),
                io.Boolean.Input(
                    "commercial_use",
                    default=True,
                    tooltip="On: engines whose weights must not be used commercially (Wav2Lip) are left out.",
                ),
                io.Boolean.Input(
                    "accept_non_commercial_licence",
                    display_name=ACCEPTANCE,
                    default=False,
                    tooltip=f"{TERMS} While this is off, Wav2Lip is left out.",
                ),
                io.Boolean.Input(
                    "real_time",
                    default=False,
                    tooltip="On: engines that cannot paint as fast as the clip plays are left out.",
                ),
                io.Float.Input(
                    "budget",
                    default=0.0,
                    min=0.0,
                    max=1000.0,
                    step=0.1,
                    tooltip="US dollars for a minute of result. Above 0 the reason also names services on the "
                    "internet; nothing is sent or bought here.",
                ),
                io.Float.Input(
                    "free_vram",
                    default=ASK,
                    min=ASK,
                    max=1024.0,
                    step=0.5,
                    advanced=True,
                    tooltip="GB of video memory to count with, where ComfyUI cannot tell; 0 is a machine without a "
                    "graphics card. -1 asks ComfyUI, whose own models count as free.",
                ),
                LipSyncFaces.Input(
                    "faces", optional=True, tooltip="From Face Preprocess: the size of the face counts, too."
                ),
            ],
            outputs=[LipSyncEngine.Output(display_name="engine"), io.String.Output(display_name="reason")],
        )

    @classmethod
    def fingerprint_inputs(cls, free_vram: float | None = None, **_: object) -> str:
        """Another one when weights come or go, or when the free video memory fits other engines."""
        vram = _vram(ASK if free_vram is None else free_vram)
        fitting = [engine for engine, candidate in CANDIDATES.items() if fits(candidate, vram)]
        return f"{fitting} {_states()}"

    @classmethod
    def execute(
        cls,
        priority: Priority,
        fallback: Fallback,
        wish: Wish,
        commercial_use: bool,
        accept_non_commercial_licence: bool,
        real_time: bool,
        budget: float,
        free_vram: float,
        faces: SpeakerFaces | None = None,
    ) -> io.NodeOutput:
        wishes = Wishes(
            priority=priority,
            wish=wish,
            commercial=commercial_use,
            accepts_non_commercial=accept_non_commercial_licence,
            real_time=real_time,
            budget=budget,
            fallback=fallback,
        )
        face = 0.0 if faces is None else face_side(faces)
        selection = select(wishes, Circumstances(_vram(free_vram), _missing(), face))
        chain = _chain(selection, wish)
        ComfyHost().say(selection.reason)
        return io.NodeOutput(chain, selection.text)


def _chain(selection: Selection, wish: Wish) -> EngineChain:
    """The chosen engine and what may follow; raises InputError when nothing was chosen."""
    if selection.engine is None:
        steps = list(selection.hints)
        if wish != "a 3D head":  # for that, no setting helps
            steps.append("Change the settings, allow a fallback, or get the weights.")
            steps += [f"{each.label}: {selection.rejected[each.label]}." for each in CANDIDATES.values()]
        raise InputError(
            expected="an engine that the settings allow and that can run here",
            got=selection.reason[0].lower() + selection.reason[1:].rstrip("."),
            next_step=" ".join(steps),
        )
    engines = (selection.engine, *selection.fallbacks)
    return EngineChain(tuple(_choice(engine) for engine in engines), selection.passed_over)


def _choice(engine: EngineId) -> Choice:
    candidate, load = CANDIDATES[engine], cache(partial(_load, engine))
    return Choice(candidate.label, load, candidate.smallest_face, load.cache_clear)


def _load(engine: EngineId) -> Engine:
    """The engine with the defaults of its loader node. Raises WeightsError."""
    return _LOADERS[engine]([_path(file) for file in BUNDLES[engine].files])


def _draft(_: list[Path]) -> Engine:
    return DraftEngine()


def _wav2lip(files: list[Path]) -> Engine:
    (model,) = files
    return Wav2LipEngine(load_wav2lip(model))


def _musetalk(files: list[Path]) -> Engine:
    unet, vae, whisper = files
    return musetalk_engine(unet, _vae(vae), whisper)


def _latentsync(resolution: str, files: list[Path]) -> Engine:
    unet, vae, whisper = files
    return latentsync_engine(unet, _vae(vae), whisper, resolution)


_LOADERS: Final[Mapping[EngineId, Callable[[list[Path]], Engine]]] = {
    "latentsync-1.6": partial(_latentsync, "512"),
    "latentsync-1.5": partial(_latentsync, "256"),
    "musetalk": _musetalk,
    "musetalk-1.0": _musetalk,
    "wav2lip": _wav2lip,
    "draft": _draft,
}


def _vae(path: Path) -> comfy.sd.VAE:
    """As ComfyUI's own Load VAE gives it."""
    checkpoint = read_checkpoint(path, SD_VAE.what, SD_VAE.advice)
    vae = comfy.sd.VAE(sd=checkpoint.state, metadata=checkpoint.metadata)
    if vae.first_stage_model is None:
        raise WeightsError(expected=f"{SD_VAE.what} in {path.name}", got="no VAE", next_step=SD_VAE.advice)
    return vae


def _path(file: WeightFile) -> Path:
    path = models.path_of(file)
    if path is None:
        raise WeightsError(expected=file.what, got="no such file", next_step=file.advice)
    return path


def _missing() -> dict[EngineId, str]:
    """What of each engine's files is not here."""
    lacking = {engine: [file for file in BUNDLES[engine].files if not models.path_of(file)] for engine in CANDIDATES}
    return {
        engine: f"its weights are not installed ({', '.join(file.name for file in files)})"
        for engine, files in lacking.items()
        if files
    }


def _states() -> list[tuple[str, int]]:
    """Name and size of every weight file that is here."""
    files = {file for engine in CANDIDATES for file in BUNDLES[engine].files}
    paths = sorted(path for path in map(models.path_of, files) if path is not None)
    return [(str(path), path.stat().st_size) for path in paths]


def _vram(gigabytes: float) -> int:
    """Bytes of video memory that an engine may take; 0 on the CPU. What ComfyUI's own models hold makes way."""
    if gigabytes != ASK:
        return int(gigabytes * GB)
    device = comfy.model_management.get_torch_device()
    if device.type == "cpu":
        return 0
    return obtainable_memory(device)
