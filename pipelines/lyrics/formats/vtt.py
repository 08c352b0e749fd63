"""WebVTT with word times: `<00:01.000>` inside a cue starts the text after it (W3C WebVTT, "cue timestamp").

By hand: pysubs2 1.8 takes such a tag, and every NOTE or STYLE block, for text or for another cue.
"""

from __future__ import annotations

import html
import re
from itertools import takewhile

from ...core.lyrics import Timings
from .clock import to_seconds
from .cues import MILLISECONDS, TIME, cues, timestamp
from .draft import Draft
from .pieces import extent, is_one_word, pieces_between, tagged, words_of
from .text import one_row, shown_lines, without_blank_rows

SIGNATURE = re.compile(r"\A\s*WEBVTT\b")

TIME_TAG = re.compile(rf"<{TIME}>", re.ASCII)
OTHER_TAG = re.compile(r"<(?![\d-])[^<>]*>")
# Bounded digits: int() of a number of any length is slow, and an error beyond 4300 digits.
ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm|#\d{1,7}|#x[0-9a-f]{1,6});", re.IGNORECASE | re.ASCII)


def read(text: str) -> Timings:
    """Lines of a WebVTT file, with words where a cue has time tags. Notes, styles, regions and markup are left out."""
    draft = Draft()
    for cue in cues(text, draft):
        body = OTHER_TAG.sub("", "\n".join(takewhile(str.strip, cue.rows)))
        pieces = pieces_between(body, TIME_TAG, _seconds, cue.start, cue.end)
        words = [piece._replace(text=_unescape(one_row(piece.text))) for piece in words_of(pieces)]
        if len(pieces) > 1 or is_one_word(body):
            draft.add_words(words, cue.start, cue.end)
        else:
            draft.add(_unescape(without_blank_rows(body)), cue.start, cue.end)
    return draft.timings()


def write(timings: Timings) -> str:
    """A WebVTT file. The standard wants no tag at the start of a cue: there is none where the words show without it."""
    entries = ["WEBVTT\n"]
    for line in shown_lines(timings):
        start, end = extent(line)
        text = tagged(line.words, end, MILLISECONDS, _tag, _escape) if line.words else _escape(line.text)
        untagged = text.removeprefix(_tag(start))
        text = untagged if TIME_TAG.search(untagged) or is_one_word(untagged) else text
        entries.append(f"{timestamp(start, '.')} --> {timestamp(end, '.')}\n{without_blank_rows(text)}\n")
    return "\n".join(entries)


def _tag(seconds: float) -> str:
    return f"<{timestamp(seconds, '.')}>"


def _seconds(tag: re.Match[str]) -> float:
    return to_seconds(*tag.groups())


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _unescape(text: str) -> str:
    return ENTITY.sub(lambda entity: html.unescape(entity[0]), text)
