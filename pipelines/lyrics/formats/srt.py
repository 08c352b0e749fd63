"""SubRip: numbered cues of one or more rows. It knows lines only; styling is left out when read.

By hand like its siblings: pysubs2 1.8 reads cues in quadratic time (85 s for 50 kB of blank rows), drops the sign of a
negative time and the leading digits of long ones, and knows no karaoke. The tests hold it against ours.
"""

from __future__ import annotations

import re

from ...core.lyrics import Timings
from .cues import TIMING, cues, timestamp
from .draft import Draft
from .text import shown_lines, without_blank_rows

SIGNATURE = TIMING

# HTML-like tags, and the override blocks that some tools put into SRT.
STYLING = re.compile(r"</?(?:b|i|u|s|font)\b[^<>]*>|\{\\[^{}]*\}", re.IGNORECASE)


def read(text: str) -> Timings:
    """Lines of an SRT file. Blank rows inside a cue are dropped, missing ones between cues do no harm."""
    draft = Draft()
    for cue in cues(text, draft):
        draft.add(without_blank_rows(STYLING.sub("", "\n".join(cue.rows))), cue.start, cue.end)
    return draft.timings()


def write(timings: Timings) -> str:
    """An SRT file. An arrow in a text would start a cue, so it loses a dash."""
    entries = []
    for number, line in enumerate(shown_lines(timings), start=1):
        text = without_blank_rows(line.text).replace("-->", "->")
        entries.append(f"{number}\n{timestamp(line.start, ',')} --> {timestamp(line.end, ',')}\n{text}\n")
    return "\n".join(entries)
