"""A real ComfyUI with this pack, started once for all host tests, and its editor in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import did_fake
import host
import hub_fake
import portrait_clip
import pytest
import sample_clips
import seeded_checkpoints
from editor_page import NoBrowserError, browser_window, open_empty, save_jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

CLIP = sample_clips.ONE_PERSON  # the shipped workflows load it by this name

VIEW = 1600, 1000  # px of the editor's page

WITHIN_SECONDS = 120  # the editor does anything, a run of a small graph included, on a busy machine


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
def two_people(comfyui: host.Server) -> str:
    """A video for LoadVideo: two people beside each other, 20 frames of 1024x512; nothing moves."""
    sample_clips.write_two_people(comfyui)
    return sample_clips.TWO_PEOPLE


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
    pytest.importorskip("playwright.sync_api")
    with ExitStack() as closing:
        try:
            window = closing.enter_context(browser_window(tmp_path / "profile", *VIEW))
        except NoBrowserError as missing:
            pytest.skip(str(missing))
        page = window.new_page()
        page.set_default_timeout(WITHIN_SECONDS * 1000)
        complaints = _collect_complaints(page)
        open_empty(page, comfyui)
        yield page
        page.evaluate("app.graph.nodes.length && app.extensionManager.command.execute('Comfy.Canvas.FitView')")
        page.wait_for_timeout(500)  # the view moves softly; only the screenshot waits for it
        page.screenshot(path=logs / f"{request.node.name}.png")
        complaints += page.locator(".p-toast-message-error").all_inner_texts()
    assert complaints == []


class Picture(Protocol):
    """Keeps what the editor shows now as docs/NAME.jpg. width: px of the page, from the left."""

    def __call__(self, name: str, width: int = VIEW[0]) -> None: ...


@pytest.fixture
def picture(editor: Page, request: pytest.FixtureRequest) -> Picture:
    """Does nothing but with pytest's option --pictures."""

    def keep(name: str, width: int = VIEW[0]) -> None:
        if request.config.getoption("--pictures"):
            editor.evaluate("app.extensionManager.setting.set('Comfy.Minimap.Visible', false)")
            editor.wait_for_timeout(3000)  # what moves softly comes to rest
            part = editor.screenshot(clip={"x": 0, "y": 0, "width": width, "height": VIEW[1]})
            save_jpeg(part, host.PACK / "docs" / f"{name}.jpg")

    return keep


def _collect_complaints(page: Page) -> list[str]:
    """Filled while the page lives: its uncaught errors, and files of this pack that did not arrive."""
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def examine(response: Response) -> None:
        ours = host.PACK_NAME in response.url
        translation = response.url.endswith("/en.md")  # of a help page; asked for before the page itself
        if ours and response.status >= 400 and not translation:
            complaints.append(f"{response.status} for {response.url}")

    page.on("response", examine)
    return complaints
