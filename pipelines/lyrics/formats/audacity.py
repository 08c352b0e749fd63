"""Audacity labels: start and end in seconds and text, with tabs between (its manual, "Importing and Exporting Labels").

A file of words marks the last word of each line with a pilcrow, which stays with its word however the labels are moved.
"""

from __future__ import annotations

import re

from ...core.lyrics import Timings, Word
from .draft import UNREADABLE, Draft, Piece, ends_of_starts
from .pieces import spaced
from .text import one_row, rows, shown_lines

LINE_END = "¶"

NUMBER = r"(-?\d{1,9}(?:[.,]\d{1,9})?)"
LABEL = re.compile(rf"^{NUMBER}\t{NUMBER}(?:\t(.*))?$", re.ASCII | re.MULTILINE)
SIGNATURE = LABEL


def read(text: str) -> Timings:
    """A line for each label; a line for each pilcrow, with words, where there is one.

    When all labels are points, as one taps them, each lasts until the next.
    """
    draft = Draft()
    labels = []
    for row in rows(text):
        if found := LABEL.fullmatch(row):
            labels.append(Piece((found[3] or "").strip(), _seconds(found[1]), _seconds(found[2])))
        elif row.strip() and not row.startswith("\\"):  # the frequencies of the label above
            draft.repaired(UNREADABLE)
    if all(label.start == label.end for label in labels):
        labels.sort(key=lambda label: label.start)
        ends = ends_of_starts([label.start for label in labels])
        labels = [label._replace(end=end) for label, end in zip(labels, ends, strict=True)]
    if any(label.text.endswith(LINE_END) for label in labels):
        _add_words(draft, labels)
    else:
        for label in labels:
            draft.add(label.text, label.start, label.end)
    return draft.timings()


def write_lines(timings: Timings) -> str:
    """A label for each line."""
    return "".join(_label(line.start, line.end, line.text) for line in shown_lines(timings))


def write_words(timings: Timings) -> str:
    """A label for each word; lines without words are one label. Lines are in the order in which they are sung."""
    sung = [line.words or (Word(line.text, line.start, line.end),) for line in shown_lines(timings)]
    sung.sort(key=lambda words: words[0].start)
    labels = []
    for words in sung:
        labels += [_label(word.start, word.end, word.text) for word in words[:-1]]
        labels.append(_label(words[-1].start, words[-1].end, words[-1].text, f" {LINE_END}"))
    return "".join(labels)


def _add_words(draft: Draft, labels: list[Piece]) -> None:
    line: list[Piece] = []
    for label in labels:
        line.append(label._replace(text=label.text.removesuffix(LINE_END).rstrip()))
        if label.text.endswith(LINE_END):
            draft.add_words(spaced(line))
            line = []
    if line:
        draft.add_words(spaced(line))


def _seconds(number: str) -> float:
    return float(number.replace(",", "."))


def _label(start: float, end: float, text: str, mark: str = "") -> str:
    """A row of the file. A pilcrow in the text itself becomes a bar."""
    return f"{start:.6f}\t{end:.6f}\t{one_row(text).replace(LINE_END, '|')}{mark}\n"
