"""Fonts: what a file draws, which one is chosen, and what is said when there is none."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.lyrics.overlay import fonts
from lipsync_studio.pipelines.lyrics.overlay.font_file import read_font
from lipsync_studio.pipelines.lyrics.overlay.fonts import BUILT_IN, FontBook, clusters, is_emoji
from lipsync_studio.pipelines.lyrics.overlay.pen import Pen, Run
from lipsync_studio.pipelines.lyrics.overlay.style import OverlayStyle
from lipsync_studio.pipelines.lyrics.overlay.system_fonts import best_first, emoji_first, font_paths


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a desktop."""
    monkeypatch.setattr(fonts, "system_folders", lambda: ())


@pytest.mark.parametrize("text", ["élan", "Straße", "ñandú", "Ελλάδα", "Привет", "שלום", "سلام", "Հայ", "ქარ", "♪—…"])
def test_the_built_in_font_has(text: str) -> None:
    assert read_font(BUILT_IN).draws(text)


@pytest.mark.parametrize("text", ["中", "カ", "한", "ก", "\U0010fffe"])
def test_the_built_in_font_lacks(text: str) -> None:
    assert not read_font(BUILT_IN).draws(text)


def test_the_codes_are_those_of_the_file() -> None:
    codes = read_font(BUILT_IN).codes
    assert len(codes) == 5898  # as fontTools counts them in its cmap
    assert set(range(0x20, 0x7F)) <= set(codes.tolist())


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"\0\1\0\0", b"OTTO", b"ttcf\0\1\0\0"]), rest=st.binary(max_size=80))
def test_what_is_no_font_is_refused(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = tmp_path / "junk.ttf"
    path.write_bytes(start + rest)
    read_font.cache_clear()
    with pytest.raises(InputError, match=r"junk\.ttf"):
        read_font(path)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 5000), value=st.integers(0, 255))
def test_a_damaged_font_is_read_or_refused(tmp_path: Path, place: int, value: int) -> None:
    data = bytearray(BUILT_IN.read_bytes())
    data[place] = value
    path = tmp_path / "damaged.ttf"
    path.write_bytes(data)
    read_font.cache_clear()
    with suppress(InputError):  # and nothing else
        assert len(read_font(path).codes) > 0


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.ttf"):
        FontBook(OverlayStyle(font=tmp_path / "absent.ttf"))


def test_only_font_files_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a font file"):
        FontBook(OverlayStyle(font=tmp_path / "font.txt"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0301a", ["e\u0301", "a"]),
        ("👩\u200d🚀!", ["👩\u200d🚀", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("🇫🇷🇩🇪", ["🇫🇷", "🇩🇪"]),
        ("❤\ufe0fa", ["❤\ufe0f", "a"]),
        ("a \u0301", ["a", " ", "\u0301"]),
        ("", []),
    ],
)
def test_clusters(text: str, expected: list[str]) -> None:
    assert clusters(text) == expected


@settings(deadline=None)
@given(st.text(max_size=30))
def test_clusters_lose_nothing(text: str) -> None:
    assert "".join(clusters(text)) == text


@pytest.mark.parametrize(
    ("cluster", "expected"),
    [("😀", True), ("❤\ufe0f", True), ("❤", False), ("♪", False), ("😀\ufe0e", False), ("a", False)],
)
def test_emoji(cluster: str, expected: bool) -> None:
    assert is_emoji(cluster) is expected


@pytest.mark.usefixtures("no_system_fonts")
def test_missing_characters_are_named_once_and_shown_as_boxes() -> None:
    book = FontBook(OverlayStyle())
    assert [book.font_for(cluster) is book.first for cluster in "a中中文"] == [True] * 4
    (note,) = book.notes()
    assert "中 文" in note
    assert "models/fonts" in note


@pytest.mark.usefixtures("no_system_fonts")
def test_other_fonts_of_the_folder_are_tried(tmp_path: Path) -> None:
    """A font without the character comes first in the folder; junk in it does no harm."""
    (tmp_path / "a.ttf").write_bytes(b"junk")
    shutil.copy(BUILT_IN, tmp_path / "b.ttf")
    book = FontBook(OverlayStyle(more_fonts=(tmp_path,)))
    assert book.font_for("中") is book.first
    assert book.font_for("ж").path == BUILT_IN
    assert len(book.notes()) == 1


def test_the_users_fonts_are_tried_before_the_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("own/zzz.ttf", "own/my emoji.ttf", "system/NotoSans-Bold.ttf", "system/NotoColorEmoji.ttf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setattr(fonts, "system_folders", lambda: (tmp_path / "system",))
    book = FontBook(OverlayStyle(more_fonts=(tmp_path / "own",)))
    assert [path.name for path in book._emoji_paths] == ["my emoji.ttf", "NotoColorEmoji.ttf"]
    assert [path.parent.name for path in book._other_paths] == ["own", "own", "system", "system"]


@pytest.mark.parametrize("shapes", [True, False])
def test_letters_that_need_raqm_are_named_without_it(shapes: bool) -> None:
    book = FontBook(OverlayStyle(), pen=Pen(shapes=shapes))
    book.font_for("हि")
    assert any("Devanagari" in note for note in book.notes()) is not shapes


def test_known_families_come_first_and_slanted_ones_last() -> None:
    names = ["Zzz.ttf", "NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "NotoSansJP-Bold.otf", "Arial Italic.ttf"]
    paths = [Path(name) for name in names]
    assert [path.name for path in best_first(paths, "")] == [names[2], names[1], names[3], names[0], names[4]]
    assert best_first(paths, "ja")[0].name == names[3]


def test_emoji_fonts_are_known_by_name() -> None:
    paths = [Path(name) for name in ("OpenMoji-emoji.ttf", "seguiemj.ttf", "Arial.ttf", "NotoColorEmoji.ttf")]
    assert [path.name for path in emoji_first(paths)] == ["NotoColorEmoji.ttf", "seguiemj.ttf", "OpenMoji-emoji.ttf"]


def test_fonts_are_found_in_folders_within(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.TTF", "a.otf", "notes.txt", "deep/er/c.ttc"):
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in font_paths([tmp_path, tmp_path / "absent"])]
    assert found == ["a.otf", "b.TTF", "deep/er/c.ttc"]


@pytest.mark.parametrize("text", ["שלום", "سلام", "(אב)"])
def test_without_raqm_text_is_as_wide_as_with_it(text: str) -> None:
    """Arabic forms of their own widths, marks of none: letters that were not joined would be far wider."""
    if not Pen().shapes:
        pytest.skip("this Pillow has no raqm to compare with")
    run = Run(text, read_font(BUILT_IN), right_to_left=True)
    assert Pen(shapes=False).length(run, 60) == pytest.approx(Pen(shapes=True).length(run, 60), rel=0.03)
