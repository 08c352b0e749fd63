"""Which font draws which character: the chosen one, the pack's own, then whatever the machine has."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from ...core.errors import InputError
from .font_file import SUFFIXES, FontFile, is_silent, read_font
from .pen import Pen
from .style import OverlayStyle
from .system_fonts import best_first, emoji_first, font_paths, system_folders

log = logging.getLogger(__name__)

BUILT_IN = Path(__file__).parent / "font" / "DejaVuSans-Bold.ttf"

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_PICTURES = range(0x1F000, 0x1FB00)
_JOINER, _AS_PICTURE, _AS_TEXT = "\u200d", "\ufe0f", "\ufe0e"

# Scripts whose letters change places or shapes beyond what is done here without raqm: South and South-East Asia, and
# the joined ones other than Arabic.
_NEED_RAQM = (range(0x0700, 0x0E00), range(0x0F00, 0x10A0), range(0x1780, 0x1880), range(0x1A20, 0x1C50))
_MOST_NAMED = 12  # characters that a note names


def clusters(text: str) -> list[str]:
    """What is drawn as one: a character with its marks, joiners, skin tone; both letters of a flag."""
    found: list[str] = []
    for character in text:
        if found and _belongs(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _belongs(cluster: str, character: str) -> bool:
    code = ord(character)
    if code in _FLAG_LETTERS:
        return len(cluster) == 1 and ord(cluster) in _FLAG_LETTERS
    is_mark = unicodedata.category(character)[0] == "M" or is_silent(character) or code in _SKIN_TONES
    return (is_mark or cluster[-1] == _JOINER) and not cluster.isspace()


def is_emoji(cluster: str) -> bool:
    """Whether it is shown as a coloured picture where there is a font for it."""
    return _AS_TEXT not in cluster and (_AS_PICTURE in cluster or ord(cluster[0]) in _PICTURES)


class FontBook:
    """Finds a font for every cluster of characters, and remembers what no font has."""

    def __init__(self, style: OverlayStyle, language: str = "", pen: Pen | None = None) -> None:
        """language: ISO 639-1 or "" (Chinese and Japanese write some characters differently).

        Raises InputError when the style's font cannot be used. The system is searched only when a character is missing.
        """
        self.pen = pen or Pen(language)
        self._language = language
        self._folders = style.more_fonts, system_folders()  # the user's own before all others
        chosen = () if style.font is None else (_chosen(style.font, self.pen),)
        self._own = (*chosen, read_font(BUILT_IN))
        self._known: dict[str, FontFile] = {}
        self._missing: dict[str, None] = {}
        self._unshaped: dict[str, None] = {}

    @property
    def first(self) -> FontFile:
        """The font that gives the rows their height."""
        return self._own[0]

    def font_for(self, cluster: str) -> FontFile:
        """The first font that draws all of `cluster`; where none does, the first font, which shows a box."""
        if cluster not in self._known:
            self._known[cluster] = self._find(cluster)
            self._look_at_script(cluster)
        return self._known[cluster]

    def notes(self) -> tuple[str, ...]:
        """What the user should know, complete once all text was laid out."""
        notes = []
        if self._missing:
            named = " ".join([*self._missing][:_MOST_NAMED]) + (" ..." if len(self._missing) > _MOST_NAMED else "")
            notes.append(
                f"No font here has these characters; they are shown as boxes: {named}. Put a font that has them into "
                "models/fonts."
            )
        if self._unshaped:
            notes.append(
                f"{', '.join(self._unshaped)}: drawn letter by letter, without joining or reordering, because this "
                "Pillow has no raqm (it needs the library FriBiDi)."
            )
        return tuple(notes)

    def _find(self, cluster: str) -> FontFile:
        if all(is_silent(character) or character.isspace() for character in cluster):
            return self.first
        found = next((file for file in self._in_order(cluster) if file.draws(cluster) and self._opens(file)), None)
        if found is None:
            self._missing[cluster] = None
        return found or self.first

    def _in_order(self, cluster: str) -> Iterator[FontFile]:
        if is_emoji(cluster):
            yield from (file for file in _readable(self._emoji_paths) if file.in_colour)
        yield from self._own
        yield from _readable(self._other_paths)

    @cached_property
    def _paths(self) -> list[list[Path]]:
        return [font_paths(folders) for folders in self._folders]

    @cached_property
    def _emoji_paths(self) -> list[Path]:
        return [path for paths in self._paths for path in emoji_first(paths)]

    @cached_property
    def _other_paths(self) -> list[Path]:
        return [path for paths in self._paths for path in best_first(paths, self._language)]

    def _opens(self, file: FontFile) -> bool:
        try:
            self.pen.check(file)
        except InputError as error:
            log.debug("passed over: %s", error)
            return False
        return True

    def _look_at_script(self, cluster: str) -> None:
        if not self.pen.shapes and any(ord(cluster[0]) in block for block in _NEED_RAQM):
            self._unshaped[unicodedata.name(cluster[0], "?").split()[0].title()] = None


def _readable(paths: list[Path]) -> Iterator[FontFile]:
    for path in paths:
        try:
            yield read_font(path)
        except InputError as error:
            log.debug("passed over: %s", error)


def _chosen(path: Path, pen: Pen) -> FontFile:
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            expected=f"a font file ({', '.join(SUFFIXES)})", got=path.name, next_step="Choose another font."
        )
    file = read_font(path)
    pen.check(file)
    return file
