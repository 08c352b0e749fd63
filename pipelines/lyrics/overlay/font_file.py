"""What is inside a font file: which characters it draws, and whether in colour.

Layouts are those of the OpenType specification: "Organization of an OpenType Font", "cmap", "COLR".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO
from unicodedata import category

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError

SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")

_SIGNATURES = (b"\0\1\0\0", b"OTTO", b"true")
_LONGEST_TABLE = 1 << 24  # bytes; a cmap of all of Unicode is far smaller
_UNICODE = frozenset({(0, 3), (0, 4), (0, 6), (3, 1), (3, 10)})  # (platform, encoding) of tables that we read


@dataclass(frozen=True, eq=False)
class FontFile:
    """A font, whatever its size. codes: int64, sorted: the characters it draws. in_colour: its pictures are emoji."""

    path: Path
    codes: NDArray[np.int64]
    in_colour: bool

    def draws(self, cluster: str) -> bool:
        """Whether it has every character of `cluster` that leaves ink or has a width of its own."""
        return all(self._has(ord(character)) for character in cluster if not is_silent(character))

    def _has(self, code: int) -> bool:
        place = int(np.searchsorted(self.codes, code))
        return place < len(self.codes) and int(self.codes[place]) == code


def is_silent(character: str) -> bool:
    """Joiners, direction marks and variation selectors: they change others and are never drawn."""
    return category(character) == "Cf" or 0xFE00 <= ord(character) <= 0xFE0F


@cache
def read_font(path: Path) -> FontFile:
    """The (first) font of a file. Raises InputError when it is none that can be drawn."""
    try:
        with path.open("rb") as file:
            tables = _tables(file)
            codes = _codes(_table(file, tables, b"cmap"))
            in_colour = b"CBDT" in tables or b"sbix" in tables or _has_layers(file, tables)
            has_outlines = b"glyf" in tables or b"CFF " in tables or b"CFF2" in tables
    except (OSError, ValueError, struct.error) as error:
        raise _unusable(path, str(error)) from error
    if b"COLR" in tables and not in_colour:
        raise _unusable(path, "a colour font of version 1, which FreeType draws blank")
    if not (in_colour or has_outlines) or len(codes) == 0:
        raise _unusable(path, "a font without letters that can be drawn")
    return FontFile(path, codes, in_colour)


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        expected="a TrueType or OpenType font (.ttf, .otf, .ttc)",
        got=f"{path.name}: {why}",
        next_step="Choose another font.",
    )


def _tables(file: BinaryIO) -> dict[bytes, tuple[int, int]]:
    """Tag -> (offset, length) of every table of the first font."""
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12)
        (start,) = struct.unpack(">I", file.read(4))
    file.seek(start)
    signature, count = struct.unpack(">4sH6x", file.read(12))
    if signature not in _SIGNATURES:
        raise ValueError("not a font file")
    records = (struct.unpack(">4s4xII", file.read(16)) for _ in range(count))
    return {tag: (offset, length) for tag, offset, length in records}


def _table(file: BinaryIO, tables: dict[bytes, tuple[int, int]], tag: bytes) -> bytes:
    if tag not in tables:
        raise ValueError(f"no table {tag.decode()}")
    offset, length = tables[tag]
    file.seek(offset)
    return file.read(min(length, _LONGEST_TABLE))


def _has_layers(file: BinaryIO, tables: dict[bytes, tuple[int, int]]) -> bool:
    """Whether a COLR table has glyphs of version 0: coloured layers, which FreeType draws."""
    if b"COLR" not in tables:
        return False
    (glyphs,) = struct.unpack(">2xH", _table(file, tables, b"COLR")[:4])
    return glyphs > 0


def _codes(cmap: bytes) -> NDArray[np.int64]:
    """All characters of the Unicode tables in `cmap`, sorted."""
    (count,) = struct.unpack(">2xH", cmap[:4])
    found = [np.zeros(0, np.int64)]
    for index in range(count):
        platform, encoding, offset = struct.unpack(">HHI", cmap[4 + 8 * index : 12 + 8 * index])
        if (platform, encoding) in _UNICODE:
            found += _subtable(cmap[offset:])
    return np.unique(np.concatenate(found))


def _subtable(data: bytes) -> Iterator[NDArray[np.int64]]:
    """Characters of one table, in pieces. Formats 4 and 12 are the ones that fonts have for Unicode."""
    (version,) = struct.unpack(">H", data[:2])
    if version == 4:
        yield from _segments(data)
    elif version == 12:
        (groups,) = struct.unpack(">12xI", data[:16])
        rows = np.frombuffer(data, ">u4", 3 * groups, 16).reshape(-1, 3).astype(np.int64)
        for first, last, glyph in rows.tolist():
            codes = np.arange(first, min(last, 0x10FFFF) + 1)
            yield codes[int(glyph == 0) :]


def _segments(data: bytes) -> Iterator[NDArray[np.int64]]:
    """Format 4: segments of codes whose glyph is code + delta, or is looked up `offset` bytes after its own place."""
    (twice,) = struct.unpack(">6xH", data[:8])
    count = twice // 2
    words = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype(np.int64)
    ends, starts = words[7 : 7 + count], words[8 + count : 8 + 2 * count]
    deltas, offsets = words[8 + 2 * count : 8 + 3 * count], words[8 + 3 * count : 8 + 4 * count]
    for index, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        codes = np.arange(first, min(int(last), 0xFFFE) + 1)  # 0xFFFF closes the table
        glyphs = codes + delta
        if offset:
            places = 8 + 3 * count + index + offset // 2 + (codes - first)
            codes, places = codes[places < len(words)], places[places < len(words)]
            stored = words[places]
            glyphs = np.where(stored == 0, 0, stored + delta)
        yield codes[glyphs % 0x10000 != 0]
