"""A result against its source: both are read side by side, block by block, measured, and shown beside each other.

Of a clip's length, only four bytes a frame depend (how far the mouth is open), beside the faces.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .audio.envelope import SpeechEnvelope
from .blending.shapes import ExternalMask
from .core import heap
from .core.faces import TRUSTED, FaceTrack, SpeakerFaces
from .core.host import Host
from .core.stages import Behind, ahead
from .core.timing import AudioLonger, FrameClock, Timeline
from .core.types import AudioClip, EncodeSettings, FrameChunk, Picture, Rect
from .faces.crop import plan_crops
from .faces.detect import thumbnail_of
from .faces.ibug import MESH_POINTS
from .faces.landmarks import Landmarker, Spot
from .faces.speaker import speaker_track
from .faces.squares import Square
from .measure.flicker import Flicker
from .measure.identity import Identity, aligned_face
from .measure.lips import lips_and_sound, opening
from .measure.outside import OutsideDifference
from .measure.pairing import Indices, check_same_size, source_of
from .measure.regions import MouthArea, luma
from .measure.seam import Seam
from .measure.sharpness import Sharpness
from .measure.side_by_side import SideBySide
from .media.decode import VideoClip
from .media.encode import VideoWriter
from .media.image_picture import ImageClip, ImagePicture
from .networks.sface import SAME, SFace
from .plan import check_same_clip
from .quality_mask import OWN_MARGIN, Areas, GivenMask, GuessedMask, Repainted

Clip: TypeAlias = VideoClip | ImageClip

PREVIEW: Final = EncodeSettings(crf=20)
_BLOCK: Final = 8  # frames of each clip
_WAITING: Final = 4  # pictures between measuring and encoding
_LOOKED_AT: Final = 25  # every so many frames with the speaker, whether it is the same person


@dataclass(frozen=True)
class Comparison:
    """What is compared. faces: found on the source. masks: float [1 or M, H, W], of the sampler. audio: what the lips
    should follow. audio_longer: as in the sampler. sface: without it, identity is not measured, and `no_sface` says
    why."""

    source: Clip
    result: Clip
    faces: SpeakerFaces
    masks: Tensor | None = None
    audio: AudioClip | None = None
    audio_longer: AudioLonger = "ping-pong"
    sface: SFace | None = None
    no_sface: str = "no network was given"
    rows: Indices = field(init=False)
    """int64 [M]: the source frame that each frame of the result was made of."""

    def __post_init__(self) -> None:
        check_same_clip(self.source, self.faces.found)
        check_same_size(self.source, self.result)
        if self.masks is not None:
            ExternalMask(self.masks).check(len(self.result.clock), self.result.width, self.result.height)
        object.__setattr__(self, "rows", source_of(self.result.clock, self.source.clock, self.audio_longer))


def compare(given: Comparison, path: Path, host: Host) -> str:
    """Measure everything and write the preview to `path`; JSON. No file is left on failure."""
    track = speaker_track(given.faces)
    crops = plan_crops(track, given.faces.crop, OWN_MARGIN)
    area: Repainted = GivenMask(given.masks) if given.masks is not None else GuessedMask(track, crops)
    measures, layout = Measures(given, track, area.where), SideBySide(given.result.width, given.result.height)
    clock = given.result.clock
    with (
        VideoWriter(path, *layout.size, _timeline(clock), PREVIEW, given.audio) as writer,
        Behind(writer.write, host.check_interrupt, depth=_WAITING) as writing,
        closing(ahead(_side_by_side(given), host.check_interrupt)) as blocks,
    ):
        for result, source in blocks:
            host.check_interrupt()
            areas = [area.at(number, int(given.rows[number])) for number in result.indices.tolist()]
            measures.add(result, source, areas)
            for picture, before, (drawn, _) in zip(result.pictures, source.pictures, areas, strict=True):
                was, now = (each.thumbnail(*layout.panel).numpy() for each in (before, picture))
                sheet = torch.from_numpy(layout.compose(was, now, drawn) / np.float32(255))
                writing.put((ImagePicture(sheet),))
            host.progress(int(result.indices[-1]) + 1, len(clock), "Quality")
            heap.give_back()
        report = measures.report()  # inside: where it fails, no preview is left
    return report


def _side_by_side(given: Comparison) -> Iterator[tuple[FrameChunk, FrameChunk]]:
    """Blocks of the result, and of the source frames they were made of."""
    count = len(given.result.clock)
    blocks = [np.arange(start, min(start + _BLOCK, count), dtype=np.int64) for start in range(0, count, _BLOCK)]
    with (
        closing(given.result.read(blocks)) as results,  # type: ignore[type-var]
        closing(given.source.read([given.rows[block] for block in blocks])) as sources,  # type: ignore[type-var]
    ):
        yield from zip(results, sources, strict=True)


def _timeline(clock: FrameClock) -> Timeline:
    numbers = np.arange(len(clock), dtype=np.int64)
    return Timeline(numbers, clock.ticks, clock.end, clock.tick, clock.rate, len(clock))


class Measures:
    """Everything that is measured, frame by frame."""

    def __init__(self, given: Comparison, track: FaceTrack, where: str) -> None:
        """where: what counts as outside, in words."""
        self._given, self._track, self._where = given, track, where
        # Images are compared as they are, frames of videos in the 8 bits that they have.
        self._exact = isinstance(given.source, ImageClip) and isinstance(given.result, ImageClip)
        self._outside, self._seam, self._sharpness = OutsideDifference(), Seam(), Sharpness()
        self._flicker, self._identity, self._landmarker = Flicker(), Identity(), Landmarker()
        self._openings = np.full(len(given.result.clock), np.nan, np.float32)
        self._seen = 0  # frames with the speaker
        # Frames of the source from one of the result to the next, and one more for rounding: further is a jump.
        self._step = 1 + given.source.clock.rate / given.result.clock.rate
        self._last_row = -1

    def add(self, result: FrameChunk, source: FrameChunk, areas: Sequence[Areas]) -> None:
        """The next frames of the result, those of the source that they were made of, and where they may differ."""
        numbers = result.indices.tolist()
        for picture, before, number, (drawn, reach) in zip(
            result.pictures, source.pictures, numbers, areas, strict=True
        ):
            row = int(self._given.rows[number])
            pixels = self._whole(picture), self._whole(before)
            self._outside.add(*pixels, reach)
            if self._track.present[row]:
                self._add_mouth(picture, before, row)
                if drawn is not None:
                    self._seam.add(luma(picture, drawn.rect), luma(before, drawn.rect), drawn.mask)
                if self._given.sface is not None and self._seen % _LOOKED_AT == 0:
                    self._add_identity(self._given.sface, (picture, before), row)
                self._seen += 1
            else:
                self._flicker.interrupt()
            self._last_row = row
        self._add_openings(result)

    def _whole(self, picture: Picture) -> NDArray[np.generic]:
        if self._exact:
            return picture.crop(Rect(0, 0, picture.width, picture.height)).numpy()
        return picture.thumbnail(picture.width, picture.height).numpy()

    def _add_mouth(self, picture: Picture, before: Picture, row: int) -> None:
        mouth = MouthArea.of(self._track.landmarks[row])
        now, then = mouth.luma(picture), mouth.luma(before)
        self._sharpness.add(now, then, mouth)
        jumps = abs(row - self._last_row) > self._step  # as where a loop begins again
        if self._last_row < 0 or jumps or self._track.shot[row] != self._track.shot[self._last_row]:
            self._flicker.interrupt()
        self._flicker.add(now[mouth.mouth], then[mouth.mouth])

    def _add_identity(self, sface: SFace, pictures: tuple[Picture, Picture], row: int) -> None:
        faces = np.stack([aligned_face(picture, self._track.landmarks[row]) for picture in pictures])
        self._identity.add(*sface(torch.from_numpy(faces)).numpy())

    def _add_openings(self, result: FrameChunk) -> None:
        """How far the mouth is open, by the pack's own landmarks on the result, where the source has its face."""
        rows = self._given.rows[result.indices]
        chosen = np.flatnonzero(self._track.present[rows])
        spots = [_spot(result.pictures[index], self._track, int(rows[index])) for index in chosen]
        meshes, scores = self._landmarker.find(spots)
        trusted = scores >= TRUSTED
        self._openings[result.indices[chosen[trusted]]] = opening(meshes[trusted][:, MESH_POINTS])

    def report(self) -> str:
        """JSON. What could not be measured says so."""
        return json.dumps(
            {
                "frames": len(self._openings),
                "frames_with_speaker": self._seen,
                "compared": "all bits of the images" if self._exact else "8 bits",
                "outside_of": self._where,
                "outside": _rounded(self._outside.numbers()),
                "flicker": _rounded(self._flicker.numbers()),
                "sharpness": _rounded(self._sharpness.numbers()),
                "seam": _rounded({"seam": self._seam.number()})["seam"],
                "identity": self._identity_numbers(),
                "lips_and_sound": self._lips_and_sound(),
            },
            indent=1,
        )

    def _identity_numbers(self) -> dict[str, object]:
        if self._given.sface is None:
            return {"not_measured": self._given.no_sface}
        return {**_rounded(self._identity.numbers()), "same_person_from": SAME}

    def _lips_and_sound(self) -> dict[str, object]:
        audio, clock = self._given.audio, self._given.result.clock
        if audio is None:
            return {"not_measured": "the result has no sound, and no audio is connected"}
        rate = float(clock.rate)
        found = lips_and_sound(self._openings, clock.seconds, SpeechEnvelope(audio).at, rate)
        if found is None:
            return {"not_measured": "too few frames show the mouth, or mouth or sound never change"}
        numbers = {"correlation": found.correlation, "at_zero": found.at_zero, "lag_ms": 1000 * found.lag / rate}
        return {**_rounded(numbers), "lag_frames": found.lag, "frames": found.frames}


def _spot(picture: Picture, track: FaceTrack, row: int) -> Spot:
    """Where the face is looked for on the result: where it is in the source."""
    landmarks = track.landmarks[row]
    eyes = np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
    return Spot(picture, thumbnail_of(picture), Square.around_box(track.boxes[row], eyes))


def _rounded(numbers: Mapping[str, float | int | None]) -> dict[str, object]:
    """To six digits, for people; None for what is no number, which JSON does not know."""
    return {key: _six_digits(value) if isinstance(value, float) else value for key, value in numbers.items()}


def _six_digits(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
