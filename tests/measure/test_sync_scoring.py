"""Distances, LSE-D, LSE-C and offset against the reference: 1e-5 relative; offsets exact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import seeded
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.measure.sync_scoring import SHIFTS, SyncScore, distances, score, score_at
from numpy.typing import NDArray
from safetensors.numpy import load_file

GOLDEN = Path(__file__).resolve().parents[1] / "goldens" / "syncnet_score"
CASES = [case for case in json.loads(GOLDEN.with_suffix(".json").read_text())["cases"] if "noise" in case]


def padded(heard: NDArray[np.float32]) -> NDArray[np.float32]:
    """As the original has it: silence of zeros at both ends."""
    return np.pad(heard, ((SHIFTS, SHIFTS), (0, 0)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_planted_offset_is_found_as_by_the_reference(case: dict[str, Any]) -> None:
    golden = load_file(GOLDEN.with_suffix(".safetensors"))
    name, count, shift = case["name"], case["n"], case["planted_shift"]
    base = seeded.floats(f"sn_base_{name}", (count + 40, 1024), 0.5)
    noise = seeded.floats(f"sn_noise_{name}", (count, 1024), case["noise"])
    table = distances(base[20 : 20 + count], padded(base[20 + shift : 20 + shift + count] + noise))
    rows = range(count) if count <= 6 else (0, 1, count // 2, count - 2, count - 1)
    np.testing.assert_allclose(table[list(rows)], golden[f"{name}.dists"], rtol=1e-5)
    np.testing.assert_allclose(table.mean(axis=0), golden[f"{name}.mdist"], rtol=1e-5)
    found = score(table.mean(axis=0))
    assert found.offset == case["offset"]
    assert found.distance == pytest.approx(case["lse_d"], rel=1e-5)
    assert found.confidence == pytest.approx(case["lse_c"], rel=1e-5)


@given(st.integers(-10, 10), st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_moving_the_sound_moves_the_offset(shift: int, seed: int) -> None:
    base = np.random.default_rng(seed).normal(size=(120, 64)).astype(np.float32)
    seen, heard = base[30:90], base[30 - SHIFTS + shift : 90 + SHIFTS + shift]
    assert score(distances(seen, heard).mean(axis=0)).offset == shift


def test_a_moment_is_scored_by_what_is_around_it() -> None:
    table = np.ones((200, 31), np.float32)
    table[:100, 10] = table[100:, 20] = 0
    assert score_at(table, 20) == SyncScore(5, 0.0, 1.0)
    assert score_at(table, 180) == SyncScore(-5, 0.0, 1.0)
    assert score_at(table, 0).offset == 5
