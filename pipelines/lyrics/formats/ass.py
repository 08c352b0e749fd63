"""Advanced SubStation Alpha with karaoke: `{\\k50}word` is sung for 50 hundredths of a second.

Durations follow one another from the start of the line, so a pause is a silent `{\\k}`, and each duration is the
difference of two rounded times: they add up to the line exactly. By hand: pysubs2 1.8 knows no karaoke, ignores the
column order of the file, and one bad style or time costs the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...core.lyrics import Line, Timings
from .clock import split_hours, to_seconds, to_units
from .draft import UNREADABLE, Draft, Piece
from .pieces import extent, with_next_start, words_of
from .text import one_row, rows, shown_lines

CENTISECONDS = 100

SIGNATURE = re.compile(r"^[ \t]*\[(?:Script Info|V4\+? Styles|Events)\]", re.IGNORECASE | re.MULTILINE)

# Groups: sign, hours, minutes, seconds, fraction.
TIME = re.compile(r"\s*(-?)(\d{1,9}):(\d{1,2}):(\d{1,2})(?:[.:](\d{1,9}))?\s*", re.ASCII)
OVERRIDES = re.compile(r"\{([^{}]*)\}")
# Karaoke: \k, \K = \kf (filled), \ko (outlined), \kt (moves to a time of the line). \p1 begins a drawing, \p0 ends it.
OVERRIDE = re.compile(r"\\(k[fot]?|K|p)(\d{1,7})", re.ASCII)

COLUMNS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")

# Grey until sung, then white; lines without words are white.
HEADER = """[Script Info]
Title: {title}
ScriptType: v4.00+
WrapStyle: 0
ScaledBorderAndShadow: yes
PlayResX: 1280
PlayResY: 720

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,48,&H00FFFFFF,&H00A0A0A0,&H00000000,&H80000000,-1,0,0,0,100,100,0,0,1,2,1,2,40,40,40,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

# The format has no way to write these in a text: they begin and end what is not shown.
LOOKALIKES = str.maketrans({"{": "(", "}": ")", "\\": "/"})


def read(text: str) -> Timings:
    """Lines of an ASS or SSA file, with words where it has karaoke. tags: `ti`, the script's title.

    Comments and drawings are left out. Of a karaoke template's result the timed source is read (comments with the
    effect "karaoke"), not what it made (lines with the effect "fx").
    """
    draft = Draft()
    tags: dict[str, str] = {}
    columns: tuple[str, ...] = COLUMNS
    section = ""
    for row in rows(text):
        key, colon, value = row.partition(":")
        key = key.strip().lower()
        if row.lstrip().startswith("["):
            section = row.strip().lower()
        elif section == "[script info]" and key == "title" and value.strip():
            tags["ti"] = value.strip()
        elif section == "[events]" and key == "format":
            columns = tuple(name.strip().lower() for name in value.split(","))
        elif section == "[events]" and key in ("dialogue", "comment") and colon:
            _read_event(draft, columns, value.lstrip(), is_comment=key == "comment")
    return draft.timings(tags=tags)


def write_fill(timings: Timings) -> str:
    """An ASS file that fills each word from left to right (`\\kf`)."""
    return _written(timings, "kf")


def write_steps(timings: Timings) -> str:
    """An ASS file that lights up each word at once (`\\k`)."""
    return _written(timings, "k")


def _read_event(draft: Draft, columns: tuple[str, ...], value: str, is_comment: bool) -> None:
    fields = value.split(",", len(columns) - 1)
    if len(fields) < len(columns) or not {"start", "end", "text"} <= set(columns):
        return draft.repaired(UNREADABLE)
    effect = fields[columns.index("effect")].strip().lower() if "effect" in columns else ""
    if effect == "fx" or (is_comment and effect != "karaoke"):
        return None
    start, end = (TIME.fullmatch(fields[columns.index(name)]) for name in ("start", "end"))
    if not start or not end:
        return draft.repaired(UNREADABLE)
    times = draft.in_order(to_seconds(*start.groups()), to_seconds(*end.groups()))
    return _read_text(draft, fields[columns.index("text")], *times)


def _read_text(draft: Draft, text: str, start: float, end: float) -> None:
    """Adds a line. Text before the first karaoke tag is sung in no time at the start."""
    pieces, begin, duration, has_words, is_drawing = [], 0, 0, False, False
    for number, part in enumerate(OVERRIDES.split(text)):
        if number % 2 == 0:
            shown = "" if is_drawing else part.replace("\\N", "\n").replace("\\n", " ").replace("\\h", "\u00a0")
            first, last = (round(start + centi / CENTISECONDS, 6) for centi in (begin, begin + duration))
            pieces.append(Piece(shown, first, last))
            continue
        for tag, amount in OVERRIDE.findall(part):
            if tag == "p":
                is_drawing = amount != "0"
            elif tag == "kt":
                begin, duration = int(amount), 0
            else:
                begin, duration, has_words = begin + duration, int(amount), True
    if has_words:
        draft.add_words(words_of(pieces), start, end)
    else:
        draft.add("".join(piece.text for piece in pieces).strip(), start, end)


def _written(timings: Timings, tag: str) -> str:
    events = []
    for line in shown_lines(timings):
        start, end = (to_units(time, CENTISECONDS) for time in extent(line))
        text = "".join(_karaoke(line, start, end, tag)) if line.words else _escape(line.text)
        events.append(f"Dialogue: 0,{_clock(start)},{_clock(end)},Default,,0,0,0,,{text}\n")
    return HEADER.format(title=one_row(timings.tags.get("ti", ""))) + "".join(events)


def _karaoke(line: Line, start: int, end: int, tag: str) -> Iterator[str]:
    """Words and pauses with durations that add up to end - start. start, end: centiseconds."""
    now = start
    for word, following in with_next_start(line.words, end / CENTISECONDS):
        begin = to_units(word.start, CENTISECONDS)
        stop = to_units(min(word.end, following), CENTISECONDS)
        after = _escape(word.after) if word is not line.words[-1] else ""
        yield f"{{\\k{begin - now}}}" if begin > now else ""
        yield f"{{\\{tag}{stop - begin}}}{_escape(word.text)}{after}"
        now = stop
    if end > now:
        yield f"{{\\k{end - now}}}"


def _clock(centiseconds: int) -> str:
    hours, minutes, seconds, centi = split_hours(centiseconds, CENTISECONDS)
    return f"{hours}:{minutes:02}:{seconds:02}.{centi:02}"


def _escape(text: str) -> str:
    return "\\N".join(text.translate(LOOKALIKES).split("\n"))
