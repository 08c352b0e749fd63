"""Measures and draws runs of text with Pillow: with raqm where it is there, else with what Unicode itself tells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypedDict
from unicodedata import category

from PIL import Image, ImageDraw, ImageFont, features

from ...core.errors import InputError
from .arabic import shaped
from .bidi import mirrored
from .font_file import FontFile, is_silent

# ppem of the bitmaps in fonts that have only those: Apple Color Emoji, Noto Color Emoji and its relatives.
_STRIKES = (160, 137, 136, 128, 109, 96, 72, 64, 48, 32, 20)
_TRIAL_SIZE = 40.0


@dataclass(frozen=True)
class Run:
    """Characters that are drawn in one go. text: in the order they are read."""

    text: str
    file: FontFile
    right_to_left: bool


@dataclass(frozen=True)
class _Sized:
    """font: as FreeType has it. scale: from its pixels to those of the picture."""

    font: ImageFont.FreeTypeFont
    scale: float


class _ForRaqm(TypedDict, total=False):
    """Arguments that Pillow takes only when it has raqm."""

    direction: str
    language: str


class Pen:
    """shapes: whether raqm joins and reorders letters. Baselines and x positions may be between pixels."""

    def __init__(self, language: str = "", shapes: bool | None = None) -> None:
        """language: ISO 639-1 or "". shapes: None for what this Pillow can."""
        self.shapes = features.check("raqm") if shapes is None else shapes
        self._language = language

    def check(self, file: FontFile) -> None:
        """Raise InputError when FreeType cannot use the font."""
        self._sized(file, _TRIAL_SIZE)

    def extent(self, file: FontFile, size: float) -> tuple[float, float]:
        """px above and below the baseline that the font's letters of `size` px take."""
        sized = self._sized(file, size)
        above, below = sized.font.getmetrics()
        return above * sized.scale, below * sized.scale

    def length(self, run: Run, size: float) -> float:
        """px from the start of the run to where the next one starts."""
        sized = self._sized(run.file, size)
        text, how = self._as_drawn(run)
        return sized.font.getlength(text, **how) * sized.scale

    def draw(self, on: ImageDraw.ImageDraw, x: float, baseline: float, run: Run, size: float, stroke: int) -> None:
        """Add the run to a mask ("L"), its left end at `x`. stroke: px around it that are filled too."""
        text, how = self._as_drawn(run)
        on.text((x, baseline), text, 255, self._sized(run.file, size).font, "ls", stroke_width=stroke, **how)

    def draw_in_colour(self, on: Image.Image, x: float, baseline: float, run: Run, size: float) -> None:
        """Lay a run of a font in colour over a picture ("RGBA")."""
        sized = self._sized(run.file, size)
        text, how = self._as_drawn(run)
        left, top, right, bottom = sized.font.getbbox(text, anchor="ls", **how)
        if right <= left or bottom <= top:
            return
        large = Image.new("RGBA", (round(right - left), round(bottom - top)))
        ImageDraw.Draw(large).text((-left, -top), text, (0, 0, 0, 255), sized.font, "ls", embedded_color=True, **how)
        scaled = max(1, round(large.width * sized.scale)), max(1, round(large.height * sized.scale))
        place = round(x + left * sized.scale), round(baseline + top * sized.scale)
        on.paste(large.resize(scaled, Image.Resampling.LANCZOS), place)

    def _as_drawn(self, run: Run) -> tuple[str, _ForRaqm]:
        """What Pillow is given: text as it is read, and its direction, for raqm; else text as it is seen."""
        if not self.shapes:
            return _seen(run), {}
        how: _ForRaqm = {"direction": "rtl" if run.right_to_left else "ltr"}
        if self._language:
            how["language"] = self._language
        return run.text, how

    def _sized(self, file: FontFile, size: float) -> _Sized:
        return _sized(file.path, file.in_colour, size, self.shapes)


@lru_cache(maxsize=128)
def _sized(path: Path, in_colour: bool, size: float, shapes: bool) -> _Sized:
    engine = ImageFont.Layout.RAQM if shapes else ImageFont.Layout.BASIC
    problem = ""
    for possible in (size, *(_STRIKES if in_colour else ())):
        try:
            font = ImageFont.truetype(str(path), possible, layout_engine=engine)
        except OSError as error:
            problem = str(error)
        else:
            return _Sized(font, size / possible)
    raise InputError(
        expected="a font that FreeType can use", got=f"{path.name}: {problem}", next_step="Choose another font."
    )


def _seen(run: Run) -> str:
    """The characters from left to right, Arabic in its joined forms, nothing that is never drawn."""
    text = run.text
    if run.right_to_left:
        joined = shaped(text)
        text = mirrored(joined if run.file.draws(joined) else text)
    kept = [character for character in text if not is_silent(character)]
    return "".join(reversed(_with_marks(kept)) if run.right_to_left else kept)


def _with_marks(characters: list[str]) -> list[str]:
    """Characters, each with the marks that follow it."""
    found: list[str] = []
    for character in characters:
        if found and category(character) == "Mn":
            found[-1] += character
        else:
            found.append(character)
    return found
