"""What `bench.py engines` measures: the networks of one engine over a few faces, beside its authors' own way.

The weights are random, in the released shapes: they show what an engine costs, not how it looks.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import comfy.model_management
import comfy.ops
import comfy.sd
import numpy as np
import reference_engines
import torch
from bench_faces import State
from bench_parts import FACE_BOX, INPUTS
from lipsync_studio.pipelines.core.types import FaceBatch
from lipsync_studio.pipelines.engines.base import Engine
from lipsync_studio.pipelines.engines.latentsync.engine import LatentSyncEngine, LatentSyncSettings
from lipsync_studio.pipelines.engines.latentsync.inpainting import kept
from lipsync_studio.pipelines.engines.musetalk.engine import MuseTalkEngine
from lipsync_studio.pipelines.engines.wav2lip.engine import Wav2LipEngine
from lipsync_studio.pipelines.networks.latentsync_net import LatentSyncNet
from lipsync_studio.pipelines.networks.latentsync_unet import LatentSyncUNet
from lipsync_studio.pipelines.networks.musetalk_unet import MuseTalkUNet
from lipsync_studio.pipelines.networks.wav2lip import Wav2Lip, Wav2LipNet
from numpy.typing import NDArray
from peak_memory import PeakMemory
from PIL import Image
from reference_way import Stopwatch
from torch import Tensor, nn

T = TypeVar("T")


@dataclass(frozen=True)
class Setup:
    """What one engine is measured with. checkout: its authors' code, or None. steps: of LatentSync's denoising."""

    frames: int
    steps: int
    checkout: Path | None
    device: torch.device


def musetalk(setup: Setup) -> dict[str, object]:
    """MuseTalk's UNet and VAE, at 256 px."""
    from seeded_checkpoints import seeded, shapes

    def state() -> State:
        return seeded(shapes("musetalk_unet"))  # in float32, as released

    faces, heard = _faces(setup.frames), torch.zeros(setup.frames, 50, 384)

    def ours(watch: Stopwatch) -> Callable[[], object]:
        network = MuseTalkUNet(state(), "random")
        unet, vae = _timed(watch, "UNet", network), _TimedVAE(_vae(), watch)
        return _painting(MuseTalkEngine(unet, vae, _deaf, block=network.block), faces, heard)

    def theirs(watch: Stopwatch, checkout: Path) -> Callable[[], object]:
        vae = reference_engines.autoencoder(setup.device)
        run = reference_engines.musetalk(checkout, state(), vae, setup.device)
        return lambda: run(faces, heard, watch)

    return _measured(setup, ours, theirs)


def latentsync(setup: Setup) -> dict[str, object]:
    """LatentSync's UNet and VAE, at 256 px with guidance."""
    faces, heard = _faces(setup.frames), torch.zeros(setup.frames, 50, 384)

    def ours(watch: Stopwatch) -> Callable[[], object]:
        unet = _timed(watch, "UNet", LatentSyncUNet(_latentsync_state(), "random"))
        settings = LatentSyncSettings(steps=setup.steps)
        return _painting(LatentSyncEngine(unet, _TimedVAE(_vae(), watch), _deaf, settings), faces, heard)

    def theirs(watch: Stopwatch, checkout: Path) -> Callable[[], object]:
        vae = reference_engines.autoencoder(setup.device)
        run = reference_engines.latentsync(checkout, _latentsync_state(), vae, setup.device, setup.steps, kept(256))
        return lambda: run(faces, heard, watch)

    return {"steps": setup.steps, **_measured(setup, ours, theirs)}


def wav2lip(setup: Setup) -> dict[str, object]:
    """Wav2Lip's network, at 96 px."""
    faces, heard = _faces(setup.frames, 96), torch.zeros(setup.frames, 80, 16)

    def ours(watch: Stopwatch) -> Callable[[], object]:
        network = _timed(watch, "network", Wav2Lip(_state_of(Wav2LipNet), "random"))
        return _painting(Wav2LipEngine(network), faces, heard)

    def theirs(watch: Stopwatch, checkout: Path) -> Callable[[], object]:
        run = reference_engines.wav2lip(checkout, _state_of(Wav2LipNet), setup.device)
        return lambda: run(faces, heard, watch)

    return _measured(setup, ours, theirs)


ENGINES: dict[str, Callable[[Setup], dict[str, object]]] = {
    "musetalk": musetalk,
    "latentsync": latentsync,
    "wav2lip": wav2lip,
}


def _measured(
    setup: Setup,
    ours: Callable[[Stopwatch], Callable[[], object]],
    theirs: Callable[[Stopwatch, Path], Callable[[], object]],
) -> dict[str, object]:
    """ms per frame by stage and peak memory of each way; neither is in memory while the other runs."""
    ways = {"ours": _run(setup, ours)}
    _forget()
    if setup.checkout is not None:
        checkout = setup.checkout
        ways["theirs"] = _run(setup, lambda watch: theirs(watch, checkout))
    return {"frames": setup.frames, **ways}


