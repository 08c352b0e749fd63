"""Weight files on the disk: where they go, whether they are there, whether they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_weights
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.weights.catalog import (
    MUSETALK_V15_UNET,
    SD_VAE,
    WHISPER_BASE_TOKENIZER,
    WHISPER_TINY_TOKENIZER,
)
from lipsync_studio.pipelines.weights.installed import Found, find, free_space, part_of, target, verify, walk
from lipsync_studio.pipelines.weights.weight_file import WeightFile


def put(path: Path, size: int) -> Path:
    """A file that takes no room, however long it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)
    return path


def found(file: WeightFile, *roots: Path) -> Found:
    return find(file, roots, walk(roots))


def test_it_goes_into_the_folder_that_has_the_category_s_own_name(tmp_path: Path) -> None:
    roots = [tmp_path / "unet", tmp_path / "diffusion_models"]
    assert target(MUSETALK_V15_UNET, roots) == tmp_path / "diffusion_models" / "musetalkV15" / "unet.pth"
    assert target(MUSETALK_V15_UNET, [tmp_path / "else"]) == tmp_path / "else" / "musetalkV15" / "unet.pth"


def test_nothing_is_there(tmp_path: Path) -> None:
    assert found(SD_VAE, tmp_path / "vae") == Found("missing", None)


def test_it_is_known_in_its_place(tmp_path: Path) -> None:
    path = put(tmp_path / SD_VAE.name, SD_VAE.size)
    assert found(SD_VAE, tmp_path) == Found("installed", path)


def test_it_is_known_by_its_size_under_any_name_and_in_any_folder(tmp_path: Path) -> None:
    path = put(tmp_path / "mine" / "vae.safetensors", SD_VAE.size)
    assert found(SD_VAE, tmp_path) == Found("installed", path)


@pytest.mark.parametrize("file", [SD_VAE, MUSETALK_V15_UNET], ids=["by its size", "by its name"])
def test_another_file_that_does_is_known(tmp_path: Path, file: WeightFile) -> None:
    other = file.alternatives[0]
    path = put(tmp_path / "x" / other.name, other.size or 1000)
    assert found(file, tmp_path) == Found("alternative", path)


def test_a_common_name_alone_does_not_do(tmp_path: Path) -> None:
    put(tmp_path / "diffusion_pytorch_model.safetensors", 1000)
    assert found(SD_VAE, tmp_path) == Found("missing", None)


def test_a_file_of_another_size_in_its_place_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / SD_VAE.name, 1000)
    assert found(SD_VAE, tmp_path) == Found("other", path)


def test_files_of_one_size_are_told_by_their_place(tmp_path: Path) -> None:
    assert WHISPER_BASE_TOKENIZER.size == WHISPER_TINY_TOKENIZER.size
    path = put(tmp_path / WHISPER_BASE_TOKENIZER.place, WHISPER_BASE_TOKENIZER.size)
    assert found(WHISPER_BASE_TOKENIZER, tmp_path) == Found("installed", path)
    assert found(WHISPER_TINY_TOKENIZER, tmp_path) == Found("missing", None)


def test_what_a_download_left_is_told(tmp_path: Path) -> None:
    put(part_of(tmp_path / SD_VAE.name), 5000)
    assert found(SD_VAE, tmp_path) == Found("missing", None, part=5000)
    put(part_of(tmp_path / SD_VAE.name), SD_VAE.size)  # all of it, but not yet checked
    assert found(SD_VAE, tmp_path) == Found("missing", None, part=SD_VAE.size)


def test_a_whole_file_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(sample_weights.CONTENT)
    news: list[int] = []
    verify(sample_weights.weight_file(), path, lambda done, total: news.append(done))
    assert news == sorted(news)
    assert (news[0], news[-1]) == (0, len(sample_weights.CONTENT))


def test_one_wrong_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(sample_weights.CONTENT[:-1] + bytes([sample_weights.CONTENT[-1] ^ 1]))
    with pytest.raises(WeightsError, match="the SHA-256"):
        verify(sample_weights.weight_file(), path, lambda done, total: None)


def test_free_space_is_that_of_the_disk_where_the_file_will_be(tmp_path: Path) -> None:
    assert free_space(tmp_path / "not" / "there" / "yet.pth") > 0
