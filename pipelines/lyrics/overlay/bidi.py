"""Which way text runs: the Unicode bidirectional algorithm (UAX #9) for lines of lyrics.

Left out: explicit embeddings and isolates (X1-X8) and paired brackets (N0), which lyrics do not have or where the
neutral rules give nearly always the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from unicodedata import bidirectional

_IGNORED = frozenset({"BN", "LRE", "LRO", "RLE", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_MIRRORED = str.maketrans("()[]{}<>«»\u2039\u203a≤≥", ")(][}{><»«\u203a\u2039≥≤")


def runs_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is Hebrew, Arabic or the like (P2, P3)."""
    return next((kind != "L" for kind in map(bidirectional, text) if kind in ("L", "R", "AL")), False)


def levels(text: str, right_to_left: bool) -> list[int]:
    """The embedding level of every character: odd ones run from right to left. right_to_left: the line as a whole."""
    base = int(right_to_left)
    kinds = _resolved(_weak(text, "R" if right_to_left else "L"), "R" if right_to_left else "L")
    if base:
        return [1 if kind == "R" else 2 for kind in kinds]  # I2
    return [{"L": 0, "R": 1}.get(kind, 2) for kind in kinds]  # I1


def visual_order(of: Sequence[int]) -> list[int]:
    """Indices of things with these levels, from left to right (L2)."""
    order = list(range(len(of)))
    odd = [level for level in of if level % 2]
    for least in range(max(of, default=0), min(odd, default=1) - 1, -1):
        turned: list[int] = []
        for is_turned, group in groupby(order, key=lambda index: of[index] >= least):
            members = list(group)
            turned += reversed(members) if is_turned else members
        order = turned
    return order


def mirrored(text: str) -> str:
    """Brackets and the like as they look where text runs from right to left (L4)."""
    return text.translate(_MIRRORED)


def _weak(text: str, start: str) -> list[str]:
    """W1-W7: numbers and the signs in them. Gives L, R, EN, AN or ON for each character."""
    kinds = [bidirectional(character) or "L" for character in text]
    before, strong = start, start
    for index, kind in enumerate(kinds):
        if kind == "NSM" or kind in _IGNORED:
            kind = before  # W1
        if kind in ("L", "R", "AL"):
            strong = kind
        if kind == "EN" and strong == "AL":
            kind = "AN"  # W2
        kinds[index] = before = kind
    kinds = ["R" if kind == "AL" else kind for kind in kinds]  # W3
    for index in range(1, len(kinds) - 1):  # W4
        left, kind, right = kinds[index - 1 : index + 2]
        if left == right and ((kind == "CS" and left in ("EN", "AN")) or (kind == "ES" and left == "EN")):
            kinds[index] = left
    kinds = _beside_numbers(kinds)
    strong = start
    for index, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[index] = "L"  # W7
    return kinds


def _beside_numbers(kinds: list[str]) -> list[str]:
    """W5: signs such as % belong to the number they touch. W6: all that is left is neutral."""
    groups = [(kind, len(list(group))) for kind, group in groupby(kinds)]
    result: list[str] = []
    for index, (kind, count) in enumerate(groups):
        if kind == "ET":
            touches = any(other == "EN" for other, _ in groups[max(index - 1, 0) : index + 2])
            kind = "EN" if touches else "ON"
        result += [kind if kind in ("L", "R", "EN", "AN") else "ON"] * count
    return result


def _resolved(kinds: list[str], base: str) -> list[str]:
    """N1, N2: what is neutral runs as its two neighbours do, or as the line does where they differ."""
    groups = [(kind, len(list(group))) for kind, group in groupby(kinds)]
    sides = [base, *("R" if kind in ("EN", "AN") else kind for kind, _ in groups), base]
    result: list[str] = []
    for index, (kind, count) in enumerate(groups):
        if kind == "ON":
            left, right = sides[index], sides[index + 2]
            kind = left if left == right else base
        result += [kind] * count
    return result
