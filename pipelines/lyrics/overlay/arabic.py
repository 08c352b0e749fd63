"""Arabic letters in their joined forms, for a Pillow without raqm.

The forms are Unicode's own (Arabic Presentation Forms-A and -B), read out of the decompositions in `unicodedata`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import category, decomposition

_TATWEEL, _LAM = "\u0640", "\u0644"
_BLOCKS = (range(0xFE70, 0xFEFD), range(0xFB50, 0xFC00))  # B first: its forms are in more fonts
_FORM = re.compile(r"<(isolated|final|initial|medial)> ([0-9A-F]{4}(?: [0-9A-F]{4})?)$")


@lru_cache(maxsize=1)
def _forms() -> dict[str, dict[str, str]]:
    """Letter, or lam with an alef -> name of the form -> the character that has this form."""
    forms: dict[str, dict[str, str]] = {}
    for code in (code for block in _BLOCKS for code in block):
        match = _FORM.match(decomposition(chr(code)))
        if match:
            letters = "".join(chr(int(part, 16)) for part in match[2].split())
            if letters[0] not in (" ", _TATWEEL) and (len(letters) == 1 or letters[0] == _LAM):
                forms.setdefault(letters, {}).setdefault(match[1], chr(code))
    return forms


def shaped(text: str) -> str:
    """`text` with every Arabic letter as it looks between its neighbours; everything else as it is."""
    letters = _with_ligatures(text)
    result: list[str] = []
    for index, letter in enumerate(letters):
        before = _neighbour(letters, range(index - 1, -1, -1))
        after = _neighbour(letters, range(index + 1, len(letters)))
        result.append(_form(letter, _joins(before, "initial") and _joins(letter, "final"), after))
    return "".join(result)


def _with_ligatures(text: str) -> list[str]:
    """Characters, with lam and the alef after it as one."""
    forms = _forms()
    letters: list[str] = []
    for character in text:
        if letters and letters[-1] == _LAM and _LAM + character in forms:
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _form(letter: str, joined_before: bool, after: str) -> str:
    known = _forms().get(letter)
    if known is None:
        return letter
    joined_after = _joins(letter, "initial") and _joins(after, "final")
    name = {(False, False): "isolated", (True, False): "final", (False, True): "initial", (True, True): "medial"}
    return known.get(name[joined_before, joined_after], letter)


def _joins(letter: str, form: str) -> bool:
    """Whether a letter can join what comes after it ("initial") or before it ("final")."""
    return letter == _TATWEEL or form in _forms().get(letter, ())


def _neighbour(letters: list[str], places: range) -> str:
    """The first that is no mark: vowel signs do not part letters."""
    return next((letters[place] for place in places if category(letters[place][0]) != "Mn"), "")
