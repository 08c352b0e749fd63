"""The sync score over time, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .sync_scoring import SHIFTS

Colour: TypeAlias = tuple[int, int, int]

WIDTH: Final = 1024  # px
HEIGHT: Final = 576

RESULT_COLOUR: Final = (235, 120, 20)
SOURCE_COLOUR: Final = (60, 110, 190)
_PAPER, _INK, _GRID, _SHADE, _GOOD = (255, 255, 255), (40, 40, 40), (222, 222, 222), (205, 205, 205), (232, 244, 228)

_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 20, 44, 40  # px around the panels
_BETWEEN = 46  # px between them
_MOST_CONFIDENCE = 10.0  # the scale grows beyond it where needed
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600)  # s between labels
_MOST_LABELS = 12


@dataclass(frozen=True)
class Curve:
    """One unbroken line. seconds, confidence, offset: [k]. colour: of the clip it belongs to.
    weight: px."""

    seconds: NDArray[np.float64]
    confidence: NDArray[np.float64]
    offset: NDArray[np.float64]
    colour: Colour
    weight: int = 3


def plot(
    duration: float, curves: Sequence[Curve], gaps: Sequence[tuple[float, float]], titles: Sequence[tuple[str, Colour]]
) -> Image.Image:
    """RGB, 1024 x 576: confidence above, offset below, over `duration` seconds.

    gaps: (start, end) seconds that are shaded. titles: what the colours stand for, written above.
    """
    sheet = _Sheet(duration)
    peak = max((float(curve.confidence.max()) for curve in curves), default=0.0)
    half = (HEIGHT - _TOP - _BOTTOM - _BETWEEN) // 2
    upper = _Panel(sheet, _TOP, _TOP + half, 0.0, max(_MOST_CONFIDENCE, float(np.ceil(peak))))
    lower = _Panel(sheet, _TOP + half + _BETWEEN, HEIGHT - _BOTTOM, -SHIFTS - 1.0, SHIFTS + 1.0)
    lower.band(-1, 1, _GOOD)
    for panel, name, levels in (
        (upper, "confidence (LSE-C)", np.linspace(0, upper.high, 6).tolist()),
        (lower, "offset (frames of 40 ms; + sound ahead)", range(-15, 16, 5)),
    ):
        for start, end in gaps:
            panel.gap(start, end)
        panel.scale(name, levels)
    for curve in curves:
        upper.line(curve, curve.confidence)
        lower.line(curve, curve.offset)
    sheet.legend([*titles, *([("no face", _SHADE)] if gaps else [])])
    return sheet.image


class _Sheet:
    """The paper, and where a second lies on it."""

    def __init__(self, duration: float) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        self.draw = ImageDraw.Draw(self.image)
        self.font = ImageFont.load_default(size=15)
        self.duration = max(duration, 1e-3)
        self.step = next((tick for tick in _TICKS if self.duration / tick <= _MOST_LABELS), _TICKS[-1])

    def x(self, second: float) -> float:
        return _LEFT + second / self.duration * (WIDTH - _LEFT - _RIGHT)

    def legend(self, entries: Sequence[tuple[str, Colour]]) -> None:
        x = float(_LEFT)
        for text, colour in entries:
            self.draw.rectangle((x, 14, x + 22, 26), fill=colour)
            self.draw.text((x + 28, 20), text, _INK, self.font, anchor="lm")
            x += 28 + self.draw.textlength(text, self.font) + 26


class _Panel:
    """One diagram. top, bottom: px. low, high: the values there."""

    def __init__(self, sheet: _Sheet, top: int, bottom: int, low: float, high: float) -> None:
        self._sheet, self._top, self._bottom, self._low, self.high = sheet, top, bottom, low, high

    def band(self, low: float, high: float, colour: Colour) -> None:
        self._sheet.draw.rectangle((_LEFT, self._y(high), WIDTH - _RIGHT, self._y(low)), fill=colour)

    def gap(self, start: float, end: float) -> None:
        x0, x1 = self._sheet.x(start), self._sheet.x(end)
        self._sheet.draw.rectangle((x0, self._top, max(x1, x0 + 1), self._bottom), fill=_SHADE)

    def scale(self, name: str, levels: Sequence[float]) -> None:
        sheet, draw = self._sheet, self._sheet.draw
        for level in levels:
            y = self._y(level)
            draw.line((_LEFT, y, WIDTH - _RIGHT, y), _GRID)
            draw.text((_LEFT - 8, y), f"{level:g}", _INK, sheet.font, anchor="rm")
        for number in range(int(sheet.duration / sheet.step + 1e-6) + 1):
            x = sheet.x(number * sheet.step)
            draw.line((x, self._bottom, x, self._bottom + 4), _INK)
            draw.text((x, self._bottom + 7), f"{number * sheet.step:g} s", _INK, sheet.font, anchor="mt")
        draw.rectangle((_LEFT, self._top, WIDTH - _RIGHT, self._bottom), outline=_INK)
        draw.text((_LEFT + 8, self._top + 6), name, _INK, sheet.font)

    def line(self, curve: Curve, values: NDArray[np.float64]) -> None:
        points = [(self._sheet.x(x), self._y(y)) for x, y in zip(curve.seconds.tolist(), values.tolist(), strict=True)]
        self._sheet.draw.line(points, curve.colour, curve.weight, joint="curve")

    def _y(self, value: float) -> float:
        share = (min(max(value, self._low), self.high) - self._low) / (self.high - self._low)
        return self._bottom - share * (self._bottom - self._top)
