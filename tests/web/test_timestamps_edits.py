"""What the editor of Edit Timestamps does to words, without a page: its pure modules in a real browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from editor_page import BROWSERS
from lipsync_studio.pipelines.lyrics.formats import json_words

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "web" / "timestamps"
ADDRESS = "http://pack.test"  # nobody is asked: the files come from here


@pytest.fixture(scope="module")
def results() -> dict:
    """{"checks": [[name, got, expected]], "made": [JSON of timings after random edits]}."""
    playwright_api = pytest.importorskip("playwright.sync_api")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    with playwright_api.sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = window.new_page()
        page.route(f"{ADDRESS}/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        page.route(f"{ADDRESS}/*.js", lambda route: route.fulfill(path=MODULES / route.request.url.rsplit("/", 1)[1]))
        page.goto(f"{ADDRESS}/")
        found = page.evaluate((HERE / "timestamps_edits.js").read_text(encoding="utf-8"), ADDRESS)
        window.close()
    return found


def test_each_edit_does_what_it_says(results: dict) -> None:
    assert {name: got for name, got, _ in results["checks"]} == {name: due for name, _, due in results["checks"]}
    assert len(results["checks"]) > 50


def test_what_random_edits_leave_needs_no_repair(results: dict) -> None:
    """The page itself checks after each edit that nothing overlaps, runs backwards or was changed in place."""
    assert len(results["made"]) == 50
    for text in results["made"]:
        timings = json_words.read(text)
        assert timings.notes == ()
        assert json.loads(json_words.write(timings))["lines"] == json.loads(text)["lines"]
