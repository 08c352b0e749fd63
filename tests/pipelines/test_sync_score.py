"""The sync score from clips: segments, blocks, rates, and what is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.audio.resample import MonoReader
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.faces import FaceTrack
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.measure.pairing import check_same_size
from lipsync_studio.pipelines.measure.sync_crop import steady_squares, sync_crop
from lipsync_studio.pipelines.measure.sync_scoring import SHIFTS, distances
from lipsync_studio.pipelines.measure.sync_sound import heard
from lipsync_studio.pipelines.media.image_picture import ImageClip, ImagePicture
from lipsync_studio.pipelines.networks.syncnet import SyncNet
from lipsync_studio.pipelines.sync_score import ClipSync, Speaking, draw, report, score_clip
from torch import Tensor

SIDE = 64
BOX = (16, 16, 48, 48)
RATE = 16000


class Loudness:
    """In SyncNet's place: lips are the brightness of five pictures, sound is the loudness of as many frames.

    A clip whose brightness follows its loudness is in sync, and by how much another is off, it tells.
    """

    def see(self, rgb: Tensor) -> Tensor:
        return self._embedded((rgb.mean(dim=(1, 2, 3)) * 14 / 255).unfold(0, 5, 1) - 10)

    def hear(self, mfcc: Tensor) -> Tensor:
        return self._embedded(mfcc[..., 0].unfold(1, 4, 4).mean(dim=2) - 18.3)  # for noise as `sound` makes it

    def _embedded(self, five: Tensor) -> Tensor:
        return torch.nn.functional.pad(five, (0, 1024 - 5))


def levels(count: int, seed: int = 3) -> np.ndarray:
    """Natural logarithms of the energy of each frame's sound."""
    return np.random.default_rng(seed).uniform(8, 12, count)


def sound(energies: np.ndarray, late: int = 0) -> AudioClip:
    """Noise with the energy of each 40 ms; `late` frames of silence come first."""
    noise = np.random.default_rng(1).normal(size=(len(energies), 640))
    loud = noise * (np.exp(energies / 2) / 500)[:, None]
    wave = np.concatenate([np.full(640 * late, 1e-4), loud.ravel() / 20])
    return AudioClip(wave[None, : 640 * len(energies)].astype(np.float32), RATE)


def speaking(energies: np.ndarray, heard: AudioClip, shots: Sequence[int] = (), absent: Sequence[int] = ()) -> Speaking:
    """A clip at 25 fps whose pictures are as bright as `energies` say. shots: first frames of further shots."""
    count = len(energies)
    pictures = np.broadcast_to((energies[:, None, None, None] / 14), (count, SIDE, SIDE, 3))
    present = ~np.isin(np.arange(count), list(absent))
    track = FaceTrack(
        present=present,
        bridged=np.zeros(count, bool),
        landmarks=np.zeros((count, 68, 2), np.float32),
        boxes=np.where(present[:, None], np.array(BOX, np.float32), 0).astype(np.float32),
        shot=np.searchsorted(np.array(shots), np.arange(count), side="right").astype(np.int32),
        width=SIDE,
        height=SIDE,
    )
    clip = ImageClip(torch.from_numpy(np.ascontiguousarray(pictures, np.float32)), Fraction(25))
    return Speaking(clip, track, np.arange(count), heard)


def scored(given: Speaking) -> ClipSync:
    return score_clip(given, Loudness(), PlainHost(), "test")  # type: ignore[arg-type]


@pytest.mark.parametrize("late", [0, 2, 5, 9])
def test_sound_that_comes_later_by_k_frames_moves_the_offset_by_k(late: int) -> None:
    energies = levels(150)
    found = scored(speaking(energies, sound(energies, late))).score
    assert found is not None
    assert found.offset == -late


def test_each_shot_and_each_side_of_a_cutaway_is_a_segment() -> None:
    energies = levels(200)
    given = speaking(energies, sound(energies, 3), shots=[60], absent=range(120, 140))
    found = scored(given)
    assert [(segment.first, segment.end) for segment in found.segments] == [(0, 60), (60, 120), (140, 200)]
    assert [segment.score.offset for segment in found.segments] == [-3, -3, -3]
    assert found.gaps == ((4.8, 5.6),)
    assert found.too_short == 0


