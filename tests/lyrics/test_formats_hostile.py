"""No file does harm, whatever is in it: timings with notes, or an error that says what to do."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.core.lyrics import Line, Timings, Word
from lipsync_studio.pipelines.lyrics.formats import draft
from lipsync_studio.pipelines.lyrics.formats.registry import FORMATS, read_timings, write_timings
from lipsync_studio.pipelines.lyrics.formats.text import MAX_BYTES

HOSTILE_TEXTS = [
    "a\n\n2\n00:00:01,000 --> 00:00:02,000\nb",
    "[00:09.00]<00:08.00>x",
    "{\\k50}{x}\\N",
    "a\tb",
    "<c>&lt;",
    "¶",
    "\r",
]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_text_cannot_become_a_line(name: str, text: str) -> None:
    shown = text if text.strip() else "x" + text
    line, word = Line(f"a {shown}", 1, 2), Line.of((Word("a", 3, 4), Word(shown, 4, 5)))
    file = write_timings(Timings((line, word)), name).encode()
    read = read_timings(file, f"song.{FORMATS[name].extension}")
    assert [round(line.start) for line in read.lines] == [1, 3]
    assert not read.notes


TIMES = "0:1.5,-9 \t"
MARKS = [*"[ ] < > { } \\k \\kf --> \\ &# ;".split(), "\n", "\n\n", "\r", "\0", "\x85", "\ud800"]
HEADS = ["", "WEBVTT\n\n", "[Script Info]\n[Events]\n", "{", '[{"word":', "[ti:x]\n", "\ufeff", "1\n00:00:01,000 --> 2"]
WORDS = ["Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,", *'Format: a é 你 NOTE 99999999 " offset:'.split()]


@pytest.mark.parametrize("name", ["lrc", "srt", "vtt", "ass", "json", "audacity"])
@settings(deadline=None)
@given(
    head=st.sampled_from(HEADS),
    body=st.lists(st.sampled_from([*MARKS, *WORDS]) | st.text(TIMES, max_size=9), max_size=40),
)
def test_any_text_gives_timings_or_a_clear_error(name: str, head: str, body: list[str]) -> None:
    try:
        found = FORMATS[name].read(head + "".join(body))
    except InputError:
        return
    assert all(line.end <= draft.MAX_SECONDS for line in found.lines)
    write_timings(found, name).encode()


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["lrc", "srt", "vtt", "ass", "json", "txt", "", "exe"]))
@example(b"\xff\xfe", "lrc")
@example(b"\xef\xbb\xbf\xff[00:01.00]a", "lrc")
def test_any_bytes_give_timings_or_a_clear_error(data: bytes, extension: str) -> None:
    try:
        assert read_timings(data, f"x.{extension}").lines
    except InputError:
        return


ONE_LINE = "[00:01.00]Žluťoučký kůň\n[00:02.00]"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    read = read_timings(ONE_LINE.encode(encoding), "x.lrc")
    assert (read.lines[0].text, read.notes) == ("Žluťoučký kůň", ())


def test_a_guessed_encoding_is_noted() -> None:
    read = read_timings("[00:01.00]Señor “é”".encode("cp1252"), "x.lrc")
    assert read.lines[0].text == "Señor “é”"
    assert "Windows-1252" in read.notes[0]


# name -> (file, what the error says)
UNREADABLE = {
    "empty": (b"", "none of them"),
    "no times": (b"just words", "none of them"),
    "binary": (b"\0\1\2[00:01.00]a", "zero bytes"),
    "utf-16 without mark": ("[00:01.00]a".encode("utf-16-le"), "zero bytes"),
    "half a letter of utf-16": (b"\xff\xfe[", "none of these"),
    "a mark of utf-8 that lies": (b"\xef\xbb\xbf[00:01.00]\xff", "none of these"),
    "shift-jis": ("[00:01.00]\u5e83\u5834\u3067".encode("shift-jis"), "none of these"),
    "6 MB": (b" " * (MAX_BYTES + 1), "5.0 MB"),
    "head alone": (b"WEBVTT\n\n", "none"),
    "beyond all time": (b"[99999999:99.99]x", "beyond 100 hours, left out: 1"),
    "brackets": (b"[" * 100_000, "none of them"),
    "deep json": (b'[{"a":' * 100_000, "not JSON"),
    "long number": (b'[{"word": "a", "start": ' + b"9" * 5000 + b"}]", "not JSON"),
    "repeats of words": (b"[0:1.00]" * 300 + b"<0:1>a " * 300, "holds more"),
    "repeats of text": (b"[0:1.00]" * 2_000 + b"a" * 20_000, "holds more"),
    "repeats of nothing": (b"[0:1.00]" * 2_000 + b"<0:1>" * 2_000, "none"),
}


@pytest.mark.parametrize("file", UNREADABLE)
def test_files_that_cannot_be_read(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft, "MAX_ENTRIES", 10_000)
    data, got = UNREADABLE[file]
    with pytest.raises(InputError) as caught:
        read_timings(data, "x.lrc")
    assert got in caught.value.got
    assert caught.value.next_step


@pytest.mark.parametrize("name", ["lrc", "srt", "vtt", "ass", "json", "audacity"])
def test_too_many_entries_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    word = Line.of((Word("a", 1, 2), Word("b", 2, 3)))
    text = write_timings(Timings((word,) * 20), name)
    monkeypatch.setattr(draft, "MAX_ENTRIES", 19)
    with pytest.raises(InputError, match="holds more"):
        FORMATS[name].read(text)


# With a quadratic search these would take minutes.
FILLINGS = ["\n", " ", "<", "<b", "< ", "[", "[1", "{", "{\\", "&", "&#", "\t", "1", "1:", "]", "\r", "\\"]


@pytest.mark.parametrize("name", ["lrc", "srt", "vtt", "ass", "audacity"])
@pytest.mark.parametrize("filling", FILLINGS)
def test_long_fillings_are_read_in_linear_time(name: str, filling: str) -> None:
    heads = {
        "lrc": "[00:01.00]a",
        "srt": "1\n00:00:01,000 --> 00:00:02,000\na",
        "vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\na",
        "ass": "[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,a",
        "audacity": "1\t2\ta",
    }
    text = heads[name] + filling * (100_000 // len(filling))
    read = read_timings((text + "\n" + text).encode(), f"x.{FORMATS[name].extension}")
    assert read.lines[0].text.startswith("a")
