"""Seconds from what files write, and back. Whole units throughout, so no rounding adds up."""

from __future__ import annotations

MICROSECONDS = 1_000_000


def to_seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    """Seconds that the digits of a written time mean; "5" as a fraction is half a second. sign: "-" or ""."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    micro = int((fraction or "0").ljust(6, "0")[:6])
    return (-1 if sign else 1) * (whole * MICROSECONDS + micro) / MICROSECONDS


def to_units(seconds: float, per_second: int) -> int:
    """The nearest whole unit: 100 per second are centiseconds, 1000 milliseconds."""
    return round(seconds * per_second)


def split_hours(units: int, per_second: int) -> tuple[int, int, int, int]:
    """Hours, minutes, seconds and the units left."""
    seconds, units = divmod(units, per_second)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return hours, minutes, seconds, units