def test_a_short_segment_is_not_scored() -> None:
    energies = levels(100)
    found = scored(speaking(energies, sound(energies), shots=[80]))
    assert [(segment.first, segment.end) for segment in found.segments] == [(0, 80)]
    assert found.too_short == 1


def test_where_the_sound_ends_scoring_ends() -> None:
    energies = levels(100)
    found = scored(speaking(energies, sound(energies[:60])))
    assert len(found.segments[0].table) == 60 - 5
    quiet = scored(speaking(energies, sound(energies[:20])))
    assert quiet.segments == ()
    assert quiet.score is None


@pytest.mark.parametrize("rate", [Fraction(50), Fraction(30000, 1001), Fraction(24000, 1001)])
def test_any_frame_rate_is_seen_at_25(rate: Fraction) -> None:
    """The picture changes 25 times a second; another rate shows each up to a frame later."""
    energies = levels(150)
    at_25 = speaking(energies, sound(energies, 4))
    count = int(150 / 25 * rate)
    frames = (np.arange(count) / float(rate) * 25 + 1e-6).astype(int)
    clip = ImageClip(at_25.clip.images[frames], rate)  # type: ignore[attr-defined]
    found = scored(Speaking(clip, at_25.track, frames, at_25.sound)).score
    assert found is not None
    assert -4 <= found.offset <= -3


def test_blocks_give_what_the_whole_gives() -> None:
    """With SyncNet itself, seeded: the table is that of all windows at once, as the reference makes it."""
    count = 30
    network = SyncNet(seeded_checkpoints.of_golden("syncnet_v2"), "seeded")
    images = torch.from_numpy(np.random.default_rng(0).random((count, SIDE, SIDE, 3), np.float32))
    given = speaking(levels(count), sound(levels(count)))
    given = Speaking(ImageClip(images, Fraction(25)), given.track, given.rows, given.sound)
    (segment,) = score_clip(given, network, PlainHost(), "test").segments
    squares = steady_squares(given.track.boxes)
    crops = [sync_crop(ImagePicture(image), square) for image, square in zip(images, squares, strict=True)]
    windows = count - 5
    seen = network.see(torch.from_numpy(np.stack(crops))).numpy()[:windows]
    sounds = heard(network, MonoReader(given.sound), 0, (-SHIFTS, windows + SHIFTS), windows)
    np.testing.assert_allclose(segment.table, distances(seen, sounds), rtol=1e-4)


def test_the_report_tells_both_and_the_difference() -> None:
    energies = levels(150)
    ours, theirs = (scored(speaking(energies, sound(energies, late))) for late in (4, 1))
    told = json.loads(report(ours, theirs))
    assert told["result"]["offset_frames"] == -4
    assert told["result"]["offset_ms"] == -160
    assert told["source"]["offset_frames"] == -1
    assert told["result_less_source"]["offset_frames"] == -3
    assert told["result"]["segments"][0] == {"start": 0.0, "end": 6.0} | {
        key: told["result"][key] for key in ("lse_c", "lse_d", "offset_frames", "offset_ms")
    }
    alone = json.loads(report(ours, None))
    assert alone["source"] is None
    assert alone["result_less_source"] is None
    assert "the source's own score" in alone["notes"][0]


def test_nothing_to_score_is_told() -> None:
    energies = levels(100)
    nothing = scored(speaking(energies, sound(energies), absent=range(100)))
    told = json.loads(report(nothing, None))
    assert told["result"]["lse_c"] is None
    assert told["result"]["without_speaker"] == [[0.0, 4.0]]
    assert draw(nothing, None).size == (1024, 576)


def test_a_result_of_another_size_is_refused() -> None:
    one, other = (ImageClip(torch.zeros(2, side, 8, 3), Fraction(25)) for side in (8, 16))
    with pytest.raises(InputError, match=r"8x8.*got 8x16"):
        check_same_size(one, other)
