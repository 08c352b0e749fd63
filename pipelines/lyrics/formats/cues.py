"""The cues of SRT and WebVTT: a row with `-->`, then text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from .clock import split_hours, to_seconds, to_units
from .draft import UNREADABLE, Draft
from .text import rows

MILLISECONDS = 1000

# Groups: sign, hours, minutes, seconds, fraction.
TIME = r"(-?)(?:(\d{1,9}):)?(\d{1,3}):(\d{1,3})(?:[.,](\d{1,9}))?"
TIMING = re.compile(rf"^[ \t]*{TIME}[ \t]*-->[ \t]*{TIME}", re.ASCII | re.MULTILINE)


class Cue(NamedTuple):
    """start, end: seconds, in order. rows: everything up to the next cue but its number."""

    start: float
    end: float
    rows: list[str]


def cues(text: str, draft: Draft) -> Iterator[Cue]:
    """Every cue, with or without blank rows between them. What stands before the first is left out."""
    found: list[tuple[str, list[str]]] = []
    for row in rows(text):
        if "-->" in row:
            if found and found[-1][1] and found[-1][1][-1].strip().isdecimal():
                found[-1][1].pop()  # it is the number of the cue that starts here
            found.append((row, []))
        elif found:
            found[-1][1].append(row)
    for timing, body in found:
        if times := TIMING.match(timing):
            yield Cue(*draft.in_order(to_seconds(*times.groups()[:5]), to_seconds(*times.groups()[5:])), body)
        else:
            draft.repaired(UNREADABLE)


def timestamp(seconds: float, point: str) -> str:
    """HH:MM:SS, the decimal point of the format, and milliseconds; rounded, never cut."""
    hours, minutes, whole, milli = split_hours(to_units(seconds, MILLISECONDS), MILLISECONDS)
    return f"{hours:02}:{minutes:02}:{whole:02}{point}{milli:03}"