def _run(setup: Setup, make: Callable[[Stopwatch], Callable[[], object]]) -> dict[str, object]:
    watch = Stopwatch()
    run = make(watch)
    run()  # ComfyUI brings the weights to their device, and kernels are chosen
    watch.seconds.clear()
    whole = Stopwatch()
    with _peak(setup.device) as peak, whole.stage("all"):
        run()
    total = whole.seconds["all"]
    stages = {**watch.seconds, "rest": total - sum(watch.seconds.values()), "total": total}
    per_frame = {name: round(1000 * spent / setup.frames, 2) for name, spent in stages.items()}
    return {"ms": per_frame, "peak_mb": round(peak.megabytes)}


def _painting(engine: Engine, faces: NDArray[np.uint8], heard: Tensor) -> Callable[[], object]:
    """A run of the engine over the faces, each of them new to it, in blocks as the pipeline makes them."""
    crops, size = torch.from_numpy(faces).float() / 255, engine.spec.block
    batches = [
        FaceBatch(
            crops=crops[start : start + size],
            landmarks=np.repeat(_landmarks()[None], len(crops[start : start + size]), axis=0),
            heard=heard[start : start + size],
            indices=np.arange(start, min(start + size, len(crops))),
        )
        for start in range(0, len(crops), size)
    ]

    def run() -> None:
        painter = engine.start()
        for batch in batches:
            painter.paint(batch)

    return run


def _faces(count: int, side: int = 256) -> NDArray[np.uint8]:
    """uint8 RGB [count, side, side, 3]: the portrait's face, every one with grain of its own."""
    with Image.open(INPUTS / "astronaut.jpg") as portrait:
        face = np.asarray(portrait.convert("RGB").crop(FACE_BOX).resize((side, side), Image.Resampling.LANCZOS))
    grain = np.random.default_rng(0).integers(-3, 4, (count, side, side, 1))
    return (face.astype(np.int64) + grain).clip(0, 255).astype(np.uint8)


def _landmarks() -> NDArray[np.float32]:
    """float32 [68, 2]: an upright face that fills a crop of 256 px; only brows, nose and outline matter here."""
    points = np.full((68, 2), 128, np.float32)
    points[:17, 0], points[:17, 1] = np.linspace(20, 236, 17), 128 + 110 * np.sin(np.linspace(0, np.pi, 17))
    points[17:22], points[22:27] = (80, 60), (176, 60)
    points[27:36] = (128, 130)
    return points


def _vae() -> Any:  # noqa: ANN401 - ComfyUI's VAE has no types
    from seeded_checkpoints import sd_vae

    return comfy.sd.VAE(sd=sd_vae())


def _latentsync_state() -> State:
    return _state_of(lambda: LatentSyncNet(comfy.ops.disable_weight_init))


def _state_of(make: Callable[[], nn.Module]) -> State:
    """Random numbers of the network's shapes, its counters and variances such as they can be."""
    from seeded_checkpoints import seeded

    with torch.device("meta"):
        empty = make().state_dict()
    drawn = seeded({key: tuple(value.shape) for key, value in empty.items()})
    positive = {key: value.abs() if key.endswith("running_var") else value for key, value in drawn.items()}
    return {key: value.to(empty[key].dtype) for key, value in positive.items()}


def _deaf(mel: Tensor) -> Tensor:
    raise NotImplementedError("what is heard is given")


def _timed(watch: Stopwatch, stage: str, network: Callable[..., T]) -> Callable[..., T]:
    def call(*inputs: object) -> T:
        with watch.stage(stage):
            return network(*inputs)

    return call


class _TimedVAE:
    """ComfyUI's VAE with a stopwatch (see `engines.sd_vae.VAE`)."""

    def __init__(self, vae: Any, watch: Stopwatch) -> None:  # noqa: ANN401
        self.latent_channels: int = vae.latent_channels
        self.spacial_compression_encode: Callable[[], int] = vae.spacial_compression_encode
        self.encode: Callable[[Tensor], Tensor] = _timed(watch, "faces to latents", vae.encode)
        self.decode: Callable[[Tensor], Tensor] = _timed(watch, "latents to faces", vae.decode)


class _PeakOnGPU:
    """Like PeakMemory, of the GPU's memory."""

    megabytes = 0.0

    def __enter__(self) -> _PeakOnGPU:
        torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *failure: object) -> None:
        self.megabytes = torch.cuda.max_memory_allocated() / 1e6


def _peak(device: torch.device) -> PeakMemory | _PeakOnGPU:
    return _PeakOnGPU() if device.type == "cuda" else PeakMemory()


def _forget() -> None:
    comfy.model_management.unload_all_models()
    gc.collect()
    comfy.model_management.soft_empty_cache()
