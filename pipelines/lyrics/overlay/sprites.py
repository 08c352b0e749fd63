"""A line drawn once: as it looks before and after it is sung, and how much of the picture it covers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .fonts import FontBook
from .layout import Block
from .style import RGB, OverlayStyle

Floats = NDArray[np.float32]

# Shares of the letters' size.
_SHADOW_OFFSET = 0.05
_SHADOW_BLUR = 0.06
_OVERHANG = 0.5  # that letters may reach out of their row
_BOX_RADIUS = 0.25

# A coverage that changes no value but is not 0. A picture keeps the colour of every chroma sample that also reaches a
# pixel of mask 0; this hem lets the colour change at the letters' edges too, by its share.
HEM = np.float32(1e-30)
_HEM_WIDTH = 3  # px: at 4:2:0 a chroma sample reaches no farther
_INK = 1 / 510  # coverage that rounds to no step of 8 bits


@dataclass(frozen=True)
class Sprite:
    """x, y: px of its corner in the picture. before, after: float32 RGB [h, w, 3], 0-1, not sung yet and sung.

    alpha: float32 [h, w], from `HEM` to 1, the same for both.
    """

    x: int
    y: int
    before: Floats
    after: Floats
    alpha: Floats


@dataclass(frozen=True)
class _Layer:
    """Colour not multiplied by alpha. rgb: [3] or [h, w, 3]. alpha: [h, w]."""

    rgb: Floats | RGB
    alpha: Floats

    def part(self, rows: slice, columns: slice) -> _Layer:
        """The layer without what lies around."""
        rgb = self.rgb[rows, columns] if isinstance(self.rgb, np.ndarray) else self.rgb
        return _Layer(rgb, self.alpha[rows, columns])


def draw(block: Block, x: float, y: float, style: OverlayStyle, book: FontBook, padding: float, white: float) -> Sprite:
    """Draw a line whose text begins at (x, y) px of the picture. padding: px from the text to the edge of its box.

    white: what 1 in a colour becomes.
    """
    reach = _reach(block, style, padding)
    left, top = math.floor(x) - reach, math.floor(y) - reach
    size = math.ceil(x + block.width) + reach - left, math.ceil(y + block.height) + reach - top
    letters, ink, pictures = _masks(block, x - left, y - top, size, style, book)
    under = [_Layer((0.0, 0.0, 0.0), style.shadow * _shadow(np.maximum(ink, pictures.alpha), block.size))]
    if style.box > 0:
        under.insert(0, _Layer(style.box_color, style.box * _box(block, x - left, y - top, size, padding)))
    if style.stroke > 0:  # else the soft edges of the letters would have a seam
        under.append(_Layer(style.stroke_color, ink))
    layers = [*under, _Layer(style.text, letters), pictures]
    rows, columns = _inked(np.maximum.reduce([layer.alpha for layer in layers]))
    *under, text, pictures = (layer.part(rows, columns) for layer in layers)
    base = _flattened(under)
    looks = []
    for fill in (style.text, style.sung):
        rgb, alpha = _flattened([_Layer(fill, text.alpha), pictures], base)
        outer = style.stroke_color if style.stroke > 0 else fill
        looks.append(np.float32(white) * _not_multiplied(rgb, alpha, outer))
    return Sprite(left + columns.start, top + rows.start, looks[0], looks[1], np.maximum(alpha, HEM))


def _reach(block: Block, style: OverlayStyle, padding: float) -> int:
    """px around the text that anything is drawn in."""
    shadow = _SHADOW_OFFSET + 3 * _SHADOW_BLUR if style.shadow > 0 else 0.0
    return math.ceil(max((style.stroke + shadow + _OVERHANG) * block.size, padding)) + _HEM_WIDTH


def _masks(
    block: Block, x: float, y: float, size: tuple[int, int], style: OverlayStyle, book: FontBook
) -> tuple[Floats, Floats, _Layer]:
    """Coverage [h, w] of the letters, of the letters with their outline, and the emoji."""
    letters, outlined = Image.new("L", size), Image.new("L", size)
    pictures = Image.new("RGBA", size)
    fill, outline = ImageDraw.Draw(letters), ImageDraw.Draw(outlined)
    stroke = round(style.stroke * block.size)
    above, below = book.pen.extent(book.first, block.size)
    for item in block.placed:
        baseline = round(y + (item.row + 0.5) * block.row_height + (above - below) / 2)
        if item.run.file.in_colour:
            book.pen.draw_in_colour(pictures, x + item.x, baseline, item.run, block.size)
            continue
        book.pen.draw(fill, x + item.x, baseline, item.run, block.size, 0)
        if stroke > 0:
            book.pen.draw(outline, x + item.x, baseline, item.run, block.size, stroke)
    inside = _floats(letters)
    coloured = _floats(pictures)
    return inside, np.maximum(inside, _floats(outlined)), _Layer(coloured[..., :3], coloured[..., 3])


def _shadow(ink: Floats, size: float) -> Floats:
    """Coverage [h, w] of the shadow of what is drawn: a little lower, to the right, and soft."""
    offset = max(1, round(_SHADOW_OFFSET * size))
    moved = np.zeros_like(ink)
    moved[offset:, offset:] = ink[:-offset, :-offset]
    picture = Image.fromarray(np.rint(moved * 255).astype(np.uint8))
    return _floats(picture.filter(ImageFilter.GaussianBlur(_SHADOW_BLUR * size)))


def _box(block: Block, x: float, y: float, size: tuple[int, int], padding: float) -> Floats:
    box = Image.new("L", size)
    left, top = x - padding, y - padding
    right, bottom = x + block.width + padding - 1, y + block.height + padding - 1  # the last pixel is inside
    corners = left, top, max(left, right), max(top, bottom)
    ImageDraw.Draw(box).rounded_rectangle(corners, _BOX_RADIUS * block.size, 255)
    return _floats(box)


def _flattened(layers: list[_Layer], base: tuple[Floats, Floats] | None = None) -> tuple[Floats, Floats]:
    """All layers, the lowest first, over `base`: RGB [h, w, 3] multiplied by alpha, and alpha [h, w]."""
    shape = layers[0].alpha.shape
    rgb, alpha = base or (np.zeros((*shape, 3), np.float32), np.zeros(shape, np.float32))
    for layer in layers:
        over = layer.alpha[..., None]
        rgb = rgb * (1 - over) + over * np.asarray(layer.rgb, np.float32)
        alpha = alpha + layer.alpha * (1 - alpha)
    return rgb, alpha


def _not_multiplied(rgb: Floats, alpha: Floats, outer: RGB) -> Floats:
    """RGB divided by alpha. outer: the colour where nothing is drawn, with which neighbours may be averaged."""
    drawn = alpha > _INK
    result: Floats = np.divide(rgb, np.where(drawn, alpha, np.float32(1))[..., None])
    result[~drawn] = outer
    return result


def _inked(alpha: Floats) -> tuple[slice, slice]:
    """Rows and columns that hold all that is drawn, and the hem; at least one of each."""
    return _span(alpha.max(axis=1) > _INK), _span(alpha.max(axis=0) > _INK)


def _span(drawn: NDArray[np.bool_]) -> slice:
    places = np.flatnonzero(drawn)
    if len(places) == 0:
        return slice(0, 1)
    return slice(max(int(places[0]) - _HEM_WIDTH, 0), min(int(places[-1]) + 1 + _HEM_WIDTH, len(drawn)))


def _floats(picture: Image.Image) -> Floats:
    return np.asarray(picture, np.float32) / np.float32(255)
