"""Known lyrics in time: recognised words hold the lines in place, and each word is placed between them.

anchors.py finds the known words among the recognised ones, forced.py places all words in windows around these,
crosscheck.py compares the two, search.py looks for lines that neither found, fill.py makes all of it whole.
"""

from __future__ import annotations

from collections import Counter

from ...core.host import Host
from ...core.lyrics import Line, Timings
from ..listener import Listener
from .anchors import anchors, spans
from .clean import Lyrics
from .crosscheck import fuse
from .fill import whole
from .forced import place
from .search import search

# Seconds by which the last recognised word may end after the sound; longer ones are of another sound.
LATE = 1.0


def align(lyrics: Lyrics, recognised: Timings, listener: Listener, seconds: float, host: Host) -> Timings:
    """When each word of `lyrics` is sung in a sound of `seconds`.

    recognised: what the listener, or another, heard in the same sound. Lines and words are those of the lyrics, all of
    them, in their order. Notes say how many words were found.
    """
    heard = [word for word in recognised.words if word.end <= seconds + LATE]
    found = anchors(lyrics, heard)
    placed = place(lyrics, spans(lyrics, found, seconds), listener, seconds, host)
    fused = search(lyrics, fuse(lyrics, found, placed), listener, seconds, host)
    lines = whole(lyrics, fused, placed, seconds)
    notes = (*lyrics.notes, *_notes(lines))
    if len(heard) < len(recognised.words):
        notes += ("Recognised words reach beyond the end of the audio; they may be those of another one.",)
    return Timings(lines, recognised.language, notes=notes)


def _notes(lines: tuple[Line, ...]) -> tuple[str, ...]:
    sources = Counter(word.source for line in lines for word in line.words)
    notes = [f"{sources['heard']} of {sources.total()} words were heard."]
    if sources["filled in"]:
        notes.append(f"{sources['filled in']} words were filled in between them.")
    missing = [line.text for line in lines if all(word.source == "not found" for word in line.words)]
    if missing:
        shown = "; ".join(missing[:5]) + ("; ..." if len(missing) > 5 else "")
        notes.append(f"{len(missing)} lines were not found: {shown}")
    return tuple(notes)
