"""Every format there is, and how a file finds its own.

To add a format:
1. Write a module here with `read(text) -> Timings` and `write(timings) -> str`. The reader gathers what
   it finds in a `Draft`, which mends times and writes the notes; it raises InputError only when nothing can be made of
   the file. Give it a `SIGNATURE`, a pattern that is in every such file and in no file of another format.
2. Add it to `FORMATS` below, before any format whose signature it could be taken for.
3. Add it to the tables of tests/lyrics/test_formats.py and test_formats_hostile.py: the round trips, the hostile texts
   and the long fillings then run on it too.
4. Add its rules that others do not have to a test of its own, with a file written by another program as the example.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from ...core.errors import InputError
from ...core.lyrics import Timings
from . import ass, audacity, json_words, lrc, srt, vtt
from .text import decode

# What a written file gives back: the lines' times, the words' times too, or everything (confidence, source, notes).
Keeps = Literal["lines", "words", "everything"]


@dataclass(frozen=True)
class Format:
    """A way to write timings to a file and read them back.

    id: as programs name it. label: as people do. extension: without a dot. signature: tells a text of this format.
    """

    id: str
    label: str
    extension: str
    signature: re.Pattern[str]
    read: Callable[[str], Timings]
    write: Callable[[Timings], str]
    keeps: Keeps


_ALL = (
    Format("lrc", "LRC, lines", "lrc", lrc.SIGNATURE, lrc.read, lrc.write_lines, "lines"),
    Format("lrc_words", "LRC, words (A2)", "lrc", lrc.SIGNATURE, lrc.read, lrc.write_words, "words"),
    Format("vtt", "WebVTT", "vtt", vtt.SIGNATURE, vtt.read, vtt.write, "words"),
    Format("srt", "SRT", "srt", srt.SIGNATURE, srt.read, srt.write, "lines"),
    Format("ass", "ASS karaoke, words fill (\\kf)", "ass", ass.SIGNATURE, ass.read, ass.write_fill, "words"),
    Format("ass_steps", "ASS karaoke, words light up (\\k)", "ass", ass.SIGNATURE, ass.read, ass.write_steps, "words"),
    Format("json", "JSON", "json", json_words.SIGNATURE, json_words.read, json_words.write, "everything"),
    Format(
        "audacity", "Audacity labels, lines", "txt", audacity.SIGNATURE, audacity.read, audacity.write_lines, "lines"
    ),
    Format(
        "audacity_words",
        "Audacity labels, words",
        "txt",
        audacity.SIGNATURE,
        audacity.read,
        audacity.write_words,
        "words",
    ),
)

FORMATS = {form.id: form for form in _ALL}


def read_timings(data: bytes, name: str) -> Timings:
    """Timings of a file. name: its file name; where the extension does not fit, the content decides.

    Raises InputError for a file that is too large, not text, of no known format, or without a single timed line.
    """
    text, notes = decode(data)
    form = _format_of(text, PurePath(name).suffix.lower().removeprefix("."))
    timings = form.read(text)
    if not timings.lines:
        raise InputError(
            expected="a file with at least one timed line",
            got=" ".join([f"none in what was read as {form.label}.", *timings.notes]).removesuffix("."),
            next_step="Check that this is the right file.",
        )
    return replace(timings, notes=(*notes, *timings.notes))


def write_timings(timings: Timings, format_id: str) -> str:
    """The text of a file, to be saved as UTF-8. format_id: a key of `FORMATS`."""
    if format_id not in FORMATS:
        raise InputError(
            expected=f"one of the formats {', '.join(FORMATS)}", got=repr(format_id), next_step="Choose one of them."
        )
    return FORMATS[format_id].write(timings)


def _format_of(text: str, extension: str) -> Format:
    by_name = [form for form in _ALL if form.extension == extension]
    for form in (*by_name, *_ALL):
        if form.signature.search(text):
            return form
    raise InputError(
        expected=f"a file of one of these formats: {', '.join(form.label for form in _ALL)}",
        got="a text with the times of none of them",
        next_step="Check that the file holds times, or save it in one of these formats.",
    )
