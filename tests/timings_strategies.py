"""Timings for property tests of what reads and writes them."""

from __future__ import annotations

from hypothesis import strategies as st
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word

# No < > [ ] { } \ &: what they mean differs from format to format, and each has a test of its own.
LETTERS = "abcXYZ0179éßñ'-.,!?жשم你日あกｱ한"

words = st.text(LETTERS, min_size=1, max_size=6)
sentences = st.lists(words, min_size=2, max_size=5).map(" ".join)
durations = st.floats(0.02, 3) | st.just(0.02)
pauses = st.just(0.0) | st.floats(0, 6)


@st.composite
def word_lines(draw: st.DrawFn, start: float, afters: st.SearchStrategy[str]) -> Line:
    """A line of words one after the other, with pauses, from `start` on; sometimes shown longer than sung."""
    now, found = start + draw(pauses), []
    for text in draw(st.lists(words, min_size=1, max_size=5)):
        end = now + draw(durations | st.just(0.0) if found else durations)
        found.append(Word(text, now, end, after=draw(afters)))
        now = end + draw(pauses)
    line = Line.of((*found[:-1], Word(found[-1].text, found[-1].start, found[-1].end)))
    return Line(line.text, start, line.end + draw(pauses), line.words) if draw(st.booleans()) else line


@st.composite
def plain_lines(draw: st.DrawFn, start: float) -> Line:
    """A line without words at `start`."""
    return Line(draw(sentences), start, start + draw(durations))


@st.composite
def timings(
    draw: st.DrawFn, *, with_words: bool, without_words: bool, afters: st.SearchStrategy[str] | None = None
) -> Timings:
    """One to four lines, which may overlap. with_words, without_words: which kinds of lines there are."""
    start, lines = draw(st.floats(0, 7200)), []
    kinds = [kind for kind, wanted in (("words", with_words), ("plain", without_words)) if wanted]
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
        is_plain = kind == "plain"
        line = draw(
            plain_lines(start)
            if is_plain
            else word_lines(start, st.sampled_from([" ", ""]) if afters is None else afters)
        )
        lines.append(line)
        start = line.start + draw(pauses)
    language = draw(st.sampled_from(["", "en"]))
    return Timings(tuple(lines), language, draw(st.sampled_from([{}, {"ti": "A song", "ar": "Somebody"}])))
