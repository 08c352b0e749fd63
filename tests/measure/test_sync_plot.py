"""What is drawn where."""

from __future__ import annotations

import numpy as np
from lipsync_studio.pipelines.measure.sync_plot import HEIGHT, RESULT_COLOUR, SOURCE_COLOUR, WIDTH, Curve, plot
from numpy.typing import NDArray

SHADE = (205, 205, 205)


def curve(start: float, end: float, confidence: float, offset: float, colour: tuple[int, int, int]) -> Curve:
    seconds = np.linspace(start, end, 20)
    return Curve(seconds, np.full(20, confidence), np.full(20, offset), colour)


def rows_of(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """Rows of the diagrams that show much of a colour."""
    return np.flatnonzero((picture[40:] == colour).all(axis=2).sum(axis=1) > 100) + 40


def test_higher_confidence_is_higher_and_a_late_sound_is_lower() -> None:
    curves = [curve(0, 8, 8.0, 0.0, SOURCE_COLOUR), curve(0, 8, 4.0, -5.0, RESULT_COLOUR)]
    picture = np.asarray(plot(8.0, curves, [], [("source", SOURCE_COLOUR), ("result", RESULT_COLOUR)]))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    source, result = rows_of(picture, SOURCE_COLOUR), rows_of(picture, RESULT_COLOUR)
    for half in (slice(None, 3), slice(-3, None)):  # the upper diagram, the lower one
        assert source[half].mean() < result[half].mean()
    assert len(source) == len(result) == 6  # two lines, three px each


def test_cutaways_are_shaded() -> None:
    picture = np.asarray(plot(10.0, [curve(0, 4, 5.0, 0.0, RESULT_COLOUR)], [(4.0, 6.0)], []))
    shaded = np.flatnonzero((picture[100] == SHADE).all(axis=1))
    inner = WIDTH - 64 - 20
    assert abs(shaded.min() - (64 + 0.4 * inner)) <= 1
    assert abs(shaded.max() - (64 + 0.6 * inner)) <= 1


def test_nothing_to_draw_is_an_empty_diagram() -> None:
    picture = plot(0.0, [], [], [("result: nothing to score", RESULT_COLOUR)])
    assert picture.size == (WIDTH, HEIGHT)
