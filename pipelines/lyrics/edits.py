"""Timings that a person has edited, as a workflow keeps them, and whether they still belong to what is connected."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypedDict

from ..core.errors import InputError
from ..core.lyrics import Timings, Word
from .formats import json_words

WhenChanged = Literal["ask", "keep edits", "use new timings"]

# What happens to the edits in a run: there are none, they fit, they were made for something else and are kept all the
# same, they are left aside, or a person has to decide.
State = Literal["no edits", "edited", "kept", "set aside", "asks"]


@dataclass(frozen=True)
class Edits:
    """timings: as edited. audio, base: fingerprints of the sound they belong to and of the timings they began from."""

    timings: Timings
    audio: str
    base: str


class AlignedWord(TypedDict):
    """A row of `whisper_alignment`. Seconds."""

    value: str
    start: float
    end: float


def read_edits(text: str) -> Edits:
    """Edits from our JSON of timings with {"edited": {"audio", "base"}} beside its lines.

    Without it they belong to no sound that anybody knows, and to no timings. Raises InputError for any other text.
    """
    try:
        data = json.loads(text)
        edited = data.get("edited", {})
        audio, base = str(edited.get("audio", "")), str(edited.get("base", ""))
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputError(
            expected="edits that the editor of Edit Timestamps has written",
            got=f"a text that is none ({str(error)[:100]})",
            next_step="Undo the last change of the workflow, or empty the `edits` of this node.",
        ) from error
    return Edits(json_words.read(text), audio, base)


def timings_fingerprint(timings: Timings) -> str:
    """16 hex digits of texts and times to 10 ms. What recognition computes anew may differ by less, confidences too."""
    rows = [
        (
            line.text,
            _centi(line.start),
            _centi(line.end),
            [(w.text, _centi(w.start), _centi(w.end)) for w in line.words],
        )
        for line in timings.lines
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def state_of(edits: Edits, audio: str, base: str, when_changed: WhenChanged) -> State:
    """What becomes of `edits` beside this sound and these incoming timings (fingerprints)."""
    if (edits.audio, edits.base) == (audio, base):
        return "edited"
    answers: dict[WhenChanged, State] = {"ask": "asks", "keep edits": "kept", "use new timings": "set aside"}
    return answers[when_changed]


def what_changed(edits: Edits, audio: str, base: str) -> str:
    """For people: what is not as it was when the edits were made."""
    changed = [
        name for name, is_same in (("audio", edits.audio == audio), ("timings", edits.base == base)) if not is_same
    ]
    return " and ".join(changed)


def aligned_words(timings: Timings) -> list[AlignedWord]:
    """`whisper_alignment` as ComfyUI-Whisper gives it: words in order of their start, none longer than to the next.

    Lines without words are one entry. Words that were not found have no time and are left out.
    """
    found = [
        word
        for line in timings.lines
        for word in line.words or (Word(line.text, line.start, line.end),)
        if word.source != "not found"
    ]
    found.sort(key=lambda word: word.start)
    ends = [min(word.end, after.start) for word, after in pairwise(found)] + [word.end for word in found[-1:]]
    return [{"value": word.text, "start": word.start, "end": end} for word, end in zip(found, ends, strict=True)]


def _centi(seconds: float) -> int:
    return round(seconds * 100)
