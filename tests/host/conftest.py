"""A real ComfyUI with this pack, started once for all host tests, and its editor in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import did_fake
import host
import hub_fake
import portrait_clip
import pytest
import seeded_checkpoints

if TYPE_CHECKING:
    from playwright.sync_api import Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")

CLIP = "clip.mp4"  # the shipped workflows load it by this name

WITHIN_SECONDS = 120  # the editor does anything, a run of a small graph included, on a busy machine

# A browser that does what the test asks and nothing else; containers run it as root, which the sandbox refuses.
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where logs and screenshots are kept for people to look at."""
    folder = os.environ.get("LIPSYNC_STUDIO_LOGS")
    return Path(folder) if folder else tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def did_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[did_fake.FakeDID]:
    """A fake D-ID, which `comfyui` talks to in place of the real one. No key is set."""
    talk = portrait_clip.write(tmp_path_factory.mktemp("did") / "talk.mp4", 10, side=64, sound_seconds=0.4)
    with did_fake.running(talk.read_bytes()) as fake, pytest.MonkeyPatch.context() as environment:
        environment.setenv("LIPSYNC_STUDIO_DID_URL", fake.url)
        environment.delenv("DID_API_KEY", raising=False)
        yield fake


@pytest.fixture(scope="session")
def hub_server() -> Iterator[hub_fake.FakeHub]:
    """A fake Hugging Face without files, which `comfyui` talks to in place of the real one."""
    with hub_fake.running() as fake, pytest.MonkeyPatch.context() as environment:
        environment.setenv("HF_ENDPOINT", fake.url)
        environment.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "300")  # seconds; a test holds an answer back
        environment.delenv("HF_TOKEN", raising=False)
        for name in ("no_proxy", "NO_PROXY"):
            environment.setenv(name, "127.0.0.1,localhost")
        yield fake


@pytest.fixture(scope="session")
def comfyui(
    tmp_path_factory: pytest.TempPathFactory, logs: Path, did_server: did_fake.FakeDID, hub_server: hub_fake.FakeHub
) -> Iterator[host.Server]:
    """ComfyUI on the CPU with this pack only. Its folders are empty but for the inputs of the shipped workflows, among
    them `clip`. Its caches live from test to test.
    """
    with host.running(tmp_path_factory.mktemp("comfyui"), logs / "comfyui.log", cpu=True) as server:
        for file in (host.PACK / "workflows" / "inputs").iterdir():
            shutil.copy2(file, server.input)
        portrait_clip.write(server.input / CLIP, 20, faceless=range(5, 11), hidden={14}, sound_seconds=0.8)
        yield server


@pytest.fixture(scope="session")
def clip(comfyui: host.Server) -> str:
    """A video for LoadVideo: 20 frames of 256x256 with sound; no face in 5-10, a cutaway; 14 is bridged."""
    return CLIP


@pytest.fixture(scope="session")
def speech(comfyui: host.Server) -> str:
    """A file for LoadAudio: as long as `clip`."""
    return portrait_clip.write_speech(comfyui.input / "speech.wav", 0.8).name


@pytest.fixture(scope="session")
def musetalk_weights(comfyui: host.Server) -> Iterator[None]:
    """Random weights of full shape under the names that the shipped workflows ask for; gone after the tests."""
    writers = {
        "diffusion_models/musetalkV15/unet.pth": seeded_checkpoints.musetalk_unet,
        "vae/vae-ft-mse-840000-ema-pruned.safetensors": seeded_checkpoints.sd_vae,
        "audio_encoders/whisper-tiny/model.safetensors": seeded_checkpoints.whisper_tiny,
    }
    for name, tensors in writers.items():
        seeded_checkpoints.save(tensors(), comfyui.models / name)
    yield
    for name in writers:
        (comfyui.models / name).unlink()


@pytest.fixture
def editor(comfyui: host.Server, tmp_path: Path, logs: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The editor with an empty graph, as a browser page. A screenshot of its end goes to the logs.

    Fails the test when the editor shows an error, or one of this pack's files cannot be loaded.
    """
    playwright_api = pytest.importorskip("playwright.sync_api")
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is on the PATH")
    # A first visit begins with an empty graph and the templates; others with a graph whose models are missing here.
    comfyui.post("/settings", {"Comfy.TutorialCompleted": False})
    with playwright_api.sync_playwright() as playwright:
        window = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=browser,
            args=BROWSER_ARGUMENTS,
            viewport={"width": 1600, "height": 1000},
        )
        page = window.new_page()
        page.set_default_timeout(WITHIN_SECONDS * 1000)
        complaints = _collect_complaints(page)
        page.goto(comfyui.url)
        templates = page.get_by_role("dialog")
        templates.wait_for()
        page.keyboard.press("Escape")
        templates.wait_for(state="hidden")
        yield page
        page.evaluate("app.graph.nodes.length && app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        page.wait_for_timeout(500)  # the view moves softly; only the screenshot waits for it
        page.screenshot(path=logs / f"{request.node.name}.png")
        complaints += page.locator(".p-toast-message-error").all_inner_texts()
        window.close()
    assert complaints == []


def _collect_complaints(page: Page) -> list[str]:
    """Filled while the page lives: its uncaught errors, and files of this pack that did not arrive."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "response",
        lambda response: (
            complaints.append(f"{response.status} for {response.url}")
            if host.PACK_NAME in response.url and response.status >= 400
            else None
        ),
    )
    return complaints
