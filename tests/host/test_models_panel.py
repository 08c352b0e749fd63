"""The models panel in a real browser: what is here and needed, downloads against a hub on this machine, the doctor."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from host import PACK, Server
from hub_fake import FakeHub
from lipsync_studio.pipelines.weights.catalog import CATALOG, FACE_PARSER, MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

KEY = "face-parser"
AT = FACE_PARSER.repo, FACE_PARSER.path
UNUSED = next((key for key, file in CATALOG.items() if not file.uses), "none")
NEEDED_BY_MUSETALK = {"musetalk-v15-unet", "sd-vae", "whisper-tiny"}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_here(comfyui: Server) -> Iterator[None]:
    """What tests before these put into the models folder is set aside, and back again afterwards."""
    files = (MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY, FACE_PARSER)
    paths = [comfyui.models / file.category / file.place for file in files]
    aside = {path: comfyui.base / f"aside_{path.name}_{number}" for number, path in enumerate(paths) if path.exists()}
    for path, kept in aside.items():
        path.rename(kept)
    yield
    for path, kept in aside.items():
        kept.rename(path)


@pytest.fixture
def hub(hub_server: FakeHub, comfyui: Server) -> Iterator[FakeHub]:
    """With a file of the face parser's size that says that it is the face parser; it comes slowly, if told so."""
    hub_server.put(*AT, bytes(FACE_PARSER.size))
    hub_server.claims[AT] = FACE_PARSER.sha256
    yield hub_server
    hub_server.go_on.set()
    for known in (hub_server.files, hub_server.claims, hub_server.on):
        known.pop(AT, None)
    for left in (comfyui.models / FACE_PARSER.folder).glob(f"{FACE_PARSER.name}*"):
        left.unlink()


def opened(editor: Page) -> Locator:
    editor.evaluate("app.extensionManager.command.execute('Workspace.ToggleSidebarTab.lipsync-models')")
    panel = editor.locator(".lipsync-models")
    panel.locator("li[data-file]").first.wait_for(state="attached")
    panel.get_by_text("Other files").click()
    return panel


def row_of(panel: Locator, key: str = KEY) -> Locator:
    return panel.locator(f"li[data-file='{key}']")


def press(row: Locator, name: str) -> None:
    row.get_by_role("button", name=name).click()


def test_the_panel_says_what_the_open_workflow_needs(
    editor: Page, comfyui: Server, picture: Callable[..., None]
) -> None:
    panel = opened(editor)
    panel.get_by_text("It needs no weights of this list.").wait_for()
    panel.get_by_text("CPU: no graphics card is used.").wait_for()
    graph = json.loads((PACK / "workflows" / "musetalk.json").read_text(encoding="utf-8"))
    editor.evaluate("graph => app.loadGraphData(graph)", graph)
    panel.get_by_role("button", name="Download what is missing").wait_for()
    listed = panel.locator("h3:has-text('This workflow') + div li[data-file]")
    assert {str(row.get_attribute("data-file")) for row in listed.all()} == NEEDED_BY_MUSETALK
    missing = sum(file.size for file in (MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY))
    assert f"({missing / 1e9:.2f} GB)" in panel.get_by_role("button", name="Download what is missing").inner_text()
    licence = row_of(panel, "musetalk-v15-unet").inner_text()
    assert "CreativeML Open RAIL-M" in licence
    assert "commercial use: yes" in licence
    assert editor.evaluate("app.graph.nodes.filter((node) => node.properties.models).length") == 2
    row_of(panel, "musetalk-v15-unet").scroll_into_view_if_needed()
    picture("models_panel", width=940)


def test_the_editor_s_own_list_of_missing_models_offers_them(editor: Page) -> None:
    """It takes address and folder from `properties.models`; without those it has a name and nothing to offer."""
    graph = json.loads((PACK / "workflows" / "musetalk.json").read_text(encoding="utf-8"))
    editor.evaluate("graph => app.loadGraphData(graph)", graph)
    editor.get_by_role("button", name="View details").click()
    editor.get_by_text("Missing Models").wait_for()
    for file in (MUSETALK_V15_UNET, SD_VAE, WHISPER_TINY):
        editor.get_by_text(file.place, exact=True).first.wait_for()
    editor.get_by_role("button", name="Download all").wait_for()
    offers = editor.get_by_role("button", name="Download", exact=False)
    assert offers.count() >= 4  # three files, and all


