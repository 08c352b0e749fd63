"""How well lips and sound fit together: find the segments, look and listen, compare, and tell it beside the source.

Of a clip's length, only a table of 124 bytes a frame depends, in a file of the system's temp folder.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from .audio.resample import MonoReader
from .core import heap
from .core.faces import FaceTrack, SpeakerFaces
from .core.host import Host
from .core.rows import Rows
from .core.stages import ahead
from .core.timing import AudioLonger
from .core.types import AudioClip, FrameSource
from .faces.speaker import speaker_track
from .measure.pairing import Indices, at_rate, check_same_size, source_of
from .measure.sync_crop import steady_squares, sync_crop
from .measure.sync_plot import RESULT_COLOUR, SOURCE_COLOUR, WIDTH, Colour, Curve, plot
from .measure.sync_scoring import RATE, SHIFTS, Floats, SyncScore, distances, score, score_at
from .measure.sync_sound import SAMPLES, Mono, heard
from .networks.syncnet import PICTURES, SyncNet
from .plan import check_same_clip

LEAST_FRAMES: Final = 25  # in a shorter segment the zeros that count as sound at both ends would decide
ALONE: Final = (
    "A score says little alone: connect `source` with sound of its own, and compare with the source's own score."
)
_BLOCK: Final = 16  # frames that are looked at together
_LEFT_OUT: Final = PICTURES  # the original scores frames less 5, one window fewer than there are


@dataclass(frozen=True)
class Scored:
    """What is scored. faces: found on the source, or on the result where there is no source. sound: what is heard with
    the result. source_sound: the source's own; None where it has none. audio_longer: as in the sampler."""

    result: FrameSource
    sound: AudioClip
    faces: SpeakerFaces
    source: FrameSource | None = None
    source_sound: AudioClip | None = None
    audio_longer: AudioLonger = "ping-pong"


def sync_score(given: Scored, network: SyncNet, host: Host) -> tuple[ClipSync, ClipSync | None]:
    """Scores of the result and, beside it, of its source with its own sound; None where that is not known."""
    home = given.source or given.result
    check_same_clip(home, given.faces.found)
    check_same_size(home, given.result)
    track, every = speaker_track(given.faces), np.arange(len(home.clock), dtype=np.int64)
    rows = source_of(given.result.clock, home.clock, given.audio_longer) if given.source else every
    ours = score_clip(Speaking(given.result, track, rows, given.sound), network, host, "Sync of the result")
    if given.source is None or given.source_sound is None:
        return ours, None
    theirs = Speaking(given.source, track, every, given.source_sound)
    return ours, score_clip(theirs, network, host, "Sync of the source")


@dataclass(frozen=True)
class Speaking:
    """A clip of M frames to be scored. track: the speaker. rows: int64 [M], the frame of the track that belongs to each
    frame of the clip, for a result has the faces of its source. sound: heard from the first frame on."""

    clip: FrameSource
    track: FaceTrack
    rows: Indices
    sound: AudioClip


@dataclass(frozen=True)
class Segment:
    """A run of frames, at 25 a second, that show the speaker in one shot. table: float32 [n, 31] (see `distances`)."""

    first: int
    end: int
    table: Floats

    @property
    def score(self) -> SyncScore:
        """Of the segment alone, as the original scores a clip."""
        return score(self.table.mean(axis=0, dtype=np.float64))


