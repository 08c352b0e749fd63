"""What pointer, keys, taps and files do in the editor of Edit Timestamps, in ComfyUI's own page."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from timestamps_page import (
    SAVED,
    SECONDS,
    WORDS,
    chip,
    click,
    drag,
    edit_graph,
    load,
    near,
    open_editor,
    per_pixel,
    pixel,
    playhead,
    run,
    saved,
    selected,
    times,
    words,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FPS = 25  # as new nodes have it
TIMES = [[1, 1.5], [1.5, 2], [2, 2.5], [3, 3.5], [3.5, 4], [4, 5]]
OTHER_LRC = "[00:02.00]<00:02.00>other <00:02.50>words<00:03.00>\n"


@pytest.fixture
def page(editor: Page) -> Page:
    """The editor of the node, open, without snapping."""
    load(editor, edit_graph())
    run(editor, "Not edited.")
    open_editor(editor)
    editor.keyboard.press("n")
    return editor


def test_the_pointer_is_exact_at_any_zoom(page: Page) -> None:
    for zoom in range(3):
        step = per_pixel(page)
        left, right = page.locator(".ls-block[data-index='1']").bounding_box(), pixel(page, 1.5)[0]
        assert left is not None
        assert abs(left["x"] - right) < 1, f"a block is drawn at its time at zoom {zoom}"
        drag(page, 1.5, 1.6)
        assert near(times(page)[:2], [[1, 1.6], [1.6, 2]], 1.5 * step), f"dragged at zoom {zoom}"
        page.keyboard.press("Control+z")
        under, height = round(pixel(page, 1.55)[0]), pixel(page, 1.55)[1]
        there = 1.55 + (under - pixel(page, 1.55)[0]) * step
        page.mouse.move(under, height)
        page.keyboard.down("Alt")
        for _ in range(3):
            page.mouse.wheel(0, -100)
        page.keyboard.up("Alt")
        page.wait_for_timeout(300)
        assert per_pixel(page) < step / 1.9, "Alt and the wheel zoom in"
        assert abs(pixel(page, there)[0] - under) < 2, "what is under the pointer stays there"
    for _ in range(20):
        page.keyboard.press("-")
    page.wait_for_timeout(300)
    step = per_pixel(page)

    drag(page, 1.5, 1.3, "Alt")
    assert near(times(page)[:2], [[1, 1.3], [1.5, 2]], 1.5 * step), "Alt leaves the neighbour"
    drag(page, 2.5, 6)
    assert near(times(page)[2:4], [[2, 3], [3, 3.5]], 1e-9), "a word ends at the latest where the next one begins"
    page.keyboard.press("Control+z")
    drag(page, 3.25, 2.95)
    assert near(times(page)[3:5], [[2.7, 3.2], [3.2, 4]], 1.5 * step), "a word is dragged by its middle"
    page.keyboard.press("Control+z")
    click(page, 4.5)
    assert selected(page) == ["six"], "a click selects"
    assert playhead(page) == pytest.approx(4.5, abs=step), "and seeks"
    click(page, 4.2, "Shift")
    click(page, 6.0, "Control")
    assert near(times(page)[5:], [[4.2, 6.0]], 1.5 * step), "Shift and Ctrl set start and end"
    drag(page, 2.7, 3.7)
    assert selected(page) == ["four", "five"], "a drag over a pause selects"

    page.keyboard.press("n")
    page.keyboard.press("Control+a")
    drag(page, 3.0 + 2 * step, 2.5 + 2 * step)
    assert times(page)[3][0] == 2.5, "an edge snaps to its neighbour"
    page.keyboard.press("k")
    drag(page, 5.999, 6.61)
    onset_or_frame = times(page)[5][1]
    assert abs(onset_or_frame * 100 - round(onset_or_frame * 100)) < 1e-6, "to an onset or a frame"


def test_every_edit_has_a_key_and_the_graph_hears_none(page: Page) -> None:
    page.keyboard.press("ArrowRight")
    assert selected(page) == ["one"]
    page.keyboard.press("ArrowRight")
    assert selected(page) == ["two"]
    for key, expected in {
        "s": [[1, 1.51], [1.51, 2]],
        "a": TIMES[:2],
        "Shift+S": [[1, 1.5 + 1 / FPS], [1.5 + 1 / FPS, 2]],
        "Shift+A": TIMES[:2],
        "Alt+s": [[1, 1.5], [1.51, 2]],
        "Alt+Shift+A": [[1, 1.5], [1.5, 2]],
        "Control+ArrowRight": [[1, 1.51], [1.51, 2.01]],
        "Control+ArrowLeft": [[1, 1.5], [1.5, 2]],
        "Control+Shift+ArrowLeft": [[1, 1.5 - 1 / FPS], [1.5 - 1 / FPS, 2 - 1 / FPS]],
        "Control+Shift+ArrowRight": [[1, 1.5], [1.5, 2]],
    }.items():
        page.keyboard.press(key)
        assert near(times(page)[:2], expected, 1e-6), key
    for key, expected in {"d": 1.99, "f": 2.0, "Shift+D": 2 - 1 / FPS}.items():
        page.keyboard.press(key)
        assert times(page)[1][1] == pytest.approx(expected), key
    page.keyboard.press("Shift+ArrowRight")
    assert selected(page) == ["two", "three"]
    page.keyboard.press("m")
    assert words(page) == ["one", "two three", "four", "five", "six"], "merged"
    page.keyboard.press("c")
    assert words(page) == WORDS, "cut at the space"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("b")
    assert [line["text"] for line in saved(page)["lines"]] == ["one two three", "four", "five six"], "a line break"
    page.keyboard.press("b")
    page.keyboard.press("Delete")
    assert words(page) == ["one", "two", "three", "four", "six"], "deleted"
    page.keyboard.press("Control+z")
    page.keyboard.press("e")
    page.keyboard.type("fi ve")
    page.keyboard.press("Enter")
    assert words(page)[4:6] == ["fi", "ve"], "a typed space makes two words"
    page.keyboard.press("Control+z")
    click(page, 6)
    page.keyboard.press("i")
    page.keyboard.type("seven")
    page.keyboard.press("Enter")
    assert words(page) == [*WORDS, "seven"], "a new word at the playhead"
    assert near(times(page)[6:], [[6, 6.3]], per_pixel(page))
    chip(page, "two").click()
    chip(page, "four").click(modifiers=["Shift"])
    chip(page, "six").click(modifiers=["Control"])
    assert selected(page) == ["two", "three", "four", "six"], "Shift and Ctrl select more words in the list"
    page.keyboard.press("Control+a")
    page.get_by_label("Move by (s)").fill("0.25")
    page.get_by_role("button", name="Move 7 words").click()
    assert times(page)[0] == pytest.approx([1.25, 1.75]), "all words move"
    page.get_by_label("Stretch to (%)").fill("50")
    page.get_by_role("button", name="Stretch 7 words").click()
    assert times(page)[0] == pytest.approx([1.25, 1.5]), "and stretch"
    page.get_by_label("Start", exact=True).fill("0:03.8")
    page.keyboard.press("Enter")
    assert times(page)[6][0] == pytest.approx(3.8), "a typed start"
    page.keyboard.press("4")
    assert page.locator(".ls-editor").get_by_label("Speed").input_value() == "0.9"

    keys = page.get_by_role("button", name="Keys", exact=True)
    keys.focus()
    page.keyboard.press("Enter")
    assert page.locator(".ls-keys").is_visible(), "a button that Tab has reached is pressed by Enter"
    page.keyboard.press("Space")
    assert page.locator(".ls-keys").count() == 0, "and by Space"
    page.locator(".ls-editor").focus()

    names = "app.graph.nodes.map(({ type }) => type).join()"
    kept = page.evaluate(names)
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    assert page.evaluate(names) == kept, "ComfyUI hears no key while the editor has the focus"
    page.keyboard.press("Control+z")
    box = page.locator("#graph-canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["width"] / 2, box["height"] - 8)
    before = page.evaluate(SAVED)
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.wait_for_function("app.graph.nodes.length === 0")
    assert before, "the words were not what was deleted"
    assert page.locator(".ls-editor").count() == 0, "with its node, the editor goes"


def test_each_view_shows_what_is_played_and_what_is_unsure(page: Page) -> None:
    click(page, 1.75)
    assert page.locator(".ls-sung").inner_text().rstrip() == "one two three"
    assert page.locator(".ls-coming").inner_text().rstrip() == "four five six"
    fill = "spans => spans.map((span) => parseFloat(span.style.getPropertyValue('--done')))"
    filled = page.locator(".ls-sung span").evaluate_all(fill)
    assert filled == [100, pytest.approx(50, abs=4), 0], "the words fill as they are sung"
    assert page.locator(".ls-chip.ls-now").all_inner_texts() == ["two"]

    rows = [
        ("sure", 0.9, "heard"),
        ("unsure", 0.2, "heard"),
        ("guessed", 0.9, "filled in"),
        ("missing", 0, "not found"),
    ]
    unsure = [
        {"text": text, "start": at, "end": at + (source != "not found"), "confidence": confidence, "source": source}
        for at, (text, confidence, source) in enumerate(rows)
    ]
    page.get_by_label("File with timings").set_input_files(
        {"name": "a.json", "mimeType": "application/json", "buffer": json.dumps({"words": unsure}).encode()}
    )
    page.locator(".ls-chip", has_text="guessed").wait_for()
    page.locator(".ls-editor").focus()
    for name, _, _ in rows:
        assert page.locator(f".ls-chip.ls-{name}").all_inner_texts() == [name], "each has its colour"
        assert page.locator(f".ls-block.ls-{name}").count() == 1
    seen = []
    for key in ("u", "u", "u", "u", "Shift+U"):
        page.keyboard.press(key)
        seen += selected(page)
    assert seen == ["unsure", "guessed", "missing", "unsure", "missing"]

    box = page.locator(".ls-wave [part=minimap]").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert playhead(page) == pytest.approx(SECONDS / 2, abs=0.05), "the minimap is the whole sound"
    page.keyboard.press("p")
    canvas = page.locator("canvas.ls-spectrogram")
    canvas.wait_for()
    page.wait_for_function(
        "c => c.width > 300 && new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size > 50",
        arg=canvas.element_handle(),
    )
    for _ in range(15):
        page.keyboard.press("+")
    click(page, SECONDS / 2)
    page.wait_for_timeout(300)
    before = pixel(page, 0)[0]
    page.keyboard.press(" ")
    page.wait_for_timeout(1500)
    page.keyboard.press(" ")
    assert pixel(page, 0)[0] < before - 500, "the view follows the playhead"


def test_tapping_loops_import_and_export(page: Page, tmp_path: Path) -> None:
    chip(page, "one").click()
    page.keyboard.press("l")
    page.wait_for_timeout(1500)  # three times as long as the word
    assert 0.9 <= playhead(page) <= 1.7, "the word is played again and again"
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("Home")
    click(page, 0.5)
    chip(page, "one").click()
    click(page, 0.1)
    page.keyboard.press("t")
    taps = []
    for hold in (50, 50, 700):
        page.keyboard.down(" ")
        page.wait_for_timeout(hold)
        page.keyboard.up(" ")
        page.wait_for_timeout(600)
        taps.append(times(page))
    tapped = taps[-1]
    starts = [start for start, _ in tapped[:3]]
    assert all(after - before > 0.2 for before, after in pairwise(starts)), "words begin when they are tapped, in order"
    assert tapped[0][1] == tapped[1][0], "a tapped word lasts until the next one"
    assert tapped[1][1] == tapped[2][0]
    assert tapped[2][1] - tapped[2][0] == pytest.approx(0.35, abs=0.3), "a held one as long as it is held"
    page.keyboard.press("Backspace")
    assert times(page)[2] == taps[1][2], "the last tap is taken back"
    page.keyboard.press("Escape")
    assert page.locator("[aria-pressed=true]", has_text="Tap along").count() == 0

    page.get_by_label("File with timings").set_input_files(
        {"name": "song.lrc", "mimeType": "text/plain", "buffer": OTHER_LRC.encode()}
    )
    page.locator(".ls-chip", has_text="other").wait_for()
    assert words(page) == ["other", "words"]
    exported = {}
    for format, label in {"lrc_words": "LRC, words (A2)", "ass": "ASS karaoke, words fill (\\kf)"}.items():
        page.get_by_label("Format").select_option(label=label)
        with page.expect_download() as download:
            page.get_by_role("button", name="Export").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        exported[format] = path.read_text(encoding="utf-8")
    assert exported["lrc_words"] == OTHER_LRC
    assert "{\\kf50}other {\\kf50}words" in exported["ass"]
    page.get_by_label("File with timings").set_input_files(
        {"name": "song.lrc", "mimeType": "text/plain", "buffer": b"no times"}
    )
    page.locator(".ls-status", has_text="Expected a file of one of these formats").wait_for()
    assert words(page) == ["other", "words"], "a file that cannot be read changes nothing"
