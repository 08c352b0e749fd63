"""The text of a line, where its words are in it, and when each of them is sung."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from unicodedata import category, normalize

from ...core.lyrics import Line


@dataclass(frozen=True)
class TimedWord:
    """Characters start..stop-1 of a line's text, sung from second `begin` to second `end`.

    heard: False where the times are only the share that the word has of the time between its neighbours.
    """

    start: int
    stop: int
    begin: float
    end: float
    heard: bool = True


@dataclass(frozen=True)
class LineText:
    """text: composed (NFC), rows parted by line feeds. words: in order; one for all of it when the line has none."""

    text: str
    words: tuple[TimedWord, ...]


def line_text(line: Line) -> LineText:
    """Every character that leaves ink belongs to a word: signs to the word they touch."""
    text = _composed(line.text)
    parts = [_composed(word.text) for word in line.words]
    places = _places(text, parts)
    if places is None:  # the line is written otherwise than its words
        text = _composed(Line.of(line.words).text)
        places = _places(text, parts)
    if not places:
        return LineText(text, (TimedWord(0, len(text), line.start, line.end),))
    spans = zip(_with_signs(text, places), _times(line, places), strict=True)
    return LineText(
        text,
        tuple(
            TimedWord(start, stop, begin, end, word.source != "not found")
            for ((start, stop), (begin, end)), word in zip(spans, line.words, strict=True)
        ),
    )


def held(words: tuple[TimedWord, ...], gap: float) -> tuple[TimedWord, ...]:
    """The same, each lasting until the next one begins where that is less than `gap` seconds away."""
    longer = [
        replace(word, end=max(word.end, after.begin)) if after.begin - word.end < gap else word
        for word, after in pairwise(words)
    ]
    return (*longer, *words[-1:])


def _composed(text: str) -> str:
    """Rows parted by line feeds, without control characters and halves of surrogate pairs, which cannot be drawn."""
    rows = normalize("NFC", text).replace("\t", " ").splitlines()
    drawn = ("".join(character for character in row if category(character) not in ("Cc", "Cs")) for row in rows)
    return "\n".join(row.strip() for row in drawn if row.strip())


def _places(text: str, parts: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where each part is in `text`, one after the other; None when one is not."""
    places, cursor = [], 0
    for part in parts:
        start = text.find(part, cursor)
        if start < 0:
            return None
        cursor = start + len(part)
        places.append((start, cursor))
    return places


def _with_signs(text: str, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places, grown over all that is between them: what is before the first space to the left word."""
    edges = [0]
    for (_, stop), (start, _) in pairwise(places):
        between = text[stop:start]
        space = next((index for index, character in enumerate(between) if character.isspace()), len(between))
        edges.append(stop + space)
    edges.append(len(text))
    return list(pairwise(edges))


def _times(line: Line, places: list[tuple[int, int]]) -> list[tuple[float, float]]:
    """(begin, end) of each word; never two at once. Words that were not found share the time between their neighbours,
    by their characters."""
    words = line.words
    heard = [index for index, word in enumerate(words) if word.source != "not found"]
    times = [(word.start, word.end) for word in words]
    for here, after in pairwise(heard):
        times[here] = words[here].start, max(words[here].start, min(words[here].end, words[after].start))
    for left, right in pairwise([-1, *heard, len(words)]):
        begin = times[left][1] if left >= 0 else line.start
        end = words[right].start if right < len(words) else line.end
        unheard = range(left + 1, right)
        lengths = [places[index][1] - places[index][0] for index in unheard]
        done = 0
        for index, length in zip(unheard, lengths, strict=True):
            share = [begin + max(end - begin, 0) * part / sum(lengths) for part in (done, done + length)]
            times[index] = share[0], share[1]
            done += length
    return times