@dataclass(frozen=True)
class ClipSync:
    """segments: those long enough to be scored, in order. too_short: how many were not. gaps: (start, end) s without
    the speaker. duration: s."""

    segments: tuple[Segment, ...]
    too_short: int
    gaps: tuple[tuple[float, float], ...]
    duration: float

    @property
    def score(self) -> SyncScore | None:
        """The mean of its segments', by their length, as papers take the mean over clips; the median of their offsets.

        None where there is no segment.
        """
        scores = [segment.score for segment in self.segments]
        lengths = [len(segment.table) for segment in self.segments]
        if not scores:
            return None
        offsets = np.repeat([one.offset for one in scores], lengths)
        return SyncScore(
            offset=int(np.sort(offsets)[len(offsets) // 2]),
            distance=float(np.average([one.distance for one in scores], weights=lengths)),
            confidence=float(np.average([one.confidence for one in scores], weights=lengths)),
        )


def score_clip(speaking: Speaking, network: SyncNet, host: Host, stage: str) -> ClipSync:
    """Read the clip once, at 25 frames per second, and compare every five frames with the sound around them."""
    shown = at_rate(speaking.clip.clock, RATE)
    rows = speaking.rows[shown]
    present = speaking.track.present[rows]
    spans = _spans(present, speaking.track.shot[rows])
    sound = MonoReader(speaking.sound)
    long = [span for span in spans if _windows(span, sound) >= LEAST_FRAMES - _LEFT_OUT]
    table, ends = Rows((2 * SHIFTS + 1,), np.float32), [0]
    for span in long:
        ends.append(ends[-1] + _windows(span, sound))
        with closing(_compared(speaking, shown, span, sound, network, host)) as parts:
            for done, part in parts:
                table.add(part)
                host.progress(done, len(shown), stage)
    rows_of_all = table.table()  # one file for all: a clip may have thousands of shots
    segments = tuple(Segment(*span, rows_of_all[slice(*part)]) for span, part in zip(long, pairwise(ends), strict=True))
    gaps = tuple((first / RATE, end / RATE) for first, end in _spans(~present, np.zeros_like(rows)))
    return ClipSync(segments, len(spans) - len(long), gaps, speaking.clip.clock.duration)


def _spans(wanted: NDArray[np.bool_], shot: NDArray[np.integer]) -> list[tuple[int, int]]:
    """(first, end) of each run of wanted frames in one shot."""
    edges = np.flatnonzero((np.diff(wanted) != 0) | (np.diff(shot) != 0)) + 1
    return [span for span in pairwise([0, *edges.tolist(), len(wanted)]) if wanted[span[0]]]


def _windows(span: tuple[int, int], sound: Mono) -> int:
    """How many times five frames and their sound are compared in a segment."""
    first, end = span
    return min(end - first, len(sound) // SAMPLES - first) - _LEFT_OUT


def _compared(
    speaking: Speaking, shown: Indices, span: tuple[int, int], sound: Mono, network: SyncNet, host: Host
) -> Generator[tuple[int, Floats], None, None]:
    """Rows of a segment's table, block by block, each with the frame up to which they go."""
    first, end = span
    frames, count = shown[first:end], _windows(span, sound)
    squares = iter(steady_squares(speaking.track.boxes[speaking.rows[frames]]))
    blocks = [frames[start : start + _BLOCK] for start in range(0, len(frames), _BLOCK)]
    held: list[Floats] = []
    done = 0
    sounds = heard(network, sound, first, (-SHIFTS, SHIFTS), count)
    with closing(ahead(speaking.clip.read(blocks), host.check_interrupt)) as chunks:
        for chunk in chunks:
            host.check_interrupt()
            if done == count:  # the sound has ended
                break
            held += [sync_crop(picture, next(squares)) for picture in chunk.pictures]
            if len(held) >= PICTURES:
                seen = network.see(torch.from_numpy(np.stack(held))).numpy()[: count - done]
                further = heard(network, sound, first, (done + SHIFTS, done + len(seen) + SHIFTS), count)
                sounds = np.concatenate([sounds, further])
                done += len(seen)
                yield first + done, distances(seen, sounds)
                held, sounds = held[1 - PICTURES :], sounds[len(seen) :]
            heap.give_back()


def report(result: ClipSync, source: ClipSync | None) -> str:
    """JSON: the result's scores, the source's own beside them, and the difference. source: None where not known."""
    ours, theirs = result.score, source.score if source else None
    return json.dumps(
        {
            "network": "SyncNet v2",
            "result": _clip(result),
            "source": _clip(source) if source else None,
            "result_less_source": {
                "lse_c": round(ours.confidence - theirs.confidence, 3),
                "lse_d": round(ours.distance - theirs.distance, 3),
                "offset_frames": ours.offset - theirs.offset,
            }
            if ours and theirs
            else None,
            "notes": [] if source else [ALONE],
        },
        indent=1,
    )


def _clip(sync: ClipSync) -> dict[str, object]:
    return {
        "seconds": round(sync.duration, 3),
        **_numbers(sync.score),
        "segments": [
            {"start": segment.first / RATE, "end": segment.end / RATE, **_numbers(segment.score)}
            for segment in sync.segments
        ],
        "segments_too_short": sync.too_short,
        "without_speaker": [[round(start, 3), round(end, 3)] for start, end in sync.gaps],
    }


def _numbers(found: SyncScore | None) -> dict[str, float | int | None]:
    if found is None:
        return {"lse_c": None, "lse_d": None, "offset_frames": None, "offset_ms": None}
    return {
        "lse_c": round(found.confidence, 3),
        "lse_d": round(found.distance, 3),
        "offset_frames": found.offset,
        "offset_ms": found.offset * 1000 // RATE,
    }


def draw(result: ClipSync, source: ClipSync | None) -> Image.Image:
    """Both clips' confidence and offset over time, two seconds at a time; where the result shows no face is shaded."""
    clips = [(source, "source", SOURCE_COLOUR)] if source else []
    clips.append((result, "result", RESULT_COLOUR))
    duration = max(clip.duration for clip, _, _ in clips)
    curves = [_curve(segment, duration, colour) for clip, _, colour in clips for segment in clip.segments]
    return plot(duration, curves, result.gaps, [_title(clip, name, colour) for clip, name, colour in clips])


def _curve(segment: Segment, duration: float, colour: Colour) -> Curve:
    points = max(2, round(WIDTH * (segment.end - segment.first) / (duration * RATE)))
    frames = np.unique(np.linspace(0, len(segment.table) - 1, points).astype(np.int64))
    scores = [score_at(segment.table, int(frame)) for frame in frames]
    return Curve(
        seconds=(segment.first + frames + PICTURES // 2) / RATE,
        confidence=np.array([one.confidence for one in scores]),
        offset=np.array([one.offset for one in scores], np.float64),
        colour=colour,
        weight=6 if colour == SOURCE_COLOUR else 3,  # so that both are seen where they agree
    )


def _title(clip: ClipSync, name: str, colour: Colour) -> tuple[str, Colour]:
    found = clip.score
    if found is None:
        return f"{name}: nothing to score", colour
    return f"{name}: LSE-C {found.confidence:.2f}, LSE-D {found.distance:.2f}, offset {found.offset:+d}", colour
