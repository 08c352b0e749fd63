"""JSON: ours, which keeps everything to the last bit, and the lists of words that other nodes and tools write."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any, get_args

from ...core.errors import InputError
from ...core.lyrics import Line, Source, Timings, Word
from .draft import UNREADABLE, Draft, Piece
from .pieces import into_lines, spaced, words_of

Fields = Mapping[str, Any]

# What JSON may hold as a number and a float cannot.
BEYOND_ANY = 1e300

FORMAT = "lipsync-studio timings"
VERSION = 1

SIGNATURE = re.compile(r'\A\s*(?:\{\s*["}]|\[\s*[\{\]])')

TEXTS = ("text", "word", "value")
CONFIDENCES = ("confidence", "score", "probability")

UNTIMED_WORDS = "Words without times, marked as not found"
CLAMPED = "Confidences outside 0 to 1, moved inside"


def read(text: str) -> Timings:
    """Timings from our JSON, a list of {word | value | text, start, end, score | confidence}, or {"segments": [...]}.

    A list of words is cut into lines at pauses, ends of sentences and the usual length; a list of sentences is lines.
    Raises InputError for anything else, and for a file of a later version.
    """
    data = _parsed(text)
    draft = Draft()
    if isinstance(data, list):
        _add_list(draft, data)
        return draft.timings()
    language, tags, notes = data.get("language"), data.get("tags"), data.get("notes")
    rows = next((data[key] for key in ("lines", "segments") if isinstance(data.get(key), list)), None)
    if rows is not None:
        for row in rows:
            _add_line(draft, _fields(row))
    elif isinstance(data.get("words"), list):
        _add_list(draft, data["words"])
    else:
        raise _wrong(f"an object with {', '.join(list(data)[:8]) or 'nothing in it'}")
    return draft.timings(
        language if isinstance(language, str) else "",
        {name: value for name, value in tags.items() if isinstance(value, str)} if isinstance(tags, dict) else {},
        [note for note in notes if isinstance(note, str)] if isinstance(notes, list) else [],
    )


def write(timings: Timings) -> str:
    """Our JSON, a row for each line of lyrics."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "language": timings.language,
        "tags": dict(timings.tags),
        "notes": list(timings.notes),
    }
    lines = ",\n".join(_dumps(_line(line)) for line in timings.lines)
    return f'{_dumps(head)[:-1]}, "lines": [\n{lines}\n]}}\n'


def _parsed(text: str) -> dict[str, Any] | list[Any]:
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:  # ValueError also for a number of thousands of digits
        raise _wrong(f"text that is not JSON ({str(error)[:100]})") from error
    if not isinstance(data, dict | list):
        raise _wrong(f"a single {type(data).__name__}")
    if isinstance(data, dict) and data.get("format") == FORMAT and data.get("version") != VERSION:
        raise _wrong(f"timings of version {str(data.get('version'))[:20]}", "Update this pack to read them.")
    return data


def _wrong(got: str, next_step: str = "Check what writes this file, or use SRT or LRC.") -> InputError:
    return InputError(
        expected=f'timings of version {VERSION}, a list of {{"word", "start", "end"}}, or an object with "segments"',
        got=got,
        next_step=next_step,
    )


def _add_list(draft: Draft, rows: Sequence[object]) -> None:
    texts = [_text(_fields(row)).split() for row in rows]
    if 2 * sum(len(text) > 1 for text in texts) > len(texts):
        for row in rows:
            _add_line(draft, _fields(row))
    else:
        for line in into_lines(_pieces(draft, rows, 0.0)):
            draft.add_words(line)


def _add_line(draft: Draft, row: Fields) -> None:
    start, end, text, words = _number(row, "start"), _number(row, "end"), _text(row).strip(), row.get("words")
    pieces = _pieces(draft, words, 0.0 if isnan(start) else start) if isinstance(words, list) else []
    if pieces:
        start = pieces[0].start if isnan(start) else start
        end = max(piece.end for piece in pieces) if isnan(end) else end
    if isnan(start + end):
        draft.repaired(UNREADABLE)
    elif text:
        draft.add(text, start, end, pieces)
    else:
        draft.add_words(pieces, start, end)


def _pieces(draft: Draft, rows: Sequence[object], latest: float) -> list[Piece]:
    """The words of a list. One without a start is "not found" and stands at the end of the word before, or `latest`."""
    found, pieces = [row for row in map(_fields, rows) if _text(row).strip()], []
    draft.repaired(UNREADABLE, len(rows) - len(found))
    for row in found:
        start, end = _number(row, "start"), _number(row, "end")
        source: Source = row["source"] if row.get("source") in get_args(Source) else "heard"
        if isnan(start):
            draft.repaired(UNTIMED_WORDS)
            start, end, source = latest, latest, "not found"
        latest = start if isnan(end) else end
        pieces.append(Piece(_text(row), start, latest, confidence=_confidence(draft, row), source=source))
    if found and all(isinstance(row.get("after"), str) for row in found):
        return [piece._replace(after=row["after"]) for piece, row in zip(pieces, found, strict=True)]
    if any(piece.text != piece.text.strip() for piece in pieces):  # as Whisper writes the space between words
        return words_of(pieces)
    return spaced(pieces)


def _fields(row: object) -> Fields:
    return row if isinstance(row, dict) else {}


def _text(row: Fields) -> str:
    return next((row[key] for key in TEXTS if isinstance(row.get(key), str)), "")


def _number(row: Fields, key: str) -> float:
    """A number of the row, not a number where it has none."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < BEYOND_ANY:
        return nan
    return float(value)


def _confidence(draft: Draft, row: Fields) -> float:
    value = next((row[key] for key in CONFIDENCES if not isnan(_number(row, key))), 1.0)
    if not 0 <= value <= 1:
        draft.repaired(CLAMPED)
    return min(max(float(value), 0.0), 1.0)


def _line(line: Line) -> dict[str, Any]:
    return {"text": line.text, "start": line.start, "end": line.end, "words": [_word(word) for word in line.words]}


def _word(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start": word.start,
        "end": word.end,
        "confidence": word.confidence,
        "source": word.source,
        "after": word.after,
    }


def _dumps(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
