"""Which frame is shown when: policies, exact rates, drift."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.timing import FrameClock, LengthPolicy, Timeline, cycle_order, exact_rate
from safetensors.numpy import load_file

RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30), Fraction(50)]
RATES += [Fraction(60000, 1001)]


@pytest.mark.parametrize(
    ("written", "exact"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (119.88, Fraction(120000, 1001)),
        (24.0, Fraction(24)),
        (25.0, Fraction(25)),
        (12.5, Fraction(25, 2)),
        (22.13, Fraction(2213, 100)),
    ],
)
def test_a_written_rate_means_the_exact_one(written: float, exact: Fraction) -> None:
    assert exact_rate(written) == exact


@pytest.mark.parametrize("wrong", [0.0, -1.0, 1001.0, float("nan")])
def test_an_impossible_rate_is_refused(wrong: float) -> None:
    with pytest.raises(InputError, match="frame rate"):
        exact_rate(wrong)


@pytest.mark.parametrize("rate", RATES)
def test_no_drift_after_an_hour(rate: Fraction) -> None:
    clock = FrameClock.constant(int(3600 * rate) + 1, rate)
    exact = (len(clock) - 1) / rate
    assert abs(Fraction(float(clock.seconds[-1])) - exact) < Fraction(1, 10**9)


@pytest.mark.parametrize(
    ("audio_longer", "expected"),
    [
        ("ping-pong", [0, 1, 2, 2, 1, 0, 0, 1, 2, 2]),
        ("loop", [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]),
        ("hold", [0, 1, 2, 2, 2, 2, 2, 2, 2, 2]),
        ("stop", [0, 1, 2]),
    ],
)
def test_audio_longer(audio_longer: str, expected: list[int]) -> None:
    timeline = Timeline.build(FrameClock.constant(3, Fraction(10)), 1.0, LengthPolicy(audio_longer=audio_longer))
    assert timeline.source.tolist() == expected
    assert timeline.voiced == len(expected)


@pytest.mark.parametrize(("video_longer", "count"), [("keep the rest", 10), ("stop", 4)])
def test_video_longer(video_longer: str, count: int) -> None:
    timeline = Timeline.build(FrameClock.constant(10, Fraction(10)), 0.35, LengthPolicy(video_longer=video_longer))
    assert timeline.source.tolist() == list(range(count))
    assert timeline.voiced == 4
    assert timeline.duration == pytest.approx(count / 10)


def test_sound_cut_from_the_video_itself_adds_no_frame() -> None:
    clock = FrameClock.constant(250, Fraction(25))
    assert len(Timeline.build(clock, 10.0 + 2 * 1024 / 44100, LengthPolicy())) == 250


def test_holding_a_very_short_or_very_long_last_frame_goes_on_at_the_clips_rate() -> None:
    for last in (1, 900):
        clock = FrameClock(ticks=np.array([0, 4, 8]), end=8 + last, tick=Fraction(1, 100), rate=Fraction(25))
        timeline = Timeline.build(clock, 20.0, LengthPolicy(audio_longer="hold"))
        held = np.diff(np.append(timeline.ticks, timeline.end))[3:]
        assert set(held.tolist()) == {4}
        assert timeline.duration == pytest.approx(20.0, abs=0.04)


def test_a_still_image_lasts_as_long_as_the_shortest_sound() -> None:
    assert len(Timeline.build(FrameClock.constant(1, Fraction(25)), 0.13, LengthPolicy())) == 4


def test_a_variable_rate_keeps_each_frames_own_duration_when_it_plays_back() -> None:
    clock = FrameClock(ticks=np.array([0, 3, 4]), end=9, tick=Fraction(1, 10), rate=Fraction(10, 3))
    timeline = Timeline.build(clock, 1.8, LengthPolicy())
    assert timeline.source.tolist() == [0, 1, 2, 2, 1, 0]
    assert timeline.ticks.tolist() == [0, 3, 4, 9, 14, 15]
    assert timeline.end == 18


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_ping_pong_is_the_references(count: int, goldens: Path) -> None:
    golden = load_file(goldens / "cycling.safetensors")[f"N{count}_T20"]
    assert np.resize(cycle_order(count, "ping-pong"), 20).tolist() == golden.tolist()


@given(
    durations=st.lists(st.integers(1, 50), min_size=1, max_size=40),
    audio=st.floats(0.01, 30.0),
    audio_longer=st.sampled_from(["ping-pong", "loop", "hold", "stop"]),
    video_longer=st.sampled_from(["keep the rest", "stop"]),
)
def test_any_clip_and_any_policy(durations: list[int], audio: float, audio_longer: str, video_longer: str) -> None:
    starts = np.concatenate([[0], np.cumsum(durations)])
    clock = FrameClock(ticks=starts[:-1], end=int(starts[-1]), tick=Fraction(1, 100), rate=Fraction(25))
    timeline = Timeline.build(clock, audio, LengthPolicy(audio_longer, video_longer))
    assert timeline.ticks[0] == 0
    shown = np.diff(np.append(timeline.ticks, timeline.end))
    own = len(durations) if audio_longer == "hold" else len(timeline)
    assert np.array_equal(shown[:own], np.array(durations)[timeline.source][:own])
    kept = min(len(timeline), len(clock))
    assert timeline.source[:kept].tolist() == list(range(kept))
    assert np.all(timeline.seconds[: timeline.voiced] < audio + 1e-6)
    if audio_longer != "stop" and audio > clock.duration + 0.1:
        assert timeline.duration >= audio
        assert timeline.ticks[-1] * 0.01 < audio + 1e-6
    if video_longer == "keep the rest":
        assert len(timeline) >= len(clock)


@pytest.mark.parametrize(
    ("ticks", "end"), [([1, 2], 3), ([0, 0], 1), ([0, 2, 1], 3), ([0, 1], 1)], ids=["late", "twice", "back", "no end"]
)
def test_a_broken_clock_is_refused(ticks: list[int], end: int) -> None:
    with pytest.raises(ValueError, match="ticks"):
        FrameClock(ticks=np.array(ticks), end=end, tick=Fraction(1, 25), rate=Fraction(25))


def test_an_empty_clip_is_refused() -> None:
    with pytest.raises(InputError, match="at least one frame"):
        FrameClock.constant(0, Fraction(25))
