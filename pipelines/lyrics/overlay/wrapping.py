"""Where a line may go on in a further row, and which rows that makes."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import category, east_asian_width, name

_NO_BREAK_SPACES = "\u00a0\u2007\u202f\u2060"
# Thai and Lao, Myanmar, Khmer: written without spaces, so only the words' own times tell where words end.
_WITHOUT_SPACES = (range(0x0E00, 0x0F00), range(0x1000, 0x10A0), range(0x1780, 0x1800))
_STEPS = 12  # of the search for even rows: each halves what is left of the width


def is_space(cluster: str) -> bool:
    """Whether a row may end here, and the space is then not shown."""
    return cluster.isspace() and cluster not in _NO_BREAK_SPACES


def may_part(before: str, after: str, at_word_edge: bool) -> bool:
    """Whether a row may end between these two clusters (after UAX #14, as far as lyrics need it)."""
    if is_space(after):
        return False
    if is_space(before):
        return True
    if category(before[0]) in ("Ps", "Pi") or _never_first(after[0]):
        return False
    if _is_wide(before[0]) or _is_wide(after[0]):
        return True
    if before == "-":
        return after.isalpha()
    return at_word_edge and any(ord(before[0]) in block for block in _WITHOUT_SPACES)


def rows(widths: Sequence[float], gaps: Sequence[float], most: float) -> list[range]:
    """The parts in each row: as few rows as fit into `most`, and these as even as can be.

    widths: of the parts. gaps: of the space after each, not counted at a row's end. A part wider than `most` has a row
    of its own.
    """
    best = _filled(widths, gaps, most)
    low, high = max(widths, default=0.0), most
    for _ in range(_STEPS if len(best) > 1 else 0):
        middle = (low + high) / 2
        tried = _filled(widths, gaps, middle)
        if len(tried) == len(best):
            best, high = tried, middle
        else:
            low = middle
    return best


def row_width(row: range, widths: Sequence[float], gaps: Sequence[float]) -> float:
    """px of the parts of a row and the spaces between them."""
    return sum(widths[part] + gaps[part] for part in row) - gaps[row[-1]]


def _filled(widths: Sequence[float], gaps: Sequence[float], most: float) -> list[range]:
    """Each row takes what fits."""
    found: list[range] = []
    start, wide = 0, 0.0
    for part, width in enumerate(widths):
        if part > start and wide + width > most:
            found.append(range(start, part))
            start, wide = part, 0.0
        wide += width + gaps[part]
    return [*found, range(start, len(widths))] if widths else []


def _is_wide(character: str) -> bool:
    """Chinese and Japanese part anywhere; Korean has spaces."""
    return east_asian_width(character) in "WF" and "HANGUL" not in name(character, "")


def _never_first(character: str) -> bool:
    """Closing signs, marks of repetition and small kana do not begin a row (JIS X 4051)."""
    if category(character) in ("Pe", "Pf", "Po", "Lm"):
        return True
    return name(character, "").startswith(("HIRAGANA LETTER SMALL", "KATAKANA LETTER SMALL"))
