"""ComfyUI's graph editor in a real browser: for the tests, and for pictures of it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from host import Server
    from playwright.sync_api import BrowserContext, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")

# A browser that does what it is asked and nothing else; containers run it as root, which the sandbox refuses.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

WIDTH, QUALITY = 1200, 80  # of pictures for people: px at most, and JPEG's


class NoBrowserError(Exception):
    """There is no browser that could be driven."""


@contextmanager
def browser_window(profile: Path, width: int, height: int) -> Iterator[BrowserContext]:
    """A browser with the profile folder `profile` and pages of width x height px, as long as the `with` lasts.

    Raises NoBrowserError.
    """
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise NoBrowserError(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    with sync_playwright() as playwright:
        window = playwright.chromium.launch_persistent_context(
            profile, executable_path=browser, args=ARGUMENTS, viewport={"width": width, "height": height}
        )
        try:
            yield window
        finally:
            window.close()


def open_empty(page: Page, server: Server) -> None:
    """Show the editor with an empty graph, as on a first visit. Later ones begin with a graph that lacks its models."""
    server.post("/settings", {"Comfy.TutorialCompleted": False})
    page.goto(server.url)
    templates = page.get_by_role("dialog")
    templates.wait_for()
    page.keyboard.press("Escape")
    templates.wait_for(state="hidden")


def save_jpeg(png: bytes, path: Path) -> None:
    """A screenshot as a small file, at most `WIDTH` px wide."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as screenshot:
        picture = screenshot.convert("RGB")
    if picture.width > WIDTH:
        size = WIDTH, round(picture.height * WIDTH / picture.width)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(path, quality=QUALITY, optimize=True, progressive=True)
