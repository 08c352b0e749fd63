"""Lyrics as people paste them, made into lines of words that can be compared with what is heard."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import accumulate
from unicodedata import category, normalize

from ...core.errors import InputError
from ..formats.pieces import SPACELESS
from ..formats.text import UNSHOWN, rows

# Letters of a line: five seconds of speech, and two rows on a screen. Longer rows are prose.
LONGEST_LINE = 84
_PHRASE_ENDS = tuple(".?!,;:\u2026\u3002\uff0c\uff1f\uff01\u060c\u061f")

# Twice what is spoken in an hour and a half.
MAX_WORDS = 20_000

HEADINGS = "Headings, comments and signs that are not sung, left out"
CUT = "Lines made of rows that are too long for one"
REPEATED = "Lines added because a mark such as x2 says that they are sung again"

_IN_BRACKETS = re.compile(r"\[[^\]]*(?:\]|$)|\{[^}]*(?:\}|$)")
_COMMENT = re.compile(r"\s*(?:#|//)")
# x2, (x2), [2x] at the end of a row.
_MARK = re.compile(r"[(\[]?\s*(?<!\w)(?:[x\u00d7]\s?([2-9])|([2-9])\s?[x\u00d7])\s*[)\]]?\s*$", re.IGNORECASE)
# What sheets write above a part: English, Spanish, French, German, Italian, Portuguese.
_HEADING = re.compile(
    r"(?:(?:repeat|pre|post|instrumental|intro|verse|vers|strophe|couplet|estrofa|verso|strofa|chorus|refrain|refrão"
    r"|estribillo|coro|ritornello|bridge|brücke|pont|puente|ponte|outro|interlude)[\s-]*)+(?:\d+|[ivx]+)?",
    re.IGNORECASE,
)
_LONG_DRAWN = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True)
class LyricWord:
    """shown: as the sheet has it, without the space around it. match: what is compared, never empty. after: what is
    written between this word and the next one of its line.
    """

    shown: str
    match: str
    after: str = " "


LyricLine = tuple[LyricWord, ...]


@dataclass(frozen=True)
class Lyrics:
    """lines: each of at least one word. notes: sentences the user should read."""

    lines: tuple[LyricLine, ...]
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[LyricWord, ...]:
        """All words of all lines."""
        return tuple(word for line in self.lines for word in line)

    @property
    def edges(self) -> list[int]:
        """[lines + 1]: the number of the first word of each line, and of all words."""
        return [0, *accumulate(map(len, self.lines))]


def clean(text: str) -> Lyrics:
    """The lines that are sung.

    A row is a line; one that is too long is cut at its punctuation. [Verse], {comments}, rows that begin with # or //,
    and empty rows are left out. `x2` behind a line says that it is sung twice; in a heading, the part below it; on a
    row of its own, the part above it. Raises InputError when no word is left, or far too many are.
    """
    lines: list[LyricLine] = []
    part: list[LyricLine] = []
    notes: Counter[str] = Counter()
    announced = 1  # times that the heading above says

    def close(times: int) -> None:
        notes[REPEATED] += (times - 1) * len(part)
        lines.extend(part * times)
        part.clear()

    for row in (UNSHOWN.sub("", row) for row in rows(text)):
        times, bare = _times(row), not _MARK.sub("", row).strip()
        line = () if bare else _sung(row)
        notes[REPEATED] += (times - 1) * bool(line)
        notes[HEADINGS] += not (bare or line)
        cut = _cut(line)
        notes[CUT] += len(cut) if len(cut) > 1 else 0
        part += cut * times
        if not line:
            close(times if bare and times > 1 else announced)
            announced = 1 if bare else times
    close(announced)
    _check(lines)
    return Lyrics(tuple(lines), tuple(f"{what}: {count}." for what, count in notes.items() if count))


def matched_text(text: str) -> str:
    """Letters and digits as they are compared: without case, accents and signs; letters held long are cut to two."""
    kept = (character for character in normalize("NFKD", text.casefold()) if category(character)[0] in "LN")
    return _LONG_DRAWN.sub(r"\1\1", "".join(kept))


def words_of(text: str) -> LyricLine:
    """The words of one row; the characters of scripts that know no spaces. Signs stay with the words they touch."""
    words: list[LyricWord] = []
    lead = ""
    for piece, after in _pieces(text):
        match = matched_text(piece)
        if match:
            words.append(LyricWord(lead + piece, match, after))
            lead = ""
        elif not words:
            lead += piece + after
        elif words[-1].after:  # it stands alone, between spaces
            words[-1] = replace(words[-1], after=words[-1].after + piece + after)
        else:
            words[-1] = replace(words[-1], shown=words[-1].shown + piece, after=after)
    if words:
        words[-1] = replace(words[-1], shown=words[-1].shown + words[-1].after.rstrip(), after=" ")
    return tuple(words)


def _pieces(text: str) -> list[tuple[str, str]]:
    """(text, " " or "" behind it): what stands between spaces, cut where a script knows no spaces."""
    pieces = []
    for chunk in text.split():
        parts: list[str] = []
        for character in chunk:
            joins = parts and not (SPACELESS.match(character) or SPACELESS.match(parts[-1]))
            if parts and (joins or category(character)[0] == "M"):
                parts[-1] += character
            else:
                parts.append(character)
        pieces += [(part, "") for part in parts[:-1]] + [(parts[-1], " ")]
    return pieces


def _times(row: str) -> int:
    found = _MARK.search(row)
    return int(found[1] or found[2]) if found else 1


def _sung(row: str) -> LyricLine:
    """The words of a row; none when it is a heading or a comment."""
    text = _MARK.sub("", _IN_BRACKETS.sub(" ", row)).strip()
    if _COMMENT.match(row) or _HEADING.fullmatch(text.strip("():*- ")):
        return ()
    return words_of(text)


def _cut(line: LyricLine) -> list[LyricLine]:
    """Lines of at most `LONGEST_LINE` letters, or one word; cut behind punctuation in their second half if they can."""
    lines = []
    while line:
        ends = [end for end in accumulate(len(word.match) for word in line) if end <= LONGEST_LINE]
        stop = max(len(ends), 1)
        if stop < len(line):
            phrases = (end for end in range(stop, stop // 2, -1) if line[end - 1].shown.endswith(_PHRASE_ENDS))
            stop = next(phrases, stop)
        lines.append(line[:stop])
        line = line[stop:]
    return lines


def _check(lines: list[LyricLine]) -> None:
    count = sum(len(line) for line in lines)
    if not 0 < count <= MAX_WORDS:
        raise InputError(
            expected=f"lyrics of 1 to {MAX_WORDS:,} words",
            got=f"{count:,} words" if count else "a text without words that are sung",
            next_step="Paste the words that are sung, one line of the song in each row.",
        )
