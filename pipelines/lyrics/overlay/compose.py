"""What is laid over the picture at a time: the lines shown then, sung up to that moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.lyrics import Timings
from ...core.types import Rect
from .fonts import FontBook
from .layout import Block, lay_out
from .schedule import Cue, schedule
from .sprites import HEM, Floats, Sprite, draw
from .stacking import tops
from .style import MOST_LINES, OverlayStyle
from .sweeps import Sweep, paint, sweeps
from .words import line_text

_LINE_GAP = 0.2  # of the letters' size, between two lines


@dataclass(frozen=True)
class Patch:
    """rgb: float32 [h, w, 3], 0-1, to be laid over `rect` through alpha: float32 [h, w], above 0. To be read only."""

    rect: Rect
    rgb: Floats
    alpha: Floats


@dataclass(frozen=True)
class _Shown:
    sprite: Sprite
    sweeps: tuple[Sweep, ...]


class Overlay:
    """The lines of a song over pictures of `width` x `height` px. Lays everything out at once, draws when asked."""

    def __init__(
        self,
        timings: Timings,
        style: OverlayStyle,
        width: int,
        height: int,
        book: FontBook | None = None,
        white: float = 1.0,
    ) -> None:
        """book: None for the fonts that the style names. white: what 1 in a colour of the style becomes in a patch.

        Raises InputError when the style's font cannot be used.
        """
        self._style = style
        self._white = white
        self._width = width
        self._padding = style.padding(width, height)
        self._book = book or FontBook(style, timings.language)
        seen = [(line, text) for line in timings.lines if (text := line_text(line)).text]
        lines = [line for line, _ in seen]
        self._texts = [text for _, text in seen]
        self._blocks = [lay_out(text, style, self._book, width, height) for text in self._texts]
        self._plan = schedule(lines, style)
        heights = [block.height + 2 * self._padding for block in self._blocks]
        self._tops = tops(self._plan, heights, _LINE_GAP * style.em(width, height), style, height)
        self._shown = lru_cache(maxsize=MOST_LINES)(self._draw)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the fonts."""
        return self._book.notes()

    def at(self, seconds: float) -> Patch | None:
        """What is laid over a frame that is shown from `seconds` on; None where there is no text.

        All lines are one patch, because a picture is copied once for each patch laid over it.
        """
        cues = [(cue, _visible(cue, seconds, self._style.fade)) for cue in self._plan.at(seconds)]
        lines = [(self._shown(cue), np.float32(visible)) for cue, visible in cues if visible > 0]
        if not lines:
            return None
        rect = _around([shown.sprite for shown, _ in lines])
        patch = Patch(rect, np.zeros((rect.height, rect.width, 3), np.float32), np.full((rect.height, rect.width), HEM))
        for shown, visible in lines:
            _add(patch, shown, visible, seconds)
        return patch

    def _draw(self, cue: Cue) -> _Shown:
        block, top = self._blocks[cue.line], self._tops[cue] + self._padding
        left = self._left(block)
        sprite = draw(block, left, top, self._style, self._book, self._padding, self._white)
        moved = left - sprite.x, top - sprite.y
        return _Shown(sprite, sweeps(block, self._texts[cue.line].words, self._style.highlight, moved, sprite))

    def _left(self, block: Block) -> float:
        """px of the text's left edge."""
        margin = self._style.margin_x * self._width + self._padding
        if "left" in self._style.position:
            return margin
        if "right" in self._style.position:
            return self._width - margin - block.width
        return (self._width - block.width) / 2


def _visible(cue: Cue, seconds: float, fade: float) -> float:
    """0-1: how far a line has appeared, or has not vanished yet."""
    if fade == 0:
        return 1.0
    return min((seconds - cue.appear) / fade, (cue.leave - seconds) / fade, 1.0)


def _around(sprites: Sequence[Sprite]) -> Rect:
    right = max(sprite.x + sprite.alpha.shape[1] for sprite in sprites)
    bottom = max(sprite.y + sprite.alpha.shape[0] for sprite in sprites)
    return Rect(min(sprite.x for sprite in sprites), min(sprite.y for sprite in sprites), right, bottom)


def _add(patch: Patch, shown: _Shown, visible: np.float32, seconds: float) -> None:
    """Draw a line into a patch that is being made."""
    sprite = shown.sprite
    x, y = sprite.x - patch.rect.x0, sprite.y - patch.rect.y0
    height, width = sprite.alpha.shape
    rgb, alpha = patch.rgb[y : y + height, x : x + width], patch.alpha[y : y + height, x : x + width]
    if alpha.max() <= HEM:  # nearly always: lines stand one above the other
        paint(rgb, sprite, shown.sweeps, seconds)
        np.multiply(sprite.alpha, visible, out=alpha)
    else:
        line = np.empty_like(rgb)
        paint(line, sprite, shown.sweeps, seconds)
        rgb[:], alpha[:] = _over(line, visible * sprite.alpha, rgb, alpha)


def _over(rgb: Floats, alpha: Floats, under: Floats, under_alpha: Floats) -> tuple[Floats, Floats]:
    """One colour over another, neither multiplied by its alpha (Porter and Duff, 1984)."""
    seen = under_alpha * (1 - alpha)
    total = alpha + seen
    mixed: Floats = np.divide(alpha[..., None] * rgb + seen[..., None] * under, total[..., None])
    return mixed, total