def test_a_download_survives_a_reload_is_cancelled_and_goes_on(
    editor: Page, comfyui: Server, hub: FakeHub, logs: Path
) -> None:
    hub.on[AT] = "slow"
    row = row_of(opened(editor))
    press(row, "Download")
    row.get_by_text("Downloading: 21 MB of 53 MB").wait_for()  # two pieces of 10 MiB are in the first half
    editor.reload()
    editor.wait_for_function("window.app?.extensionManager")
    editor.evaluate("app.extensionManager.command.execute('Workspace.ToggleSidebarTab.lipsync-models')")
    row = row_of(editor.locator(".lipsync-models"))  # among what is under way
    row.get_by_text("Downloading: 21 MB of 53 MB").wait_for()
    editor.screenshot(path=logs / "models_panel_downloading.png")
    press(row, "Cancel")
    hub.go_on.set()
    editor.get_by_text("Other files").click()
    row.get_by_text("Cancelled. What came is kept.").wait_for()
    hub.on.pop(AT)
    row.get_by_text("of it came").wait_for()
    asked = len(hub.asked)
    press(row, "Resume")
    row.get_by_text("other bytes, which were thrown away").wait_for()  # it only said that it was the face parser
    assert any(wanted.startswith("bytes=") for _, _, wanted, _ in hub.asked[asked:])
    assert list((comfyui.models / FACE_PARSER.folder).glob("79999*")) == []


def test_the_real_file_is_downloaded_verified_and_listed(
    editor: Page, comfyui: Server, hub: FakeHub, shared: Path
) -> None:
    hub.put(*AT, (shared / "weights" / FACE_PARSER.name).read_bytes())
    row = row_of(opened(editor))
    press(row, "Download")
    row.get_by_text("Installed: models/face_parsing/79999_iter.pth").wait_for()
    press(row, "Verify")
    row.get_by_text("Whole, with the right hash.").wait_for()
    row.get_by_role("button", name="Verify").wait_for()
    options = comfyui.object_info()["LipSyncFaceParsing"]["input"]["required"]["parser"]
    assert FACE_PARSER.name in json.dumps(options)


def test_what_happened_while_the_connection_was_lost_is_shown(editor: Page, comfyui: Server, hub: FakeHub) -> None:
    row = row_of(opened(editor))
    row.get_by_role("button", name="Download").wait_for()
    path = comfyui.models / FACE_PARSER.folder / FACE_PARSER.name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(FACE_PARSER.size))
    editor.evaluate("import('/scripts/api.js').then(({ api }) => api.socket.close())")
    row.get_by_text("Installed: models/face_parsing/79999_iter.pth").wait_for()


def test_a_refusal_is_shown_with_what_to_do(editor: Page, hub: FakeHub) -> None:
    hub.on[AT] = "gated"
    row = row_of(opened(editor))
    press(row, "Download")
    row.get_by_text("Accept them at https://huggingface.co/ManyOtherFunctions/face-parse-bisent").wait_for()


def test_the_doctor_s_report_has_no_path(editor: Page, comfyui: Server) -> None:
    panel = opened(editor)
    panel.get_by_role("button", name="Examine this machine").click()
    report = panel.locator("pre")
    report.get_by_text("Weights:").wait_for()
    shown = report.inner_text()
    node = comfyui.run(
        {
            "doctor": {"class_type": "LipSyncDoctor", "inputs": {}},
            "show": {"class_type": "PreviewAny", "inputs": {"source": ["doctor", 0]}},
        }
    )
    assert node.failure is None
    (text,) = node.outputs["show"]["text"]
    for line in ("LipSync Studio: ", "Python: ", "PyTorch: ", "ComfyUI: 0.", "Video: PyAV "):
        assert line in text
        assert line in shown
    for private in (str(comfyui.base), str(Path.home()), str(PACK)):
        assert private not in text + shown


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"file": "face-parser"}', "text/plain"),
        (json.dumps({"file": UNUSED}).encode(), "application/json"),
        (b'{"file": "../../etc/passwd"}', "application/json"),
        (b"[", "application/json"),
        (b'{"file": 1}', "application/json"),
        (b"[" * 4000, "application/json"),
        ([b'{"file": "face-parser"}'], "application/json"),
        (b'{"file": "x"}', "application/json; charset=none"),
    ],
    ids=[
        "another page's form",
        "a file no node takes",
        "an unknown file",
        "no JSON",
        "no text",
        "a deep one",
        "one of unknown length",
        "an unknown charset",
    ],
)
def test_a_bad_request_downloads_nothing(comfyui: Server, hub: FakeHub, body: bytes | list[bytes], kind: str) -> None:
    asked = len(hub.asked)
    request = urllib.request.Request(
        f"{comfyui.url}/lipsync_studio/models/download", body, {"Content-Type": kind}, method="POST"
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with pytest.raises(urllib.error.HTTPError) as refused:
        direct.open(request, timeout=30)
    assert refused.value.code == 400
    assert "Expected" in json.loads(refused.value.read())["error"]
    assert len(hub.asked) == asked
