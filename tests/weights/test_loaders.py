"""From files to networks, and what is said about files that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.weights.loaders import (
    load_dwpose,
    load_latentsync_unet,
    load_musetalk_unet,
    load_s3fd,
    load_wav2lip,
    load_whisper_encoder,
)
from safetensors.torch import save_file

SD1_UNET = {
    "conv_in.weight": torch.zeros(320, 4, 3, 3),
    "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight": torch.zeros(320, 768),
}


@pytest.fixture(scope="module")
def whisper() -> dict[str, torch.Tensor]:
    return seeded_checkpoints.seeded(seeded_checkpoints.shapes("whisper_tiny_transformers"), torch.float16)


def refused(path: Path) -> WeightsError:
    with pytest.raises(WeightsError) as caught:
        load_musetalk_unet(path)
    error = caught.value
    assert path.name in error.expected
    assert str(path.parent) not in str(error)
    assert "MuseTalk 1.5 UNet" in error.expected
    assert "musetalkV15/unet.pth" in error.next_step
    assert "models/diffusion_models/musetalkV15" in error.next_step
    return error


def test_a_missing_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "unet.pth").got == "no file there"


@pytest.mark.parametrize(
    ("content", "got"),
    [
        (b"", "an empty file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:7e", "a Git LFS pointer, not the file it points to"),
        (b"<!DOCTYPE html><html>", "a web page saved under this name"),
        (b"GGUF\x03\x00\x00\x00", "a GGUF file"),
        (b"PK\x03\x04" + bytes(1000), "not a readable checkpoint: a truncated zip of 1,004 bytes"),
    ],
)
@pytest.mark.parametrize("name", ["unet.pth", "pytorch_model.bin"])
def test_files_that_are_no_checkpoints(tmp_path: Path, name: str, content: bytes, got: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert refused(tmp_path / name).got == got


def test_random_bytes(tmp_path: Path) -> None:
    (tmp_path / "unet.pth").write_bytes(bytes(range(256)) * 10)
    expected = "not a readable checkpoint (no tensors that PyTorch can read safely)"
    assert refused(tmp_path / "unet.pth").got == expected


class Trap:
    """Pickles to a call of `print`, which a safe reader must not make."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("the file ran code",)


def test_a_pickle_that_wants_to_run_code_is_refused_and_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"conv_in.weight": Trap()}, tmp_path / "unet.pth")
    expected = "not a readable checkpoint (it names print, which is no tensor and might run code)"
    assert refused(tmp_path / "unet.pth").got == expected
    assert "the file ran code" not in capsys.readouterr().out


@pytest.mark.parametrize("kept", [4, 100, 2000])
def test_a_truncated_safetensors_file(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "unet.safetensors"
    save_file(SD1_UNET, path)
    path.write_bytes(path.read_bytes()[:kept])
    assert "truncated" in refused(path).got


def test_a_truncated_pth_file(tmp_path: Path) -> None:
    path = tmp_path / "unet.pth"
    torch.save(SD1_UNET, path)
    path.write_bytes(path.read_bytes()[:-2000])
    assert "a truncated zip" in refused(path).got


@pytest.mark.parametrize(("right", "wrong"), [("a.pth", "a.safetensors"), ("a.safetensors", "a.pth")])
def test_a_file_under_the_wrong_ending(tmp_path: Path, right: str, wrong: str) -> None:
    save = torch.save if right == "a.pth" else save_file
    save(SD1_UNET, tmp_path / right)
    (tmp_path / right).rename(tmp_path / wrong)
    assert f"rename it to .{right.rpartition('.')[2]}" in refused(tmp_path / wrong).got


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_another_network_is_named(tmp_path: Path, name: str) -> None:
    save = torch.save if name == "a.pth" else save_file
    save(SD1_UNET, tmp_path / name)
    assert refused(tmp_path / name).got == "a Stable Diffusion 1 UNet: 4 input channels"


def test_a_list_of_tensors(tmp_path: Path) -> None:
    torch.save([torch.zeros(1), torch.zeros(1)], tmp_path / "latents.pt")
    assert refused(tmp_path / "latents.pt").got == "a saved list, not named tensors"


def test_the_release_that_was_asked_for_is_the_one_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"MuseTalk 1\.0 UNet.*musetalk/pytorch_model\.bin"):
        load_musetalk_unet(tmp_path / "unet.pth", version="v1")


@pytest.mark.parametrize("prefix", ["", "model.", "module."])
@pytest.mark.parametrize("wrapper", [None, "state_dict", "model_state_dict"])
def test_wrapped_and_prefixed_files_are_read(
    tmp_path: Path, whisper: dict[str, torch.Tensor], prefix: str, wrapper: str | None
) -> None:
    named = {f"{prefix}{key}": value for key, value in whisper.items()}
    path = tmp_path / "whisper.pt"
    torch.save({"dims": {"n_mels": 80}, wrapper: named} if wrapper else named, path)
    assert load_whisper_encoder(path)(torch.zeros(1, 80, 3000)).shape == (1500, 5, 384)


