"""When each frame is shown, and which source frame it shows. Integer ticks throughout, so nothing drifts."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

AudioLonger = Literal["ping-pong", "loop", "hold", "stop"]
VideoLonger = Literal["keep the rest", "stop"]

# Sound cut out of a video comes back up to two AAC frames longer; that must not add frames to the result.
SAME_LENGTH_SECONDS = 0.1


@dataclass(frozen=True)
class FrameClock:
    """The time of every frame of a clip.

    ticks: int64 [N], strictly increasing, first 0: when frame i starts.
    end: tick at which the last frame ends. tick: seconds per tick. rate: nominal frames per second.
    """

    ticks: NDArray[np.int64]
    end: int
    tick: Fraction
    rate: Fraction

    def __post_init__(self) -> None:
        if self.ticks.ndim != 1 or len(self.ticks) == 0:
            raise InputError(
                expected="a clip with at least one frame",
                got=f"frame times of shape {self.ticks.shape}",
                next_step="Check that the clip is not empty or trimmed to nothing.",
            )
        if self.ticks[0] != 0 or np.any(np.diff(self.ticks) <= 0) or self.end <= self.ticks[-1]:
            raise ValueError("ticks must start at 0, increase strictly, and end before `end`")
        if self.tick <= 0 or self.rate <= 0:
            raise ValueError(f"tick and rate must be positive, got {self.tick = } and {self.rate = }")

    @classmethod
    def constant(cls, count: int, rate: Fraction) -> FrameClock:
        """`count` frames at exactly `rate` frames per second."""
        return cls(ticks=np.arange(count, dtype=np.int64), end=count, tick=1 / Fraction(rate), rate=Fraction(rate))

    def __len__(self) -> int:
        return len(self.ticks)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """float64 [N]: start of each frame in seconds."""
        return ticks_to_seconds(self.ticks, self.tick)

    @property
    def duration(self) -> float:
        """Seconds from the first frame's start to the last frame's end."""
        return float(self.end * self.tick)


@dataclass(frozen=True)
class LengthPolicy:
    """What happens when sound and picture differ in length."""

    audio_longer: AudioLonger = "ping-pong"
    video_longer: VideoLonger = "keep the rest"


@dataclass(frozen=True)
class Timeline:
    """The frames of the result.

    source: int64 [M], the source frame each output frame shows. ticks: int64 [M], its start; first 0.
    end, tick, rate: as in `FrameClock`. voiced: how many leading output frames start before the audio ends.
    """

    source: NDArray[np.int64]
    ticks: NDArray[np.int64]
    end: int
    tick: Fraction
    rate: Fraction
    voiced: int

    @classmethod
    def build(cls, clock: FrameClock, audio_seconds: float, policy: LengthPolicy) -> Timeline:
        """Lay `clock`'s frames along `audio_seconds` of sound as `policy` says.

        A frame belongs to the sound when it starts before the sound ends. Sound that outlasts the picture by at
        most `SAME_LENGTH_SECONDS` counts as equally long, except with a still image.
        """
        if audio_seconds <= 0:
            raise InputError(
                expected="audio longer than 0 s",
                got=f"{audio_seconds} s",
                next_step="Connect an AUDIO with sound in it.",
            )
        # The audio's end, rounded up to a whole tick, so that "starts before the end" stays an integer comparison.
        audio_end = -int(-(Fraction(audio_seconds).limit_denominator(1_000_000) / clock.tick) // 1)
        outlasts = audio_seconds - clock.duration > (SAME_LENGTH_SECONDS if len(clock) > 1 else 0)
        if outlasts and policy.audio_longer != "stop":
            source, ticks, end = _extend(clock, audio_end, policy.audio_longer)
        else:
            source, ticks, end = np.arange(len(clock), dtype=np.int64), clock.ticks, clock.end
        voiced = int(np.searchsorted(ticks, audio_end, side="left"))
        if voiced < len(ticks) and policy.video_longer == "stop":
            end = int(ticks[voiced])
            source, ticks = source[:voiced], ticks[:voiced]
        return cls(source=source, ticks=ticks, end=end, tick=clock.tick, rate=clock.rate, voiced=voiced)

    def __len__(self) -> int:
        return len(self.source)

    @property
    def seconds(self) -> NDArray[np.float64]:
        """float64 [M]: start of each output frame in seconds."""
        return ticks_to_seconds(self.ticks, self.tick)

    @property
    def duration(self) -> float:
        """Seconds the result lasts."""
        return float(self.end * self.tick)


def exact_rate(frames_per_second: float) -> Fraction:
    """The rate a rounded number stands for: 23.976 is 24000/1001, 25 is 25, 12.5 is 25/2.

    NTSC rates are n * 1000/1001 (SMPTE 12M); people and nodes write them with two or three decimals.
    """
    if not 0 < frames_per_second <= 1000:
        raise InputError(
            expected="a frame rate above 0 and up to 1000 fps",
            got=f"{frames_per_second} fps",
            next_step="Set `fps` to the rate of the clip, for example 25.",
        )
    whole = round(frames_per_second * 1.001)
    ntsc = Fraction(whole * 1000, 1001)
    if frames_per_second != round(frames_per_second) and abs(float(ntsc) - frames_per_second) < 0.005:
        return ntsc
    return Fraction(frames_per_second).limit_denominator(1000)


def ticks_to_seconds(ticks: NDArray[np.int64], tick: Fraction) -> NDArray[np.float64]:
    """Exact up to the last float64 rounding: multiply first, divide once."""
    return ticks * np.float64(tick.numerator) / np.float64(tick.denominator)


def cycle_order(count: int, mode: Literal["ping-pong", "loop", "hold"]) -> NDArray[np.int64]:
    """One period of source frame indices.

    ping-pong shows both ends twice (0..N-1, N-1..0), as MuseTalk does: scripts/inference.py:158-181.
    """
    forward = np.arange(count, dtype=np.int64)
    if mode == "ping-pong":
        return np.concatenate([forward, forward[::-1]])
    return forward


def _extend(
    clock: FrameClock, audio_end: int, mode: Literal["ping-pong", "loop", "hold"]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Repeat frames until `audio_end`; every frame keeps the duration it has in the source."""
    durations = np.diff(np.append(clock.ticks, clock.end))
    if mode == "hold":
        # At the clip's own rate: in a variable one the last frame may last a single tick, or several seconds.
        step = max(1, round(1 / (clock.rate * clock.tick)))
        missing = -(-(audio_end - clock.end) // step)
        source = np.append(np.arange(len(clock)), np.full(missing, len(clock) - 1)).astype(np.int64)
        lasting = np.append(durations, np.full(missing, step))
    else:
        period = cycle_order(len(clock), mode)
        repeats = -(-audio_end // int(durations[period].sum()))
        source = np.tile(period, repeats)
        lasting = durations[source]
    starts = np.concatenate([[0], np.cumsum(lasting)]).astype(np.int64)
    count = int(np.searchsorted(starts[:-1], audio_end, side="left"))
    return source[:count], starts[:count], int(starts[count])
