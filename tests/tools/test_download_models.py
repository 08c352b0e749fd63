"""tools/download_models.py as people run it: a process, against a hub on this machine.

The catalog's own files are too large to be served; their tokenizer is small enough, and a wrong one is refused.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hub_fake
import pytest
from hub_fake import FakeHub
from lipsync_studio.pipelines.weights.bundles import BUNDLES
from lipsync_studio.pipelines.weights.catalog import CATALOG, SD_VAE, WHISPER_BASE_TOKENIZER

TOOL = Path(__file__).resolve().parents[2] / "tools" / "download_models.py"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with hub_fake.running() as running:
        yield running


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("COMFYUI_PATH", "HF_ENDPOINT")}
    local = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments],
        env=clean | local | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_without_a_name_it_lists_what_there_is(models: Path) -> None:
    put(models / "vae" / SD_VAE.name, SD_VAE.size)
    told = run("--models", str(models))
    assert told.returncode == 0, told.stderr
    assert all(key in told.stdout for key in CATALOG)
    assert "1 of 3 files here" in told.stdout
    assert ("no node uses it yet" in told.stdout) == any(not bundle.is_usable for bundle in BUNDLES.values())


def test_a_dry_run_says_sizes_and_room_and_asks_nobody(models: Path, hub: FakeHub) -> None:
    put(models / "vae" / SD_VAE.name, SD_VAE.size)
    told = run("musetalk", "--dry-run", "--models", str(models), HF_ENDPOINT=hub.url)
    assert told.returncode == 0, told.stderr
    assert "vae-ft-mse-840000-ema-pruned.safetensors: is here" in told.stdout
    assert "diffusion_models/musetalkV15/unet.pth: 3.40 GB to download" in told.stdout
    assert "3.55 GB to download, " in told.stdout
    assert " free" in told.stdout
    assert hub.asked == []
    assert not (models / "diffusion_models").exists()


@pytest.mark.parametrize("how", ["HF_ENDPOINT", "--endpoint"])
def test_the_mirror_is_asked_and_a_wrong_file_refused(models: Path, hub: FakeHub, how: str) -> None:
    hub.put(WHISPER_BASE_TOKENIZER.repo, WHISPER_BASE_TOKENIZER.path, b"{}")
    told = (
        run("whisper-base-tokenizer", "--models", str(models), HF_ENDPOINT=hub.url)
        if how == "HF_ENDPOINT"
        else run("whisper-base-tokenizer", "--models", str(models), "--endpoint", hub.url)
    )
    assert told.returncode == 1
    assert "Expected Whisper-base's tokenizer, 2,480,466 bytes" in told.stdout
    assert "Traceback" not in told.stderr
    assert [asked[1].split("/resolve/")[0] for asked in hub.asked] == ["/openai/whisper-base"]
    assert not (models / WHISPER_BASE_TOKENIZER.folder / WHISPER_BASE_TOKENIZER.name).exists()


def test_what_is_here_is_not_downloaded_again(models: Path, hub: FakeHub) -> None:
    put(models / "unet" / "my_musetalk.pth", CATALOG["musetalk-v15-unet"].size)
    told = run("musetalk-v15-unet", "--models", str(models), HF_ENDPOINT=hub.url)
    assert told.returncode == 0, told.stdout
    assert "is here" in told.stdout
    assert hub.asked == []


def test_verify_finds_a_file_of_the_right_size_with_wrong_bytes(models: Path) -> None:
    put(models / WHISPER_BASE_TOKENIZER.folder / "tokenizer.json", WHISPER_BASE_TOKENIZER.size)
    told = run("whisper-base-tokenizer", "--verify", "--models", str(models))
    assert told.returncode == 1
    assert "SHA-256" in told.stdout


def test_the_models_folder_of_comfyui_path_is_used(models: Path) -> None:
    assert run("sd-vae", "--dry-run", COMFYUI_PATH=str(models.parent)).returncode == 0
    assert "Where is ComfyUI?" in run("sd-vae", COMFYUI_PATH=str(models)).stderr


def test_an_unknown_name_is_answered_with_the_known_ones(models: Path) -> None:
    told = run("musetork", "--models", str(models))
    assert told.returncode == 1
    assert "musetalk" in told.stderr
