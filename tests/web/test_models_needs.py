"""Which files a graph needs, as the models panel works it out: its pure module in a real browser, without ComfyUI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from editor_page import BROWSERS
from lipsync_studio.pipelines.weights.catalog import CATALOG

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODULE = Path(__file__).parents[2] / "web" / "models" / "needs.js"
ADDRESS = "http://pack.test"  # nobody is asked: the file comes from here

FILES = [
    {"key": key, "folder": file.folder, "name": file.name, "uses": [asdict(use) for use in file.uses]}
    for key, file in CATALOG.items()
    if file.uses
]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    playwright_api = pytest.importorskip("playwright.sync_api")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    with playwright_api.sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        opened = window.new_page()
        opened.route(f"{ADDRESS}/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
        opened.route(f"{ADDRESS}/needs.js", lambda route: route.fulfill(path=MODULE))
        opened.goto(f"{ADDRESS}/")
        yield opened
        window.close()


def loader(node: str, **widgets: tuple[str, list[str]]) -> dict[str, Any]:
    """A node as the editor holds it. widgets: name -> value and choices."""
    made = [{"name": name, "value": value, "options": {"values": of}} for name, (value, of) in widgets.items()]
    return {"comfyClass": node, "mode": 0, "widgets": made}


HINT = "(models/diffusion_models is empty)"  # what a loader shows when there is no file
NOTHING = HINT, [HINT]
MINE = "mine.safetensors", ["mine.safetensors"]
MINE_ALIKE = "unet.pth", ["unet.pth"]
UNET_V1, TINY = ("musetalk/pytorch_model.bin", [HINT]), ("whisper-tiny/model.safetensors", [])
UNET_V1_ON_WINDOWS = "musetalk\\pytorch_model.bin", ["musetalk\\pytorch_model.bin"]
SMALL = "audio_encoders/whisper-small/model.safetensors", ["audio_encoders/whisper-small/model.safetensors"]
PARSER = loader("LipSyncFaceParsing", parser=NOTHING)


@pytest.mark.parametrize(
    ("node", "keys"),
    [
        ({"comfyClass": "LoadImage", "mode": 0, "widgets": []}, set()),
        (
            loader("LipSyncLoadMuseTalk", unet=NOTHING, whisper=NOTHING),
            {"musetalk-v15-unet", "sd-vae", "whisper-tiny"},
        ),
        (loader("LipSyncLoadMuseTalk", unet=UNET_V1, whisper=TINY), {"musetalk-v1-unet", "sd-vae", "whisper-tiny"}),
        (
            loader("LipSyncLoadMuseTalk", unet=UNET_V1_ON_WINDOWS, whisper=TINY),
            {"musetalk-v1-unet", "sd-vae", "whisper-tiny"},
        ),
        (loader("LipSyncLoadMuseTalk", unet=MINE, whisper=TINY), {"sd-vae", "whisper-tiny"}),
        (loader("LipSyncLoadMuseTalk", unet=MINE_ALIKE, whisper=TINY), {"sd-vae", "whisper-tiny"}),
        (loader("LipSyncLoadMuseTalk", unet=NOTHING, whisper=TINY) | {"mode": 4}, set()),
        ({"comfyClass": "x", "mode": 0, "subgraph": {"nodes": [PARSER]}}, {"face-parser"}),
        ({"comfyClass": "x", "mode": 2, "subgraph": {"nodes": [PARSER]}}, set()),
        (loader("LipSyncLoadDWPose", s3fd=NOTHING, dwpose=MINE), {"s3fd"}),
        (loader("LipSyncQualityReport", identity=("off", ["off"])), set()),
        (loader("LipSyncLoadWhisper", model=NOTHING), {"whisper-base", "whisper-base-tokenizer"}),
        (loader("LipSyncLoadWhisper", model=SMALL), {"whisper-small", "whisper-small-tokenizer"}),
    ],
    ids=[
        "another node",
        "nothing chosen",
        "1.0 by name",
        "1.0 by its name on Windows",
        "a file of one's own",
        "a file of one's own called alike",
        "bypassed",
        "in a subgraph",
        "in a subgraph that never runs",
        "two files of one folder for two inputs",
        "an optional file",
        "no Whisper",
        "a Whisper by name",
    ],
)
def test_what_a_graph_needs(page: Page, node: dict[str, Any], keys: set[str]) -> None:
    found = page.evaluate(
        """async ([nodes, files]) => {
            const { neededKeys } = await import("./needs.js");
            return [...neededKeys({ nodes }, files)];
        }""",
        [[node], FILES],
    )
    assert set(found) == keys
