"""What `bench.py faces` measures: pass 1 of the pipeline, by stage, and against the reference's loop over frames."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import reference_faces
import torch
from lipsync_studio.pipelines.core.faces import Face
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import FrameClock
from lipsync_studio.pipelines.core.types import FrameChunk, Picture, Rect
from lipsync_studio.pipelines.faces.detect import DETECTED, Detector
from lipsync_studio.pipelines.faces.finder import FaceFinder, Finder, thumbnails
from lipsync_studio.pipelines.faces.reference import ReferenceFinder
from lipsync_studio.pipelines.faces.tracks import find_faces
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.networks.residency import load_strictly
from lipsync_studio.pipelines.networks.rtmpose import DWPose, RTMPose
from lipsync_studio.pipelines.networks.s3fd import S3FD, S3FDDetector
from numpy.typing import NDArray
from reference_way import Stopwatch
from torch import Tensor, nn

BLOCK = 16  # frames that are read at once, as in pass 1

Seconds = dict[str, float]
State = dict[str, Tensor]


def embedded(video: Path) -> tuple[Seconds, float]:
    """Seconds of each stage with the detectors that come with the pack, run alone; and of pass 1, which overlaps them.

    Holds the clip in memory, so it has to be short.
    """
    clip, watch = open_video(video), Stopwatch()
    finder, detector = FaceFinder(), Detector(least_score=DETECTED)
    with watch.stage("decode, thumbnails"):
        chunks = [(chunk, thumbnails(chunk)) for chunk in clip.read(_blocks(len(clip.clock)))]
    for search in (finder.find, lambda _, small: detector.detect(small)):  # reads the weights
        search(*chunks[0])
    with watch.stage("detect"):
        for _, small in chunks:
            detector.detect(small)
    with watch.stage("landmarks, likeness"):
        faces = [found for chunk, small in chunks for found in finder.find(chunk, small)]
    watch.seconds["landmarks, likeness"] -= watch.seconds["detect"]
    seen = Seen(clip.width, clip.height, clip.clock, torch.cat([small for _, small in chunks]), faces)
    with watch.stage("shots, tracking"):
        find_faces(seen, seen, PlainHost())
    return watch.seconds, pass_1(video, finder)


def pass_1(video: Path, finder: Finder) -> float:
    """Seconds that the pipeline's first pass takes over `video`."""
    started = time.perf_counter()
    find_faces(open_video(video), finder, PlainHost())
    return time.perf_counter() - started


def against_reference(video: Path, folder: Path) -> tuple[Seconds, Seconds]:
    """Seconds of the reference's stages, and of our first pass with the same two networks, both ways to use them."""
    s3fd, dwpose = _s3fd(), _seeded(RTMPose())
    networks = S3FD(), RTMPose()
    for network, state in zip(networks, (s3fd, dwpose), strict=True):
        load_strictly(network.eval().requires_grad_(False), state, source="seeded", kind="the seeded network")
    theirs = reference_faces.run(video, *networks, folder).seconds
    detector, pose = S3FDDetector(s3fd, "seeded"), DWPose(dwpose, "seeded")
    ours = {
        name: pass_1(video, ReferenceFinder(detector, pose, exact))
        for name, exact in (("S3FD and DWPose", False), ("S3FD and DWPose, exact", True))
    }
    return theirs, ours


def _blocks(count: int) -> list[NDArray[np.int64]]:
    return [np.arange(start, min(start + BLOCK, count), dtype=np.int64) for start in range(0, count, BLOCK)]


def _seeded(network: nn.Module) -> State:
    """Random weights that keep the signal in range; what a network costs does not depend on them."""
    generator = torch.Generator().manual_seed(0)

    def numbers(key: str, shape: torch.Size) -> Tensor:
        if len(shape) > 1:
            return torch.randn(shape, generator=generator) * math.sqrt(2 / math.prod(shape[1:]))
        return (
            torch.zeros(shape) if key.endswith(("bias", "running_mean", "num_batches_tracked")) else torch.ones(shape)
        )

    return {key: numbers(key, tensor.shape).to(tensor.dtype) for key, tensor in network.state_dict().items()}


def _s3fd() -> State:
    """A seeded S3FD that is sure of a face in each cell of its coarsest level, and of none anywhere else.

    So it has about as many candidates to decode as on a real picture (some dozens), not as many as noise has.
    """
    state = _seeded(S3FD())
    for key in state:
        if "_mbox_conf" in key:
            state[key].zero_()
            if key.endswith("bias"):
                state[key][-1] = 2.0 if key.startswith("conv7_2") else -4.0
    state["conv7_2_mbox_loc.weight"].zero_()
    return state


@dataclass(frozen=True)
class SeenPicture:
    """A `Picture` of which only the thumbnail is left."""

    width: int
    height: int
    small: Tensor

    def thumbnail(self, width: int, height: int) -> Tensor:
        """The one that was made, which has to be the one that is asked for."""
        assert self.small.shape == (height, width, 3)
        return self.small

    def crop(self, rect: Rect) -> Tensor:
        """Gone."""
        raise NotImplementedError

    def patched(self, rect: Rect, rgb: Tensor, mask: Tensor) -> Picture:
        """Gone."""
        raise NotImplementedError


@dataclass(frozen=True)
class Seen:
    """A clip whose frames were read and whose faces were found before, as a source and as a finder."""

    width: int
    height: int
    clock: FrameClock
    small: Tensor
    faces: list[list[Face]]

    def read(self, blocks: Sequence[NDArray[np.int64]]) -> Iterator[FrameChunk]:
        """Its pictures (see `FrameSource.read`)."""
        for block in blocks:
            yield FrameChunk(tuple(SeenPicture(self.width, self.height, self.small[index]) for index in block), block)

    def find(self, chunk: FrameChunk, thumbnails: Tensor) -> list[list[Face]]:
        """Its faces (see `Finder.find`)."""
        return [self.faces[index] for index in chunk.indices]
