"""What a weight file is, by its tensors and its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.weights.catalog import (
    LATENTSYNC_V15_UNET,
    LATENTSYNC_V16_UNET,
    MUSETALK_V1_UNET,
    MUSETALK_V15_UNET,
    WeightFile,
)
from lipsync_studio.pipelines.weights.identify import (
    latentsync_file,
    latentsync_release,
    looks_like,
    musetalk_version,
)

UNETS = [
    ([320, 8, 3, 3], 384, "a MuseTalk UNet"),
    ([320, 4, 3, 3], 768, "a Stable Diffusion 1 UNet: 4 input channels"),
    ([320, 9, 3, 3], 768, "a Stable Diffusion 1 UNet: 9 input channels"),
    ([320, 8, 3, 3], 768, "a Stable Diffusion 1 UNet: 8 input channels"),
    ([320, 4, 3, 3], 1024, "a Stable Diffusion 2 UNet: 4 input channels"),
    ([320, 4, 3, 3], 2048, "a Stable Diffusion XL UNet: 4 input channels"),
    ([320, 4, 3, 3], 123, "a foreign UNet: 4 input channels"),
    ([320, 13, 3, 3], 384, "a LatentSync UNet: 13 input channels"),
    ([320, 3, 3, 8], 384, "a MuseTalk UNet in MLX's layout (channels last)"),
]

OTHERS = [
    ("lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", "a LoRA"),
    ("first_stage_model.encoder.conv_in.weight", "a VAE"),
    ("decoder.conv_in.weight", "a VAE"),
    ("cond_stage_model.transformer.text_model.final_layer_norm.bias", "a whole Stable Diffusion checkpoint"),
    ("text_model.final_layer_norm.bias", "a CLIP text encoder"),
    ("controlnet_cond_embedding.conv_in.weight", "a ControlNet"),
    ("face_encoder_blocks.0.0.conv_block.0.weight", "a Wav2Lip model"),
    ("netcnnaud.0.weight", "the SyncNet that scores lip sync"),
    ("conv7_2_mbox_loc.bias", "the S3FD face detector"),
    ("L2Norm3_3.weight", "the S3FD face detector under the tensor names of SyncNet's sfd_face.pth"),
    ("detector_short.stem.weight", "the MediaPipe face landmarker of ComfyUI's own nodes"),
    ("cp.resnet.conv1.weight", "the BiSeNet face parser"),
]

# points, channels, columns, rows of two to a pixel
RTMPOSES = [
    ((133, 1024, 576, 768), "the DWPose landmark model"),
    ((133, 1024, 384, 512), "another RTMPose: 133 points, 192 x 256 px, 1024 channels"),
    ((133, 768, 576, 768), "another RTMPose: 133 points, 288 x 384 px, 768 channels"),
    ((17, 1024, 576, 768), "another RTMPose: 17 points, 288 x 384 px, 1024 channels"),
]


@pytest.mark.parametrize(("conv_in", "width", "name"), UNETS)
def test_unets_are_told_apart_by_what_goes_in(conv_in: list[int], width: int, name: str) -> None:
    attention = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight"
    assert looks_like({"conv_in.weight": tuple(conv_in), attention: (320, width)}) == name


@pytest.mark.parametrize(("key", "name"), OTHERS)
def test_other_networks_are_known_by_a_tensor_of_theirs(key: str, name: str) -> None:
    assert looks_like({"something.weight": (3,), key: (1, 2, 3, 4)}) == name


@pytest.mark.parametrize(("sizes", "name"), RTMPOSES)
def test_dwposes_are_told_apart_by_their_sizes(sizes: tuple[int, int, int, int], name: str) -> None:
    points, channels, columns, rows = sizes
    shapes = {
        "head.final_layer.weight": (points, channels, 7, 7),
        "head.cls_x.weight": (columns, 256),
        "head.cls_y.weight": (rows, 256),
    }
    assert looks_like(shapes) == name


@pytest.mark.parametrize("prefix", ["", "diffusion_model.", "model.diffusion_model."])
def test_a_unet_that_was_already_converted_is_named_so(prefix: str) -> None:
    found = looks_like({f"{prefix}input_blocks.0.0.weight": (320, 8, 3, 3)})
    assert found == "a UNet under ComfyUI's own tensor names: 8 input channels"


def test_a_quantised_unet_is_named_so() -> None:
    keys = ["conv_in.weight", "down_blocks.0.attentions.0.proj_in.weight_scale"]
    assert looks_like(dict.fromkeys(keys, (320, 8, 3, 3))) == "a quantised UNet: 8 input channels"


@pytest.mark.parametrize(("width", "name"), [(384, "a Whisper 384 wide (tiny)"), (512, "a Whisper 512 wide, not tiny")])
@pytest.mark.parametrize(
    "key", ["model.encoder.embed_positions.weight", "encoder.embed_positions.weight", "encoder.positional_embedding"]
)
def test_whispers_are_known_by_their_width(key: str, width: int, name: str) -> None:
    assert looks_like({key: (1500, width)}) == name


KNOWN_KEYS = [key for key, _ in OTHERS] + [
    "conv_in.weight",
    "down_blocks.0.attn2.to_k.weight",
    "input_blocks.0.0.weight",
    "encoder.positional_embedding",
    "head.cls_x.weight",
    "head.final_layer.weight",
]


@given(
    st.dictionaries(
        st.sampled_from(KNOWN_KEYS) | st.text(max_size=5), st.lists(st.integers(0, 2000), max_size=5).map(tuple)
    )
)
def test_no_shape_is_too_odd_to_be_described(shapes: dict[str, tuple[int, ...]]) -> None:
    assert looks_like(shapes).startswith(("a ", "another ", "the ", "something unknown: "))


def test_what_is_unknown_is_described() -> None:
    assert looks_like({"a": (1,), "b": (1,)}) == "something unknown: 2 tensors (a, b)"
    assert looks_like({}) == "something unknown: 0 tensors (none)"


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ("musetalk_unet", "a MuseTalk UNet"),
        ("sd_vae_ft_mse_hub", "a VAE"),
        ("whisper_tiny_openai", "a Whisper 384 wide (tiny)"),
        ("whisper_tiny_transformers", "a Whisper 384 wide (tiny)"),
        ("s3fd", "the S3FD face detector"),
        ("dwpose", "the DWPose landmark model"),
    ],
)
def test_the_released_files_are_recognised(goldens: Path, manifest: str, name: str) -> None:
    assert looks_like(json.loads((goldens / "manifests" / f"{manifest}.json").read_text())) == name


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ("latentsync_unet", "a LatentSync UNet: 13 input channels"),
        ("wav2lip", "a Wav2Lip model"),
        ("syncnet_v2", "the SyncNet that scores lip sync"),
        ("face-parse-79999_iter", "the BiSeNet face parser"),
        ("sd-vae-ft-mse.diffusers", "a VAE"),
        ("resnet18-5c106cde", "something unknown: 102 tensors (conv1.weight, bn1.weight, bn1.bias)"),
    ],
)
def test_the_files_that_lie_beside_them_are_recognised(shared: Path, manifest: str, name: str) -> None:
    keys = json.loads((shared / "manifests" / f"{manifest}.json").read_text())["keys"]
    assert looks_like({entry["key"]: tuple(entry["shape"]) for entry in keys}) == name


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("musetalkV15/unet.pth", "v1.5"),
        ("musetalkV15/pytorch_model.bin", "v1.5"),
        ("musetalk/pytorch_model.bin", "v1"),
        ("MuseTalk/musetalk_v1.5_fp16.safetensors", "v1.5"),
        ("MuseTalk/musetalk-1_5.safetensors", "v1.5"),
        ("MuseTalk/MuseTalk 1.5.safetensors", "v1.5"),
        ("MuseTalk/musetalk-v1.0.safetensors", "v1"),
        ("MuseTalk/musetalk_v1_fp16.safetensors", "v1"),
        ("MuseTalk/musetalk1.safetensors", "v1"),
        ("MuseTalk-v1/unet.fp16.safetensors", "v1"),
        ("musetalk_v1/unet_v15.safetensors", "v1.5"),
        ("musetalk/unet.pth", "v1.5"),
        ("diffusion_models/mouth.safetensors", "v1.5"),
        ("v16/unet.safetensors", "v1.5"),
    ],
)
def test_the_release_is_told_by_names(path: str, version: str) -> None:
    assert musetalk_version(Path(path), 1_700_000_000, {}) == version


def test_a_released_size_speaks_louder_than_names() -> None:
    assert musetalk_version(Path("musetalk_v1/a.bin"), MUSETALK_V15_UNET.size, {}) == "v1.5"
    assert musetalk_version(Path("musetalkV15/a.bin"), MUSETALK_V1_UNET.size, {}) == "v1"


def test_metadata_speaks_louder_than_names_when_it_is_about_musetalk() -> None:
    path = Path("musetalkV15/unet.safetensors")
    assert musetalk_version(path, 1, {"title": "MuseTalk v1 fp16"}) == "v1"
    assert musetalk_version(path, 1, {"format": "v1"}) == "v1.5"


@pytest.mark.parametrize(
    ("path", "size", "release"),
    [
        ("anything.pt", LATENTSYNC_V15_UNET.size, "1.5"),
        ("latentsync-1.5/latentsync_unet.pt", LATENTSYNC_V16_UNET.size, "1.6"),
        ("latentsync-1.5/latentsync_unet.pt", 1, "1.5"),
        ("latentsync-1.6/latentsync_unet.pt", 1, "1.6"),
        ("LatentSync_v1_6.safetensors", 1, "1.6"),
        ("latentsync1.5-fp16.safetensors", 1, "1.5"),
        ("latentsync-1.5/LatentSync-1.6.pt", 1, "1.6"),
        ("v1.6/unet.pt", 1, "1.6"),
        ("latentsync/latentsync_unet.pt", 1, ""),
        ("latentsync_1500_steps.pt", 1, ""),
        ("sd-1.5/unet.pt", 1, ""),
    ],
)
def test_latentsync_s_release_is_told_by_size_then_name_then_folder(path: str, size: int, release: str) -> None:
    assert latentsync_release(Path(path), size) == release


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("latentsync-1.6/latentsync_unet.pt", LATENTSYNC_V16_UNET),
        ("latentsync-1.5/latentsync_unet.pt", LATENTSYNC_V15_UNET),
        ("latentsync_unet.pt", LATENTSYNC_V15_UNET),
        ("", LATENTSYNC_V15_UNET),
    ],
)
def test_where_a_latentsync_file_lacks_its_own_release_is_named(path: str, file: WeightFile) -> None:
    assert latentsync_file(Path(path)) is file