def test_a_larger_whisper_is_refused(tmp_path: Path) -> None:
    save_file({"model.encoder.embed_positions.weight": torch.zeros(1500, 512)}, tmp_path / "base.safetensors")
    with pytest.raises(WeightsError, match=r"a Whisper 512 wide, not tiny.*openai/whisper-tiny"):
        load_whisper_encoder(tmp_path / "base.safetensors")


def test_the_references_detectors_are_read(tmp_path: Path) -> None:
    s3fd, dwpose = tmp_path / "s3fd.pth", tmp_path / "dw-ll_ucoco_384.pth"
    # S3FD's file of 2018 is in PyTorch's format of that time.
    state = seeded_checkpoints.seeded(seeded_checkpoints.shapes("s3fd"))
    torch.save(state, s3fd, _use_new_zipfile_serialization=False)
    seeded_checkpoints.save(seeded_checkpoints.seeded(seeded_checkpoints.shapes("dwpose")), dwpose)
    boxes, scores = load_s3fd(s3fd)(torch.zeros(1, 64, 64, 3, dtype=torch.uint8))
    assert (boxes.shape, scores.shape) == ((1, 4), (1,))
    assert load_dwpose(dwpose)(torch.zeros(1, 384, 288, 3)).shape == (1, 68, 2)


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (load_s3fd, "the S3FD face detector in .*; got the DWPose landmark model.*chunyu-li/face-alignment"),
        (load_dwpose, "the DWPose landmark model in .*; got the S3FD face detector.*yzd-v/DWPose"),
    ],
    ids=["dwpose for s3fd", "s3fd for dwpose"],
)
def test_files_in_each_others_place_are_named(tmp_path: Path, load: Callable[[Path], object], words: str) -> None:
    other = {load_s3fd: "dwpose", load_dwpose: "s3fd"}[load]
    empty = {key: torch.zeros(()).expand(shape) for key, shape in seeded_checkpoints.shapes(other).items()}
    torch.save(empty, tmp_path / "wrong.pth")
    with pytest.raises(WeightsError, match=words):
        load(tmp_path / "wrong.pth")


@pytest.mark.parametrize("load", [load_s3fd, load_dwpose])
def test_a_detector_that_is_not_there(tmp_path: Path, load: Callable[[Path], object]) -> None:
    with pytest.raises(WeightsError, match=r"no file there.*models/detection"):
        load(tmp_path / "missing.pth")


def test_latentsync_in_its_wrapper_is_read_and_counted_to_the_last_tensor(tmp_path: Path) -> None:
    """Full shape would be 5 GB: the released names with tensors of one number each get as far as their shapes."""
    named = {key: torch.zeros([1] * len(shape)) for key, shape in seeded_checkpoints.shapes("latentsync_unet").items()}
    path = tmp_path / "latentsync_unet.pt"
    torch.save({"state_dict": {**named, "conv_in.weight": torch.zeros(320, 13, 3, 3)}, "global_step": 1}, path)
    with pytest.raises(WeightsError, match=r"the LatentSync UNet \(1246 tensors\).*of the wrong shape") as caught:
        load_latentsync_unet(path)
    assert "missing" not in str(caught.value)
    assert "unexpected" not in str(caught.value)


def test_another_unet_is_not_latentsync(tmp_path: Path) -> None:
    torch.save(SD1_UNET, tmp_path / "unet.pt")
    with pytest.raises(
        WeightsError, match=r"LatentSync 1\.5 UNet.*a Stable Diffusion 1 UNet.*ByteDance/LatentSync-1\.5"
    ):
        load_latentsync_unet(tmp_path / "unet.pt")
    with pytest.raises(WeightsError, match=r"LatentSync 1\.6 UNet.*no file there.*ByteDance/LatentSync-1\.6"):
        load_latentsync_unet(tmp_path / "latentsync-1.6" / "unet.pt")


def test_wav2lip_is_read_out_of_what_training_left(tmp_path: Path) -> None:
    """As released: a wrapper, a prefix from training on several cards, and the optimiser's state beside."""
    named = {f"module.{key}": tensor for key, tensor in seeded_checkpoints.of_golden("wav2lip").items()}
    moments = {"state": {0: {"step": 1, "exp_avg": torch.zeros(4)}}, "param_groups": []}
    path = tmp_path / "wav2lip_gan.pth"
    torch.save({"state_dict": named, "optimizer": moments, "global_step": 1, "global_epoch": 1}, path)
    painted = load_wav2lip(path)(torch.zeros(1, 6, 96, 96), torch.zeros(1, 80, 16))
    assert painted.shape == (1, 3, 96, 96)


def test_another_network_is_not_wav2lip(tmp_path: Path) -> None:
    torch.save(SD1_UNET, tmp_path / "wav2lip.pth")
    with pytest.raises(WeightsError, match=r"Wav2Lip \(GAN\).*a Stable Diffusion 1 UNet.*camenduru/Wav2Lip"):
        load_wav2lip(tmp_path / "wav2lip.pth")
