"""LRC: `[mm:ss.xx]text`, and A2 ("enhanced") with `<mm:ss.xx>` before each word and after the last one.

Nothing but starts is written in a plain file, so a line lasts until the next later stamp; an empty stamp ends it
earlier. That is also what becomes of a line without any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from math import inf
from operator import itemgetter
from typing import NamedTuple

from ...core.lyrics import Timings
from .clock import split_hours, to_seconds, to_units
from .draft import Draft, Piece, ends_of_starts
from .pieces import extent, pieces_between, tagged, words_of
from .text import one_row, rows, shown_lines

CENTISECONDS = 100

# A shorter pause than this is not worth a blank screen, which is what players make of an empty stamp.
PAUSE_SECONDS = 2.0

UNTIMED = "Rows without a time, left out"
BAD_OFFSET = "Offsets that are no number of milliseconds, ignored"

# Groups: sign, hours (only before mm:ss.xx), minutes, seconds, fraction (some old files have a colon before it).
TIME = r"(-?)(?:(\d{1,4}):(?=\d\d:\d\d\.))?(\d{1,9}):(\d{1,2})(?:[.:](\d{1,9}))?"
STAMP = re.compile(rf"\[{TIME}\]", re.ASCII)
WORD_TAG = re.compile(rf"[<\[]{TIME}[>\]]", re.ASCII)
OFFSET = re.compile(r"[+-]?\d{1,9}", re.ASCII)
TAG_NAME = re.compile(r"[a-z#]\w{0,31}", re.ASCII)

SIGNATURE = re.compile(
    r"^(?:\[-?\d{1,9}:\d|<\d{1,9}:\d|\[(?:ti|ar|al|au|by|re|ve|length|offset|la):)", re.ASCII | re.MULTILINE
)


class Content(NamedTuple):
    """What stands after the stamps of a row. words: their times are those of the repeat at `stamp`.

    end: the closing word tag, infinite where there is none.
    """

    text: str
    words: list[Piece]
    stamp: float
    end: float


def read(text: str) -> Timings:
    """Lines of an LRC file, with words where it has word tags; the offset is taken off every time.

    tags: as in the file, names in lower case. A repeat `[t1][t2]text` becomes two lines.
    """
    draft = Draft()
    tags: dict[str, str] = {}
    stamped: list[tuple[float, Content]] = []
    for row in map(str.strip, rows(text)):
        if contents := _contents(row):
            stamped += contents
        elif name := _tag_name(row):
            tags[name] = row[1:-1].partition(":")[2].strip()
        elif row:
            draft.repaired(UNTIMED)
    sooner = _offset_seconds(tags.pop("offset", "0"), draft)
    stamped.sort(key=itemgetter(0))
    ends = ends_of_starts([stamp for stamp, _ in stamped])
    for (stamp, content), end in zip(stamped, ends, strict=True):
        if content.text:  # an empty stamp only ends the line before it
            _add(draft, content, stamp, end, sooner)
    return draft.timings(tags.pop("la", "").lower(), tags)


def write_lines(timings: Timings) -> str:
    """A plain LRC file, to hundredths of a second."""
    return _written(timings, words=False)


def write_words(timings: Timings) -> str:
    """An A2 file. Where a pause follows a word, a tag after it says so."""
    return _written(timings, words=True)


def _contents(row: str) -> list[tuple[float, Content]]:
    """The row at each of its stamps; nothing for a row without a time."""
    stamps, position = [], 0
    while found := STAMP.match(row, position):
        stamps.append(_seconds(found))
        position = found.end()
    rest = row[position:]
    first_tag = WORD_TAG.search(rest)
    if not stamps and not rest.startswith("<"):
        return []
    if not first_tag:
        return [(stamp, Content(rest.strip(), [], stamp, inf)) for stamp in stamps]
    first = _seconds(first_tag)
    stamp = min(stamps or [first], key=lambda time: abs(time - first))
    pieces = pieces_between(rest, WORD_TAG, _seconds, stamp, inf)
    words = words_of(pieces)
    end = inf if pieces[-1].text.strip() else pieces[-1].start
    content = Content(rest if words else "", words, stamp, end)
    return [(time, content) for time in stamps or [first]]


def _add(draft: Draft, content: Content, stamp: float, next_stamp: float, sooner: float) -> None:
    """Adds one repeat. All times are rounded to microseconds: shifted ones would carry noise otherwise."""
    shift = stamp - content.stamp - sooner
    start = round(stamp - sooner, 6)
    if not content.words:
        return draft.add(content.text, start, round(next_stamp - sooner, 6))
    last = content.words[-1].start + shift
    end = round(content.end + shift if content.end < inf else max(next_stamp - sooner, last), 6)
    words = (
        word._replace(start=round(word.start + shift, 6), end=min(round(word.end + shift, 6), end))
        for word in content.words
    )
    draft.add_words(list(words), start, end)


def _tag_name(row: str) -> str:
    """The name in a row `[name:value]`, "" for any other row."""
    name = row[1:].partition(":")[0].strip().lower()
    return name if row.startswith("[") and row.endswith("]") and TAG_NAME.fullmatch(name) else ""


def _offset_seconds(written: str, draft: Draft) -> float:
    """How much sooner everything is: a positive offset, in milliseconds, makes lyrics appear earlier."""
    if OFFSET.fullmatch(written):
        return int(written) / 1000
    draft.repaired(BAD_OFFSET)
    return 0.0


def _seconds(tag: re.Match[str]) -> float:
    return to_seconds(*tag.groups())


def _written(timings: Timings, words: bool) -> str:
    lines = shown_lines(timings)
    written = [f"[{name}:{one_row(value)}]" for name, value in _tags(timings)]
    extents = pairwise([*map(extent, lines), (inf, inf)])
    for line, ((start, end), (following, _)) in zip(lines, extents, strict=True):
        if words and line.words:
            text = tagged(line.words, end, CENTISECONDS, lambda time: f"<{_clock(time)}>", _in_a_row)
            written.append(f"[{_clock(start)}]{text}<{_clock(end)}>")
            continue
        written.append(f"[{_clock(start)}]{_in_a_row(line.text).strip()}")
        if following - end >= PAUSE_SECONDS and _clock(end) != _clock(start):
            written.append(f"[{_clock(end)}]")
    return "\n".join([*written, ""])


def _tags(timings: Timings) -> Iterator[tuple[str, str]]:
    if timings.language:
        yield "la", timings.language
    for name, value in timings.tags.items():
        if TAG_NAME.fullmatch(name) and name not in ("la", "offset"):
            yield name, value


def _clock(seconds: float) -> str:
    hours, minutes, whole, centi = split_hours(to_units(seconds, CENTISECONDS), CENTISECONDS)
    return f"{hours * 60 + minutes:02}:{whole:02}.{centi:02}"


def _in_a_row(text: str) -> str:
    """The text without newlines, and with what would be a time tag in parentheses."""
    return WORD_TAG.sub(lambda tag: f"({tag[0][1:-1]})", re.sub(r"\s+", " ", text))
