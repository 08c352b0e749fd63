"""The main job, top to bottom: find the speaker, then read, paint, blend and write frame by frame.

Two passes over the clip (`find_speaker`, then `lip_sync_video` or `lip_sync_images`), never the whole clip in memory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .audio.mouth_shapes import MouthShapes
from .audio.whisper_windows import WhisperWindows
from .blending.masks import MaskSettings, lower_face_mask
from .blending.parsing import FaceParsing
from .blending.paste import mask_frame, paste
from .blending.scaling import fit_crop
from .core.errors import InputError
from .core.host import Host
from .core.report import Report
from .core.stages import Behind, ahead
from .core.timing import LengthPolicy, Timeline
from .core.types import (
    AudioClip,
    AudioFeatures,
    CropPlan,
    EncodeSettings,
    FaceBatch,
    FaceTrack,
    FrameChunk,
    FrameSource,
    Picture,
    Rect,
    SpeakerFaces,
)
from .engines.base import Engine, HearingEngine, Painter
from .faces.crop import plan_crops
from .faces.finder import FaceFinder
from .faces.tracks import track_speaker
from .media.decode import VideoClip
from .media.encode import VideoWriter
from .media.image_picture import ImageClip, ImagePicture
from .media.sound import SourceSound

WAITING = 16  # pictures between painting and encoding


@dataclass(frozen=True)
class LipSyncSettings:
    """lengths: what happens when sound and picture differ in length. mask: what of the crop is replaced, told from the
    landmarks. parsing: told from the parts of the face instead.
    """

    lengths: LengthPolicy = field(default_factory=LengthPolicy)
    mask: MaskSettings = field(default_factory=MaskSettings)
    parsing: FaceParsing | None = None


@dataclass(frozen=True)
class Block:
    """Output frames start..stop-1 that are handled together; `painted` ones are contiguous in one shot."""

    start: int
    stop: int
    painted: bool


@dataclass(frozen=True)
class Patch:
    """A painted face and where it goes. face: float32 RGB [S, S, 3], 0-1. mask: float32 [M, M]; both cover `rect`."""

    rect: Rect
    face: Tensor
    mask: Tensor


@dataclass(frozen=True)
class Plan:
    """Everything that is known before the first frame is painted."""

    source: FrameSource
    engine: Engine
    features: AudioFeatures
    faces: SpeakerFaces
    crops: CropPlan
    side: int
    settings: LipSyncSettings
    timeline: Timeline
    blocks: tuple[Block, ...]
    report: Report


def find_speaker(source: FrameSource, host: Host) -> SpeakerFaces:
    """Pass 1: find the speaker in every frame with the detector and landmarks that come with the pack."""
    return SpeakerFaces(track_speaker(source, FaceFinder(), host))


def lip_sync_video(
    source: VideoClip | ImageClip,
    faces: SpeakerFaces,
    audio: AudioClip,
    engine: Engine,
    settings: LipSyncSettings,
    path: Path,
    encode: EncodeSettings,
    sound: AudioClip | SourceSound | None,
    host: Host,
) -> Report:
    """Write the synced clip to `path`; decode, network and encode run side by side. No file is left on failure.

    sound: what is heard in the result; None for silence.
    """
    plan = plan_lip_sync(source, faces, audio, engine, settings)
    shape = (source.width, source.height, plan.timeline, encode, sound, source.tags, source.sample_aspect)
    with (
        VideoWriter(path, *shape) as writer,
        Behind(writer.write, host.check_interrupt, depth=WAITING) as writing,
        closing(synced_frames(plan, host)) as frames,
    ):
        for pictures, _ in frames:
            for picture in pictures:
                writing.put((picture,))
    return replace(plan.report, notes=source.notes + writer.notes)


def lip_sync_images(
    source: ImageClip, faces: SpeakerFaces, audio: AudioClip, engine: Engine, settings: LipSyncSettings, host: Host
) -> tuple[Tensor, Tensor, Report]:
    """The same for an IMAGE batch: float32 images [M, H, W, C], float32 masks [M, H, W] (1 = repainted), report."""
    plan = plan_lip_sync(source, faces, audio, engine, settings)
    shape = (len(plan.timeline), *source.images.shape[1:])
    _check_fits(shape, host)
    images, masks = torch.empty(shape), torch.zeros(shape[:3])
    done = 0
    with closing(synced_frames(plan, host)) as frames:
        for pictures, patches in frames:
            for picture, laid in zip(pictures, patches, strict=True):
                images[done] = cast(ImagePicture, picture).pixels
                if laid is not None:
                    masks[done] = mask_frame(source.height, source.width, laid.rect, laid.mask)
                done += 1
    return images, masks, plan.report


def plan_lip_sync(
    source: FrameSource, faces: SpeakerFaces, audio: AudioClip, engine: Engine, settings: LipSyncSettings
) -> Plan:
    """Lay out the result: which frame when, where the crop is, what the engine hears, what happens to each frame."""
    _check_same_clip(source, faces)
    timeline = Timeline.build(source.clock, audio.seconds, settings.lengths)
    crops = plan_crops(faces.track, faces.crop, _chin_margin(engine, faces.track))
    heights = crops.boxes[crops.valid, 3] - crops.boxes[crops.valid, 1]
    fates = _fates(timeline, faces, crops)
    return Plan(
        source=source,
        engine=engine,
        features=_listen(audio, engine),
        faces=faces,
        crops=crops,
        side=engine.spec.side_for(float(np.median(heights)) if len(heights) else 0.0),
        settings=settings,
        timeline=timeline,
        blocks=plan_blocks(timeline, fates == "synced", faces.track.shot, engine.spec.block),
        report=Report(fates=tuple(fates.tolist()), timeline=timeline, engine=engine.spec.label),
    )


def synced_frames(
    plan: Plan, host: Host
) -> Generator[tuple[tuple[Picture, ...], tuple[Patch | None, ...]], None, None]:
    """The finished pictures in output order, block by block, with the patch that was laid over each (or None)."""
    seconds, total = plan.timeline.seconds, len(plan.timeline)
    wanted = [plan.timeline.source[block.start : block.stop] for block in plan.blocks]
    painter = plan.engine.start()
    with closing(ahead(plan.source.read(wanted), host.check_interrupt)) as chunks:
        for block, chunk in zip(plan.blocks, chunks, strict=True):
            host.check_interrupt()
            if block.painted:
                patches = paint(plan, painter, chunk, seconds[block.start : block.stop])
                pairs = zip(chunk.pictures, patches, strict=True)
                yield tuple(paste(picture, p.rect, p.face, p.mask) for picture, p in pairs), patches
            else:
                yield chunk.pictures, (None,) * len(chunk.pictures)
            host.progress(block.stop, total, "Lip-sync")


def paint(plan: Plan, painter: Painter, chunk: FrameChunk, seconds: NDArray[np.float64]) -> tuple[Patch, ...]:
    """Crop, let the engine speak, and mask: one patch for each picture of the chunk."""
    rects = [plan.crops.rect(int(index)) for index in chunk.indices]
    pairs = zip(chunk.pictures, rects, strict=True)
    crops = torch.stack([fit_crop(picture.crop(rect), plan.side) for picture, rect in pairs])
    landmarks = plan.crops.to_crop(plan.faces.track.landmarks[chunk.indices], chunk.indices, plan.side)
    batch = FaceBatch(crops=crops, landmarks=landmarks, heard=plan.features.at(seconds), indices=chunk.indices)
    painted = painter.paint(batch)
    parsing = plan.settings.parsing
    if parsing is None:
        masks: Iterable[Tensor] = lower_face_mask(landmarks, plan.side, plan.settings.mask)
    else:
        masks = parsing.masks(chunk.pictures, rects)
    return tuple(Patch(*parts) for parts in zip(rects, painted, masks, strict=True))


def plan_blocks(
    timeline: Timeline, painted: NDArray[np.bool_], shot: NDArray[np.int32], size: int
) -> tuple[Block, ...]:
    """Cut the output into blocks of at most `size` frames that never straddle a cut, a jump or a faceless run.

    painted: bool [M], by output frame. shot: int32 [N], by source frame.
    """
    source = timeline.source
    edge = (np.diff(painted) != 0) | (np.diff(shot[source]) != 0) | (np.abs(np.diff(source)) > 1)
    edges = [0, *(np.flatnonzero(edge) + 1).tolist(), len(source)]
    return tuple(
        Block(start, min(start + size, stop), bool(painted[first]))
        for first, stop in pairwise(edges)
        for start in range(first, stop, size)
    )


def _fates(timeline: Timeline, faces: SpeakerFaces, crops: CropPlan) -> NDArray[np.object_]:
    fates = np.full(len(timeline), "synced", dtype=object)
    fates[~crops.valid[timeline.source]] = "face outside the picture"
    fates[~faces.track.present[timeline.source]] = "no face"
    fates[timeline.voiced :] = "after the audio"
    return fates


def _listen(audio: AudioClip, engine: Engine) -> AudioFeatures:
    if engine.spec.hears == "mouth shapes":
        return MouthShapes(audio)
    return WhisperWindows(audio, cast(HearingEngine, engine).hear)


def _chin_margin(engine: Engine, track: FaceTrack) -> int:
    """px that the engine's own crop reaches below the chin, for the typical face of this clip."""
    heights = track.boxes[track.present, 3] - track.boxes[track.present, 1]
    return engine.spec.chin_margin + round(engine.spec.chin_share * float(np.median(heights)) if len(heights) else 0)


def _check_fits(shape: tuple[int, ...], host: Host) -> None:
    frames, height, width, channels = shape
    needed = frames * height * width * (channels + 1) * 4  # float32 images and masks
    if needed > host.free_memory():
        raise InputError(
            expected=f"a result that fits into the free memory ({host.free_memory() / 1e9:.1f} GB)",
            got=f"{frames} frames of {width}x{height}, which take {needed / 1e9:.1f} GB as images",
            next_step="Use LipSync Video, which needs no more memory for more frames, or a shorter audio.",
        )


def _check_same_clip(source: FrameSource, faces: SpeakerFaces) -> None:
    track = faces.track
    found, given = (len(track), track.width, track.height), (len(source.clock), source.width, source.height)
    if found != given:
        raise InputError(
            expected="faces that were found on this very clip ({} frames, {}x{})".format(*given),
            got="faces of a clip with {} frames, {}x{}".format(*found),
            next_step="Connect the same images or video to Face Preprocess and to this node.",
        )
