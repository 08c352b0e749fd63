"""Draws the pictures of the help pages in web/docs: every node as the editor shows it, and what two of them open.

    python tools/draw_help.py                                  all of them
    python tools/draw_help.py LipSyncVideo LipSyncBBoxShift    some of them

NODE.png is the node; LipSyncBBoxShift_preview.jpg its preview; LipSyncEditTimestamps_editor.png its editor.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import environment
from drawn_names import drawn_names

if TYPE_CHECKING:
    from host import Server
    from playwright.sync_api import Page, ViewportSize

PACK = Path(__file__).resolve().parent.parent
DOCS = PACK / "web" / "docs"
VIEW: ViewportSize = {"width": 1400, "height": 1400}  # px; the longest node fits
COLOURS = 128  # of a PNG: enough for a node, and small
NARROW, QUALITY = 480, 85  # px of the preview, and JPEG's

# Puts one node into an empty graph. A loader shows that a file is chosen there, not that its folder is empty.
SHOW = """([name, id]) => {
    app.graph.clear()
    const node = LiteGraph.createNode(name)
    node.id = id  // the editor remembers the widgets of a node by its id
    node.pos = [0, 0]
    node.showAdvanced = true
    app.graph.add(node)
    for (const widget of node.widgets ?? []) {
        if (typeof widget.value === "string" && widget.value.endsWith(" is empty)")) widget.value = "choose a file"
    }
    node.setSize([Math.max(node.computeSize()[0], 330), node.computeSize()[1]])
    app.canvas.ds.scale = 1
    app.canvas.ds.offset = [420, 120]
    app.canvas.setDirty(true, true)
}"""

# x, y, width and height of the node, in pixels of the page.
BOUNDS = """() => {
    const [x, y, width, height] = app.graph.nodes[0].getBounding()
    const [left, top] = app.canvas.ds.convertOffsetToCanvas([x, y])
    const page = app.canvas.canvas.getBoundingClientRect()
    return { x: page.left + left - 8, y: page.top + top - 8, width: width + 16, height: height + 16 }
}"""

PREVIEW = {
    "picture": {"class_type": "LoadImage", "inputs": {"image": "astronaut.jpg"}},
    "faces": {"class_type": "LipSyncFacePreprocess", "inputs": {"source": ["picture", 0]}},
    "shift": {
        "class_type": "LipSyncBBoxShift",
        "inputs": {"faces": ["faces", 0], "bbox_shift": 0, "extra_margin": -1, "source": ["picture", 0]},
    },
    "save": {"class_type": "SaveImage", "inputs": {"images": ["shift", 2], "filename_prefix": "preview"}},
}


def main() -> int:
    wanted = drawn_names(sorted(path.stem for path in DOCS.glob("*.md")), "help page", __doc__)
    environment.enter()
    with tempfile.TemporaryDirectory() as folder:
        draw(wanted, Path(folder))
    return 0


def draw(names: list[str], folder: Path) -> None:
    """Write the pictures of `names`, with a ComfyUI and a browser in the empty `folder`."""
    import host
    from editor_page import browser_window

    with (
        host.running(folder / "comfyui", folder / "comfyui.log", cpu=True) as server,
        browser_window(folder / "profile", VIEW["width"], VIEW["height"]) as window,
    ):
        for file in (PACK / "workflows" / "inputs").iterdir():
            shutil.copy2(file, server.input)
        badges = {f"Comfy.NodeBadge.{kind}BadgeMode": "None" for kind in ("NodeSource", "NodeId", "NodeLifeCycle")}
        server.post("/settings", {"Comfy.TutorialCompleted": True, **badges})
        page = window.new_page()
        page.goto(server.url)
        page.wait_for_function("window.app?.vueAppReady && !document.getElementById('splash-loader')")
        for number, name in enumerate(names, start=1):
            draw_node(page, name, number)
            MORE.get(name, lambda *_: None)(page, server)
            print(f"drew {name}")


def draw_node(page: Page, name: str, number: int) -> None:
    page.evaluate(SHOW, [name, number])
    page.wait_for_timeout(1500)  # widgets that are HTML are placed with the next frames; one looks once a second
    save_png(page.screenshot(clip=page.evaluate(BOUNDS)), DOCS / f"{name}.png")


def draw_preview(_: Page, server: Server) -> None:
    """The preview of BBox Shift on the portrait that comes with the workflows."""
    from PIL import Image

    (file,) = server.run(PREVIEW).files()
    with Image.open(server.output / file["filename"]) as picture:
        picture.thumbnail((NARROW, NARROW), Image.Resampling.LANCZOS)
        picture.convert("RGB").save(DOCS / "LipSyncBBoxShift_preview.jpg", quality=QUALITY, optimize=True)


def draw_editor(page: Page, _: Server) -> None:
    """The editor of Edit Timestamps with the voice and the lyrics of the workflow lyric_video."""
    page.set_viewport_size({"width": 1400, "height": 720})
    page.evaluate("graph => app.loadApiJson(graph, 'help')", lyrics_graph())
    page.evaluate("app.queuePrompt(0)")
    page.locator(".ls-panel-text").get_by_text("Not edited.").wait_for(state="attached")
    page.evaluate("app.extensionManager.command.execute('Comfy.Canvas.FitView')")
    page.wait_for_timeout(1500)  # the view moves softly
    page.get_by_role("button", name="Open editor").click()
    page.locator(".ls-inspector").wait_for()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(1500)  # the waveform is drawn
    save_png(page.locator(".ls-editor").screenshot(), DOCS / "LipSyncEditTimestamps_editor.png")
    page.locator(".ls-close").click()
    page.set_viewport_size(VIEW)


def lyrics_graph() -> dict[str, Any]:
    shipped = json.loads((PACK / "workflows" / "api" / "lyric_video.json").read_text(encoding="utf-8"))
    (lyrics,) = (node["inputs"]["text"] for node in shipped.values() if node["class_type"] == "LipSyncReadLyrics")
    return {
        "1": {"class_type": "LoadAudio", "inputs": {"audio": "speech.flac"}},
        "2": {"class_type": "LipSyncReadLyrics", "inputs": {"text": lyrics}},
        "3": {"class_type": "LipSyncEditTimestamps", "inputs": {"audio": ["1", 0], "timings": ["2", 0]}},
    }


MORE: dict[str, Callable[[Page, Server], None]] = {
    "LipSyncBBoxShift": draw_preview,
    "LipSyncEditTimestamps": draw_editor,
}
"""What is drawn beside a node."""


def save_png(png: bytes, path: Path) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
