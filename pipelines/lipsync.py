"""The main job, top to bottom: find the speaker, then read, paint, blend and write frame by frame.

Two passes over the clip (`find_speaker`, then `lip_sync_video` or `lip_sync_images`), never the whole clip in memory.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from .blending.compositor import Compositor
from .blending.paste import mask_frame, paste
from .blending.scaling import fit_crop
from .blending.scene import Patch, Scene
from .core import heap
from .core.errors import InputError
from .core.faces import SpeakerFaces
from .core.host import Host
from .core.report import Report
from .core.stages import Behind, ahead
from .core.timing import ticks_to_seconds
from .core.types import AudioClip, EncodeSettings, FaceBatch, FrameChunk, FrameSource, Picture
from .engines.base import Engine, Painter
from .engines.fallback import EngineChain, settle
from .faces.finder import FaceFinder, Finder
from .faces.tracks import find_faces
from .media.decode import VideoClip
from .media.encode import VideoWriter
from .media.image_picture import ImageClip, ImagePicture
from .media.sound import SourceSound
from .plan import Block, LipSyncSettings, Plan, face_side, plan_lip_sync

WAITING = 16  # pictures between painting and encoding


def find_speaker(source: FrameSource, host: Host, finder: Finder | None = None) -> SpeakerFaces:
    """Pass 1: find everyone in every frame, with the pack's own detector and landmarks or with `finder`."""
    return SpeakerFaces(find_faces(source, finder or FaceFinder(), host))


def lip_sync_video(
    source: VideoClip | ImageClip,
    faces: SpeakerFaces,
    audio: AudioClip,
    engine: Engine | EngineChain,
    settings: LipSyncSettings,
    path: Path,
    encode: EncodeSettings,
    sound: AudioClip | SourceSound | None,
    host: Host,
) -> Report:
    """Write the synced clip to `path`; decode, network and encode run side by side. No file is left on failure.

    sound: what is heard in the result; None for silence.
    """
    plan = settled_plan(source, faces, audio, engine, settings, host)
    shape = (source.width, source.height, plan.timeline, encode, sound, source.tags, source.sample_aspect)
    with (
        VideoWriter(path, *shape) as writer,
        Behind(writer.write, host.check_interrupt, depth=WAITING) as writing,
        closing(synced_frames(plan, host)) as frames,
    ):
        for pictures, _ in frames:
            for picture in pictures:
                writing.put((picture,))
    return replace(plan.report, notes=plan.report.notes + source.notes + writer.notes)


def lip_sync_images(
    source: ImageClip,
    faces: SpeakerFaces,
    audio: AudioClip,
    engine: Engine | EngineChain,
    settings: LipSyncSettings,
    host: Host,
) -> tuple[Tensor, Tensor, Report]:
    """The same for an IMAGE batch: float32 images [M, H, W, C], float32 masks [M, H, W] (1 = repainted), report."""
    plan = settled_plan(source, faces, audio, engine, settings, host)
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


def settled_plan(
    source: FrameSource,
    faces: SpeakerFaces,
    audio: AudioClip,
    engine: Engine | EngineChain,
    settings: LipSyncSettings,
    host: Host,
) -> Plan:
    """The plan for `engine`; of a chain, for the first engine that can do the job, and its report says why that one."""
    if not isinstance(engine, EngineChain):
        return plan_lip_sync(source, faces, audio, engine, settings)

    def lay_out(chosen: Engine) -> Plan:
        host.check_interrupt()
        return plan_lip_sync(source, faces, audio, chosen, settings)

    plan, notes = settle(engine, face_side(faces), lay_out, rehearse)
    return replace(plan, report=replace(plan.report, notes=notes + plan.report.notes))


def rehearse(plan: Plan) -> None:
    """Paint the first of the largest blocks and throw it away: where memory is short, that shows before the work."""
    painted = [block for block in plan.blocks if block.painted]
    if painted:
        block = max(painted, key=lambda block: block.stop - block.start)
        (chunk,) = plan.source.read([plan.timeline.source[block.start : block.stop]])
        compositor = Compositor(plan.settings.shape, plan.settings.blend, plan.settings.occluders)
        paint(plan, plan.engine.start(), compositor, block, chunk)


def synced_frames(plan: Plan, host: Host) -> Generator[tuple[Iterable[Picture], tuple[Patch | None, ...]], None, None]:
    """The finished pictures in output order, block by block, with the patch that was laid over each (or None).

    A picture is made when it is asked for, so that few finished ones are in memory at once.
    """
    total = len(plan.timeline)
    wanted = [plan.timeline.source[block.start : block.stop] for block in plan.blocks]
    painter, settings = plan.engine.start(), plan.settings
    compositor = Compositor(settings.shape, settings.blend, settings.occluders)
    with closing(ahead(plan.source.read(wanted), host.check_interrupt)) as chunks:
        for block, chunk in zip(plan.blocks, chunks, strict=True):
            host.check_interrupt()
            if block.painted:
                patches = paint(plan, painter, compositor, block, chunk)
                pairs = zip(chunk.pictures, patches, strict=True)
                yield (paste(picture, p.rect, p.face, p.mask) for picture, p in pairs), patches
            else:
                yield chunk.pictures, (None,) * len(chunk.pictures)
            host.progress(block.stop, total, "Lip-sync")
            if block.start // heap.EVERY < block.stop // heap.EVERY:
                heap.give_back()


def paint(plan: Plan, painter: Painter, compositor: Compositor, block: Block, chunk: FrameChunk) -> tuple[Patch, ...]:
    """Crop, let the engine speak, and blend: one patch for each picture of the chunk."""
    indices, shown = chunk.indices, slice(block.start, block.stop)
    rects = tuple(plan.crops.rect(int(index)) for index in indices)
    pairs = zip(chunk.pictures, rects, strict=True)
    crops = torch.stack([fit_crop(picture.crop(rect), plan.side) for picture, rect in pairs])
    landmarks = plan.crops.to_crop(plan.track.landmarks[indices], indices, plan.side)
    heard = plan.features.at(ticks_to_seconds(plan.timeline.ticks[shown], plan.timeline.tick))
    sizes = np.array([(rect.width, rect.height) for rect in rects], np.float32)
    shot = int(plan.track.shot[indices[0]])
    batch = FaceBatch(crops=crops, landmarks=landmarks, heard=heard, indices=indices, sizes=sizes, shot=shot)
    painted = painter.paint(batch)
    scene = Scene(
        pictures=chunk.pictures,
        indices=indices,
        shot=shot,
        rects=rects,
        crops=crops,
        painted=painted,
        landmarks=landmarks,
        amount=plan.amount[shown],
    )
    return compositor.blend(scene)


def _check_fits(shape: tuple[int, ...], host: Host) -> None:
    frames, height, width, channels = shape
    needed = frames * height * width * (channels + 1) * 4  # float32 images and masks
    if needed > host.free_memory():
        raise InputError(
            expected=f"a result that fits into the free memory ({host.free_memory() / 1e9:.1f} GB)",
            got=f"{frames} frames of {width}x{height}, which take {needed / 1e9:.1f} GB as images",
            next_step="Use LipSync Video, which needs no more memory for more frames, or a shorter audio.",
        )
