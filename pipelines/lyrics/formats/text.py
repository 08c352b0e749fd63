"""Bytes to text, text to rows, and text that fits into one row."""

from __future__ import annotations

import codecs
import re

from ...core.errors import InputError
from ...core.lyrics import Line, Timings

# Five hours of speech in our JSON, which is the widest format.
MAX_BYTES = 5_000_000

# Control characters but tab and newline, and halves of surrogate pairs, which no file can hold.
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

SAVE_AS_UTF8 = "Open it in a text editor and save it as UTF-8."


def decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Text of a file, and notes for the user: UTF-8, UTF-16 with its mark, else Windows-1252, which is a guess.

    Raises InputError for a file that is too large, damaged, or not text.
    """
    if len(data) > MAX_BYTES:
        raise InputError(
            expected=f"a lyric or subtitle file of at most {MAX_BYTES // 1_000_000} MB",
            got=f"{len(data) / 1e6:.1f} MB",
            next_step="Check that this is the right file.",
        )
    try:
        text, notes = _decoded(data)
    except UnicodeDecodeError as error:
        raise InputError(
            expected="a text file in UTF-8, UTF-16 with its byte order mark, or Windows-1252",
            got=f"bytes that are none of these at position {error.start}",
            next_step=SAVE_AS_UTF8,
        ) from error
    if "\0" in text:
        raise InputError(expected="a text file", got="one with zero bytes in it", next_step=SAVE_AS_UTF8)
    return text, notes


def _decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16"), ()
    if data.startswith(codecs.BOM_UTF8):
        return data.decode("utf-8-sig"), ()
    try:
        return data.decode("utf-8"), ()
    except UnicodeDecodeError:
        guess = "The file is not UTF-8 and was read as Windows-1252. If letters are wrong, save it as UTF-8."
        return data.decode("cp1252"), (guess,)


def rows(text: str) -> list[str]:
    """The rows of a text, whichever newline it uses. Not str.splitlines: that also splits at what is no newline."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def one_row(text: str) -> str:
    """The text with a single space for every run of white space."""
    return " ".join(text.split())


def without_blank_rows(text: str) -> str:
    """The text with its newlines kept, for formats where a blank row ends it."""
    return "\n".join(filter(None, map(one_row, rows(text))))


def shown_lines(timings: Timings) -> list[Line]:
    """The lines that have a text; the others would be broken entries in most formats."""
    return [line for line in timings.lines if line.text.strip()]
