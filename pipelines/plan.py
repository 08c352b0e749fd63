"""What a run will do, laid out before the first frame is painted."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import cast

import numpy as np
from numpy.typing import NDArray

from .audio.latentsync_windows import LatentSyncWindows
from .audio.mouth_shapes import MouthShapes
from .audio.silence import SilenceGate
from .audio.wav2lip_mel import Wav2LipMel
from .audio.whisper_windows import WhisperWindows
from .blending.compositor import BlendSettings
from .blending.shapes import ExternalMask, LandmarkShape, MaskShape
from .core.errors import InputError
from .core.faces import ClipFaces, CropPlan, FaceTrack, SpeakerFaces
from .core.lyrics import Timings
from .core.report import PAINTED, Report
from .core.timing import LengthPolicy, Timeline
from .core.types import AudioClip, AudioFeatures, FrameSource
from .engines.base import Engine, EngineSpec, HearingEngine
from .faces.crop import plan_crops, reaching
from .faces.detector_crop import on_detected_boxes
from .faces.speaker import speaker_track

# A face this many times larger than an engine paints looks soft, and the report says so.
_MUCH_LARGER = 1.25


@dataclass(frozen=True)
class LipSyncSettings:
    """lengths: what happens when sound and picture differ in length. shape: what of the crop is replaced. blend: how it
    is laid over the picture. occluders: what stays all the same, a hand or a microphone before the mouth.
    restore_in_silence: where nobody speaks, the source's own mouth comes back. words: tell where somebody speaks; None:
    loudness does.
    """

    lengths: LengthPolicy = field(default_factory=LengthPolicy)
    shape: MaskShape = field(default_factory=LandmarkShape)
    blend: BlendSettings = field(default_factory=BlendSettings)
    occluders: ExternalMask | None = None
    restore_in_silence: bool = False
    words: Timings | None = None

    def check(self, frames: int, width: int, height: int) -> None:
        """Raises InputError when a mask does not fit a clip of that many frames of that size (px)."""
        for mask in (self.shape, self.occluders):
            if mask is not None:
                mask.check(frames, width, height)


@dataclass(frozen=True)
class Block:
    """Output frames start..stop-1 that are handled together; `painted` ones are contiguous in one shot."""

    start: int
    stop: int
    painted: bool


@dataclass(frozen=True)
class Plan:
    """Everything that is known before the first frame is painted.

    amount: float32 [M], 0-1, how much of the painted mouth each output frame shows. side: px, of the engine's crops.
    """

    source: FrameSource
    engine: Engine
    features: AudioFeatures
    track: FaceTrack
    crops: CropPlan
    side: int
    settings: LipSyncSettings
    timeline: Timeline
    amount: NDArray[np.float32]
    blocks: tuple[Block, ...]
    report: Report


def plan_lip_sync(
    source: FrameSource, faces: SpeakerFaces, audio: AudioClip, engine: Engine, settings: LipSyncSettings
) -> Plan:
    """Lay out the result: which frame when, where the crop is, what the engine hears, what happens to each frame."""
    check_same_clip(source, faces.found)
    settings.check(len(source.clock), source.width, source.height)
    timeline = Timeline.build(source.clock, audio.seconds, settings.lengths)
    track = speaker_track(faces)
    margin = _chin_margin(engine.spec, track)
    crops = plan_crops(track, faces.crop, margin)
    if engine.spec.crop == "detector":
        crops = on_detected_boxes(crops, track, faces.crop, margin)
    if engine.spec.reach is not None:
        crops = reaching(crops, track, engine.spec.reach)
    amount = _amount(timeline, audio, settings)
    fates = _fates(timeline, track, crops, amount)
    height = _typical(crops.boxes[crops.valid])
    return Plan(
        source=source,
        engine=engine,
        features=_listen(audio, engine),
        track=track,
        crops=crops,
        side=engine.spec.side_for(height),
        settings=settings,
        timeline=timeline,
        amount=amount,
        blocks=plan_blocks(timeline, np.isin(fates, PAINTED), track.shot, engine.spec.block),
        report=Report(tuple(fates.tolist()), timeline, engine.spec.label, _advice(engine.spec, height)),
    )


def face_side(faces: SpeakerFaces) -> float:
    """px, the height of MuseTalk's crop of the speaker's typical face: engines are chosen by it. 0 without a face."""
    crops = plan_crops(speaker_track(faces), faces.crop)
    return _typical(crops.boxes[crops.valid])


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


def _amount(timeline: Timeline, audio: AudioClip, settings: LipSyncSettings) -> NDArray[np.float32]:
    if not settings.restore_in_silence:
        return np.ones(len(timeline), np.float32)
    if settings.words is None:
        return SilenceGate.of_sound(audio).at(timeline.seconds)
    return SilenceGate.of_words(settings.words, audio.seconds).at(timeline.seconds)


def _fates(timeline: Timeline, track: FaceTrack, crops: CropPlan, amount: NDArray[np.float32]) -> NDArray[np.object_]:
    source = timeline.source
    fates = np.full(len(timeline), "synced", dtype=object)
    fates[track.bridged[source]] = "synced, face bridged"
    fates[amount == 0] = "kept in silence"
    fates[~crops.valid[source]] = "face outside the picture"
    fates[~track.present[source]] = "no face"
    fates[timeline.voiced :] = "after the audio"
    return fates


def _listen(audio: AudioClip, engine: Engine) -> AudioFeatures:
    if engine.spec.hears == "mouth shapes":
        return MouthShapes(audio)
    if engine.spec.hears == "wav2lip mel":
        return Wav2LipMel(audio)
    hear = cast(HearingEngine, engine).hear
    if engine.spec.hears == "latentsync windows":
        return LatentSyncWindows(audio, hear)
    return WhisperWindows(audio, hear)


def _chin_margin(spec: EngineSpec, track: FaceTrack) -> int:
    """px that the engine's own crop reaches below the chin, for the typical face of this clip."""
    return spec.chin_margin + round(spec.chin_share * _typical(track.boxes[track.present]))


def _typical(boxes: NDArray[np.float32] | NDArray[np.int32]) -> float:
    """px, the median height of boxes [k, 4]; 0 of none."""
    return float(np.median(boxes[:, 3] - boxes[:, 1])) if len(boxes) else 0.0


def _advice(spec: EngineSpec, height: float) -> tuple[str, ...]:
    side = spec.painted_side(height)
    if height <= _MUCH_LARGER * side:
        return ()
    larger = "an engine that paints larger (LatentSync: 512 px), or " if side < 512 else ""
    return (
        f"The face is about {height:.0f} px high and {spec.label} paints {side} px, so the mouth will look softer than "
        f"the picture. For close-ups use {larger}`match_sharpness` in Blend Settings.",
    )


def check_same_clip(source: FrameSource, clip: ClipFaces) -> None:
    """Raise InputError unless the faces were found on a clip of this length and size."""
    found, given = (len(clip), clip.width, clip.height), (len(source.clock), source.width, source.height)
    if found != given:
        raise InputError(
            expected="faces that were found on this very clip ({} frames, {}x{})".format(*given),
            got="faces of a clip with {} frames, {}x{}".format(*found),
            next_step="Connect the same images or video to Face Preprocess and to this node.",
        )
