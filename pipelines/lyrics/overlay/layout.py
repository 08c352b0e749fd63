"""From the text of a line to runs at their places: fonts, direction, rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from .bidi import levels, runs_right_to_left, visual_order
from .font_file import FontFile
from .fonts import FontBook, clusters
from .pen import Run
from .style import OverlayStyle
from .words import LineText
from .wrapping import is_space, may_part, row_width, rows

LINE_SPACING = 1.3  # of the letters' size, from row to row
_SHRINK = 0.97  # per step of the search for a size that fits
_LEAST_SIZE = 5.0  # px


@dataclass(frozen=True)
class Placed:
    """A run in its row. word: its number in the line. x: px from the block's left edge. width: px."""

    run: Run
    word: int
    row: int
    x: float
    width: float


@dataclass(frozen=True)
class Block:
    """A line of text as it is laid out. size: px of its letters. placed: in the order it is read. rows: how many.

    width, height: px that it takes; letters may reach a little beyond.
    """

    size: float
    placed: tuple[Placed, ...]
    rows: int
    width: float

    @property
    def row_height(self) -> float:
        return LINE_SPACING * self.size

    @property
    def height(self) -> float:
        return self.rows * self.row_height


@dataclass(frozen=True)
class _Glyph:
    """A cluster of characters, and what decides with which neighbours it is drawn."""

    text: str
    level: int
    word: int
    file: FontFile


@dataclass(frozen=True)
class _Piece:
    """A run before it has a place."""

    run: Run
    word: int
    level: int


@dataclass(frozen=True)
class _Part:
    """What is never torn apart, and the space after it. ends_row: a row the text itself asks for ends here."""

    pieces: tuple[_Piece, ...]
    space: tuple[_Piece, ...]
    ends_row: bool


def lay_out(line: LineText, style: OverlayStyle, book: FontBook, width: int, height: int) -> Block:
    """Wrap a line to the style's width on a picture of `width` x `height`.

    Where a single part is wider than a row, or the rows are higher than the picture between its margins, the letters of
    the whole line become smaller.
    """
    parts = list(_parts(line, book))
    size = style.em(width, height)
    wide, high = style.room(width, height)
    while True:
        measures = _Measures.of(parts, book, size)
        fitting = measures.fitting(wide, high)
        if fitting == 1 or size <= _LEAST_SIZE:
            return _placed(parts, measures, wide, style)
        size = max(size * fitting, _LEAST_SIZE)


@dataclass(frozen=True)
class _Measures:
    """px: the width of each part, and of the space after it, for letters of `size`. ends: parts that end a row."""

    size: float
    pieces: tuple[tuple[float, ...], ...]
    spaces: tuple[tuple[float, ...], ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, parts: list[_Part], book: FontBook, size: float) -> _Measures:
        def lengths(pieces: tuple[_Piece, ...]) -> tuple[float, ...]:
            return tuple(book.pen.length(piece.run, size) for piece in pieces)

        ends = tuple(index + 1 for index, part in enumerate(parts) if part.ends_row)
        pieces = tuple(lengths(part.pieces) for part in parts)
        return cls(size, pieces, tuple(lengths(part.space) for part in parts), ends)

    def rows(self, most: float) -> list[range]:
        """The parts in each row that is at most `most` px wide."""
        widths, gaps = self._widths()
        found: list[range] = []
        for start, stop in pairwise((0, *self.ends)):
            wrapped = rows(widths[start:stop], gaps[start:stop], most)
            found += [range(row.start + start, row.stop + start) for row in wrapped]
        return found

    def fitting(self, wide: float, high: float) -> float:
        """How many times smaller letters have to be (1: they fit), were widths exactly proportional to their size."""
        widths, gaps = self._widths()
        scale = 1.0
        while self.size * scale > _LEAST_SIZE:
            found = self.rows(wide / scale)
            widest = max((row_width(row, widths, gaps) for row in found), default=0.0)
            if widest * scale <= wide and len(found) * LINE_SPACING * self.size * scale <= high:
                break
            scale *= _SHRINK
        return scale

    def _widths(self) -> tuple[list[float], list[float]]:
        return [sum(part) for part in self.pieces], [sum(space) for space in self.spaces]


def _parts(line: LineText, book: FontBook) -> Iterator[_Part]:
    start = 0
    for text in line.text.split("\n"):
        parts = _torn(_glyphs(line, start, text, book))
        for number, part in enumerate(parts, 1):
            inked = [glyph for glyph in part if not is_space(glyph.text)]
            space = [glyph for glyph in part if is_space(glyph.text)]
            yield _Part(_pieces(inked), _pieces(space), number == len(parts))
        start += len(text) + 1


def _glyphs(line: LineText, start: int, text: str, book: FontBook) -> list[_Glyph]:
    """The clusters of `text`, which begins at character `start` of the line."""
    level = levels(text, runs_right_to_left(text))
    numbers = _word_numbers(line, start, len(text))
    glyphs, place = [], 0
    for cluster in clusters(text):
        glyphs.append(_Glyph(cluster, level[place], numbers[place], book.font_for(cluster)))
        place += len(cluster)
    return glyphs


def _word_numbers(line: LineText, start: int, count: int) -> list[int]:
    """The word of each of `count` characters from `start` on."""
    numbers = [0] * count
    for number, word in enumerate(line.words):
        for place in range(max(word.start - start, 0), min(word.stop - start, count)):
            numbers[place] = number
    return numbers


def _torn(glyphs: list[_Glyph]) -> list[list[_Glyph]]:
    """Torn wherever a row may end."""
    parts: list[list[_Glyph]] = [glyphs[:1]] if glyphs else []
    for before, after in pairwise(glyphs):
        if may_part(before.text, after.text, before.word != after.word):
            parts.append([])
        parts[-1].append(after)
    return parts


def _pieces(glyphs: list[_Glyph]) -> tuple[_Piece, ...]:
    """As few as can be drawn in one go each."""
    pieces = []
    for (level, word, _), group in groupby(glyphs, lambda glyph: (glyph.level, glyph.word, glyph.file.path)):
        members = list(group)
        text = "".join(glyph.text for glyph in members)
        pieces.append(_Piece(Run(text, members[0].file, level % 2 == 1), word, level))
    return tuple(pieces)


def _placed(parts: list[_Part], measures: _Measures, wide: float, style: OverlayStyle) -> Block:
    found = measures.rows(wide)
    widths = [_row_pieces(parts, measures, row) for row in found]
    widest = max((sum(width for _, width in pieces) for pieces in widths), default=0.0)
    side = 0.0 if "left" in style.position else 1.0 if "right" in style.position else 0.5
    placed: list[Placed] = []
    for number, pieces in enumerate(widths):
        x = side * (widest - sum(width for _, width in pieces))
        places = [0.0] * len(pieces)
        for index in visual_order([piece.level for piece, _ in pieces]):
            places[index] = x
            x += pieces[index][1]
        placed += [
            Placed(piece.run, piece.word, number, at, width) for (piece, width), at in zip(pieces, places, strict=True)
        ]
    return Block(measures.size, tuple(placed), len(found), widest)


def _row_pieces(parts: list[_Part], measures: _Measures, row: range) -> list[tuple[_Piece, float]]:
    """The pieces of a row in the order they are read, with their widths; no space at its end."""
    pieces: list[tuple[_Piece, float]] = []
    for index in row:
        pieces += zip(parts[index].pieces, measures.pieces[index], strict=True)
        if index < row[-1]:
            pieces += zip(parts[index].space, measures.spaces[index], strict=True)
    return pieces
