"""Short gaps are filled in by straight lines, inside a shot only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.faces.bridge import bridge_gaps
from made_up_faces import FaceTrack, track_of
from numpy.typing import NDArray


def moving(present: str, shot: str | None = None) -> FaceTrack:
    """A face that moves 3 px right and 2 px down a frame. present: x where the face is seen. shot: digits."""
    steps = np.arange(len(present), dtype=np.float32)[:, None] * (3, 2) + (100, 200)
    landmarks = np.tile(steps[:, None], (1, 68, 1)) + np.arange(68)[:, None]
    boxes = np.concatenate([steps - 50, steps + 50], axis=1)
    there = [sign == "x" for sign in present]
    return track_of(landmarks, boxes, there, [int(number) for number in shot or "0" * len(present)])


def calm(present: str) -> NDArray[np.bool_]:
    """No flash in any frame."""
    return np.zeros(len(present), bool)


@pytest.mark.parametrize(
    ("present", "shot", "longest", "bridged"),
    [
        ("xxxxxx", "000000", 5, "......"),
        ("x.xx..x", "0000000", 5, ".b..bb."),
        ("x.xx..x", "0000000", 1, ".b....."),
        ("x.xx..x", "0000000", 0, "......."),
        ("x.....x", "0000000", 5, ".bbbbb."),
        ("x......x", "00000000", 5, "........"),
        ("..xx..", "000000", 5, "......"),
        ("x..x", "0001", 5, "...."),
        ("x..x", "0111", 5, "...."),
        ("x..x", "0011", 5, "...."),
        ("x...x", "00122", 5, "....."),
        ("x.xx.x", "000111", 5, ".b..b."),
    ],
)
def test_which_gaps_are_bridged(present: str, shot: str, longest: int, bridged: str) -> None:
    track = bridge_gaps(moving(present, shot), longest, calm(present))
    assert "".join(".b"[flag] for flag in track.bridged.tolist()) == bridged
    assert track.present.tolist() == [a == "x" or b == "b" for a, b in zip(present, bridged, strict=True)]


def test_a_steady_motion_is_filled_in_as_it_was() -> None:
    whole = moving("xxxxxxxxxx")
    track = bridge_gaps(moving("xx.xx....x"), 5, calm("xx.xx....x"))
    np.testing.assert_allclose(track.landmarks, whole.landmarks, rtol=1e-6)
    np.testing.assert_allclose(track.boxes, whole.boxes, rtol=1e-6)


def test_without_a_gap_it_is_the_same_track() -> None:
    track = moving("..xx..")
    assert bridge_gaps(track, 5, calm("..xx..")) is track


def test_a_gap_with_a_flash_in_it_stays_a_gap() -> None:
    flash = np.arange(11) == 3
    track = bridge_gaps(moving("x.x...x...x"), 5, flash)
    assert np.flatnonzero(track.bridged).tolist() == [1, 7, 8, 9]


@given(st.text(alphabet="x.", min_size=1, max_size=60), st.integers(0, 6), st.data())
def test_what_was_seen_stays_and_what_stays_absent_is_zero(present: str, longest: int, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.booleans(), min_size=len(present), max_size=len(present)))
    before = moving(present)
    shots = np.cumsum(cuts).astype(np.int32)
    before = track_of(before.landmarks, before.boxes, before.present.tolist(), shots.tolist())

    after = bridge_gaps(before, longest, calm(present))

    assert (after.landmarks[before.present] == before.landmarks[before.present]).all()
    assert (after.boxes[before.present] == before.boxes[before.present]).all()
    assert not after.landmarks[~after.present].any()
    assert (after.present == before.present | after.bridged).all()
    assert not (before.present & after.bridged).any()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], after.bridged, [0]])))
    for first, end in edges.reshape(-1, 2).tolist():
        assert end - first <= longest
        assert before.present[[first - 1, end]].all()
        assert len(set(shots[first - 1 : end + 1].tolist())) == 1
