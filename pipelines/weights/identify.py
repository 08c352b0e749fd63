"""What a weight file is, by the names and shapes of its tensors; which release, by its size and its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from .catalog import LATENTSYNC_V15_UNET, LATENTSYNC_V16_UNET, MUSETALK_V1_UNET, MUSETALK_V15_UNET, WeightFile

Shapes = Mapping[str, tuple[int, ...]]
MuseTalkVersion = Literal["v1.5", "v1"]
LatentSyncRelease = Literal["1.5", "1.6", ""]

MUSETALK_UNET = "a MuseTalk UNet"
LATENTSYNC_UNET = "a LatentSync UNet: 13 input channels"
FACE_PARSER = "the BiSeNet face parser"
S3FD = "the S3FD face detector"
WAV2LIP = "a Wav2Lip model"
DWPOSE = "the DWPose landmark model"
SYNCNET = "the SyncNet that scores lip sync"
WHISPER_TINY = "a Whisper 384 wide (tiny)"

# Part of a tensor's name -> what has such tensors. The first that fits counts.
_SIGNS = {
    "lora_": "a LoRA",
    ".lora.": "a LoRA",
    "cond_stage_model.": "a whole Stable Diffusion checkpoint",
    "conditioner.embedders.": "a whole Stable Diffusion XL checkpoint",
    "controlnet_": "a ControlNet",
    "control_model.": "a ControlNet",
    "face_encoder_blocks.": WAV2LIP,
    "netcnnaud.": SYNCNET,
    "conv7_2_mbox_loc.": S3FD,
    "L2Norm3_3.": "the S3FD face detector under the tensor names of SyncNet's sfd_face.pth",
    "detector_short.": "the MediaPipe face landmarker of ComfyUI's own nodes",
    "cp.resnet.": FACE_PARSER,
    "first_stage_model.": "a VAE",
    "decoder.conv_in.": "a VAE",
    "text_model.": "a CLIP text encoder",
}

_WHISPER_POSITIONS = (
    "model.encoder.embed_positions.weight",
    "encoder.embed_positions.weight",
    "encoder.positional_embedding",
)

# What decides whether an RTMPose is DWPose's largest: points, channels, columns and rows (two to a pixel).
_DWPOSE_SIZES = (133, 1024, 576, 768)

# Width of what a UNet's cross-attention listens to -> family.
_FAMILIES = {384: "audio-driven", 768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "Stable Diffusion XL"}


def looks_like(shapes: Shapes) -> str:
    """What holds these tensors, in words: "a Stable Diffusion 1 UNet: 4 input channels"."""
    width = next((_size(shapes[key], 1) for key in _WHISPER_POSITIONS if key in shapes), None)
    if width is not None:
        return WHISPER_TINY if width == 384 else f"a Whisper {width} wide, not tiny"
    found = next((what for sign, what in _SIGNS.items() if any(sign in key for key in shapes)), None)
    if found is not None:
        return found
    if "head.cls_x.weight" in shapes:
        return _rtmpose(shapes)
    first = next((key for key in shapes if key.endswith("input_blocks.0.0.weight")), None)
    if first is not None:
        return f"a UNet under ComfyUI's own tensor names: {_size(shapes[first], 1)} input channels"
    if "conv_in.weight" in shapes and any(key.startswith("down_blocks.") for key in shapes):
        return _unet(shapes)
    named = ", ".join(list(shapes)[:3]) or "none"
    return f"something unknown: {len(shapes)} tensors ({named})"


def _unet(shapes: Shapes) -> str:
    """A UNet under diffusers' names."""
    inputs = _size(shapes["conv_in.weight"], 1)
    context = next((_size(shape, 1) for key, shape in shapes.items() if key.endswith("attn2.to_k.weight")), 0)
    if _size(shapes["conv_in.weight"], 3) == 8:
        return "a MuseTalk UNet in MLX's layout (channels last)"
    if any(key.endswith((".scales", ".absmax", ".weight_scale")) for key in shapes):
        return f"a quantised UNet: {inputs} input channels"
    if (inputs, context) == (8, 384):
        return MUSETALK_UNET
    if inputs == 13:
        return LATENTSYNC_UNET
    return f"a {_FAMILIES.get(context, 'foreign')} UNet: {inputs} input channels"


def _rtmpose(shapes: Shapes) -> str:
    """DWPose, or another network of MMPose's RTMPose family."""
    last, columns, rows = (shapes.get(f"head.{name}.weight", ()) for name in ("final_layer", "cls_x", "cls_y"))
    sizes = (_size(last, 0), _size(last, 1), _size(columns, 0), _size(rows, 0))
    if sizes == _DWPOSE_SIZES:
        return DWPOSE
    points, channels, width, height = sizes
    return f"another RTMPose: {points} points, {width // 2} x {height // 2} px, {channels} channels"


def _size(shape: tuple[int, ...], axis: int) -> int:
    """0 for an axis that is not there: packed formats flatten their tensors."""
    return shape[axis] if axis < len(shape) else 0


_RELEASED_SIZES: dict[int, MuseTalkVersion] = {MUSETALK_V15_UNET.size: "v1.5", MUSETALK_V1_UNET.size: "v1"}
_V15 = re.compile(r"(?:musetalk|v)[-_. ]*v?[-_. ]?1[-_. ]?5(?!\d)", re.IGNORECASE)
_V1 = re.compile(r"(?:musetalk|v)[-_. ]*v?[-_. ]?1(?:[-_. ]?0)?(?![-_. ]?\d(?!\d))(?!\d)", re.IGNORECASE)


def musetalk_version(path: Path, size: int, metadata: Mapping[str, str]) -> MuseTalkVersion:
    """Which release a MuseTalk UNet belongs to; the networks are alike, so only circumstances can tell.

    size: bytes of the file. metadata: of safetensors. Asked in this order: the exact size of a released file, the
    metadata where it speaks of MuseTalk, the file's name, its folder's name, and v1's released name
    pytorch_model.bin. What tells nothing is taken for v1.5, the current release.
    """
    if size in _RELEASED_SIZES:
        return _RELEASED_SIZES[size]
    told = [value for value in metadata.values() if "musetalk" in value.lower()]
    for text in (*told, path.stem, path.parent.name):
        if _V15.search(text):
            return "v1.5"
        if _V1.search(text):
            return "v1"
    return "v1" if path.name == "pytorch_model.bin" else "v1.5"


_LATENTSYNC_SIZES: dict[int, LatentSyncRelease] = {LATENTSYNC_V15_UNET.size: "1.5", LATENTSYNC_V16_UNET.size: "1.6"}
_LATENTSYNC = re.compile(r"(?:latent[-_. ]?sync[-_. ]*|^)v?[-_. ]?1[-_. ]?([56])(?!\d)", re.IGNORECASE)


def latentsync_release(path: Path, size: int) -> LatentSyncRelease:
    """Which release a LatentSync UNet belongs to, empty where nothing tells; the networks are alike.

    size: bytes of the file. Asked in this order: the exact size of a released file, the file's name, its folder's.
    """
    if size in _LATENTSYNC_SIZES:
        return _LATENTSYNC_SIZES[size]
    told = next(filter(None, map(_LATENTSYNC.search, (path.stem, path.parent.name))), None)
    if told is None:
        return ""
    return "1.5" if told[1] == "5" else "1.6"


def latentsync_file(path: Path) -> WeightFile:
    """The released UNet that belongs at `path`, by its name and its folder's; 1.5's where they do not tell."""
    return LATENTSYNC_V16_UNET if latentsync_release(path, size=0) == "1.6" else LATENTSYNC_V15_UNET
