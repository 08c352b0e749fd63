"""Which frame is seen when."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.timing import AudioLonger, FrameClock, LengthPolicy, Timeline
from lipsync_studio.pipelines.measure.pairing import at_rate, source_of


def clock(count: int, rate: Fraction | int = 25) -> FrameClock:
    return FrameClock.constant(count, Fraction(rate))


@pytest.mark.parametrize(
    ("rate", "seen"),
    [
        (Fraction(25), [0, 1, 2, 3, 4]),
        (Fraction(50), [0, 2, 4, 6, 8]),
        (Fraction(25, 2), [0, 0, 1, 1, 2, 2, 3, 3]),
        (Fraction(30), [0, 1, 2, 4, 5]),
    ],
)
def test_frames_at_25_a_second(rate: Fraction, seen: list[int]) -> None:
    assert at_rate(clock(10, rate), 25)[: len(seen)].tolist() == seen


@given(st.integers(1, 2000), st.sampled_from([Fraction(25), Fraction(24000, 1001), Fraction(30), Fraction(60)]))
def test_an_hour_does_not_drift(count: int, rate: Fraction) -> None:
    shown = at_rate(clock(count, rate), 25)
    middles = (np.arange(len(shown)) + 0.5) / 25
    starts = shown / float(rate)
    assert (starts <= middles + 1e-6).all()
    late = (middles < count / float(rate)) & (middles > starts + 1 / float(rate) + 1e-6)
    assert not late.any()


@given(
    st.integers(2, 40),
    st.floats(0.1, 6),
    st.sampled_from(["ping-pong", "loop", "hold"]),
    st.sampled_from([Fraction(25), Fraction(30000, 1001)]),
)
def test_a_result_of_the_sampler_is_paired_as_the_sampler_made_it(
    count: int, seconds: float, audio_longer: AudioLonger, rate: Fraction
) -> None:
    source = clock(count, rate)
    made = Timeline.build(source, seconds, LengthPolicy(audio_longer))
    result = FrameClock(made.ticks, made.end, made.tick, made.rate)
    assert source_of(result, source, audio_longer).tolist() == made.source.tolist()


def test_another_rate_is_paired_by_time() -> None:
    assert source_of(clock(5, 25), clock(10, 50), "ping-pong").tolist() == [0, 2, 4, 6, 8]


def test_a_still_is_the_source_of_every_frame() -> None:
    assert source_of(clock(7), clock(1), "ping-pong").tolist() == [0] * 7


def test_a_source_that_stopped_cannot_be_shorter() -> None:
    with pytest.raises(InputError, match="no longer than its source"):
        source_of(clock(50), clock(10), "stop")
