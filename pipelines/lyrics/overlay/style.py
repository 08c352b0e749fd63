"""What the text looks like and when it comes and goes. Sizes are shares, so one style fits every picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from PIL import ImageColor

from ...core.errors import InputError

RGB = tuple[float, float, float]  # each 0-1

Highlight = Literal["wipe", "word", "none"]
Position = Literal["bottom", "bottom left", "bottom right", "center", "left", "right", "top", "top left", "top right"]

MOST_LINES = 4
_PADDING = 0.3  # of the letters' size
_LEAST_EM = 1.0  # px; FreeType knows no smaller letters

# Field -> smallest and largest value.
_RANGES: dict[str, tuple[float, float]] = {
    "size": (0.01, 0.5),
    "stroke": (0, 0.3),
    "shadow": (0, 1),
    "box": (0, 1),
    "margin_x": (0, 0.45),
    "margin_y": (0, 0.45),
    "wrap": (0.1, 1),
    "lines": (1, MOST_LINES),
    "lead_in": (0, 60),
    "linger": (0, 60),
    "fade": (0, 10),
}


@dataclass(frozen=True)
class OverlayStyle:
    """How lines of text are laid over a picture.

    font: a TrueType or OpenType file; None: the one that comes with the pack. more_fonts: folders that are searched for
    characters it lacks, before the system's. size: of the letters (em), share of the picture's shorter side. stroke:
    width of the outline, share of the letters' size. shadow, box: opacity, 0 is none.

    position: where the lines are. margin_x, margin_y: what stays free at each edge, share of the width and the height.
    wrap: share of the width at which a line goes on in a further row (never into the margins).

    highlight: "wipe" fills each word with `sung` while it is sung; "word" shows the word being sung in `sung`; "none".
    lines: how many are shown, the one being sung and the next ones. lead_in: seconds that a line is shown before it
    begins, at most. linger: seconds that it stays after its end, at most. fade: seconds to appear and to vanish.
    """

    font: Path | None = None
    more_fonts: tuple[Path, ...] = ()
    size: float = 0.06
    text: RGB = (1.0, 1.0, 1.0)
    sung: RGB = (1.0, 0.8, 0.0)
    stroke: float = 0.08
    stroke_color: RGB = (0.0, 0.0, 0.0)
    shadow: float = 0.5
    box: float = 0.0
    box_color: RGB = (0.0, 0.0, 0.0)
    position: Position = "bottom"
    margin_x: float = 0.05
    margin_y: float = 0.06
    wrap: float = 0.9
    highlight: Highlight = "wipe"
    lines: int = 2
    lead_in: float = 4.0
    linger: float = 0.5
    fade: float = 0.2

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:  # NaN too
                raise InputError(
                    expected=f"`{name}` from {least:g} to {most:g}", got=f"{value:g}", next_step=f"Change `{name}`."
                )
        _check_choice("position", self.position, get_args(Position))
        _check_choice("highlight", self.highlight, get_args(Highlight))
        for name in ("text", "sung", "stroke_color", "box_color"):
            _check_colour(name, getattr(self, name))

    def em(self, width: int, height: int) -> float:
        """px, the size of the letters on a picture."""
        return max(self.size * min(width, height), _LEAST_EM)

    def padding(self, width: int, height: int) -> float:
        """px between the letters and the edge of their box; 0 without a box."""
        return _PADDING * self.em(width, height) if self.box > 0 else 0.0

    def room(self, width: int, height: int) -> tuple[float, float]:
        """(px of the widest row, px of all rows) that a line may take on a picture."""
        around = 2 * self.padding(width, height)
        return width * min(self.wrap, 1 - 2 * self.margin_x) - around, height * (1 - 2 * self.margin_y) - around


def colour(text: str) -> RGB:
    """RGB of "#rgb", "#rrggbb" or a name of CSS. Raises InputError."""
    try:
        red, green, blue = ImageColor.getrgb(text)[:3]
    except ValueError as error:
        raise InputError(
            expected="a colour such as #ffcc00 or gold", got=repr(text), next_step="Choose a colour."
        ) from error
    return red / 255, green / 255, blue / 255


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InputError(expected=f"`{name}` to be one of {', '.join(choices)}", got=value, next_step="Choose one.")


def _check_colour(name: str, value: RGB) -> None:
    if len(value) != 3 or not all(math.isfinite(part) and 0 <= part <= 1 for part in value):
        raise ValueError(f"`{name}` must be three numbers from 0 to 1, got {value}")
