"""From a file on disk to a network, or an error that says what the file is instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..core.errors import WeightsError
from ..networks.checkpoint import Checkpoint, read_checkpoint
from ..networks.face_parsing import FaceParser
from ..networks.latentsync_unet import LatentSyncUNet
from ..networks.musetalk_unet import MuseTalkUNet
from ..networks.onnx_tensors import read_onnx
from ..networks.precision import WeightType
from ..networks.rtmpose import DWPose
from ..networks.s3fd import S3FDDetector
from ..networks.sface import SFace
from ..networks.syncnet import SyncNet
from ..networks.wav2lip import Wav2Lip
from ..networks.whisper_encoder import WhisperEncoder
from . import catalog
from .bookkeeping import inert_bookkeeping
from .identify import (
    DWPOSE,
    FACE_PARSER,
    LATENTSYNC_UNET,
    MUSETALK_UNET,
    S3FD,
    SYNCNET,
    WAV2LIP,
    WHISPER_TINY,
    LatentSyncRelease,
    MuseTalkVersion,
    latentsync_file,
    latentsync_release,
    looks_like,
    musetalk_version,
)

# Training wrappers leave these before every name.
_PREFIXES = ("module.", "model.", "unet.")


def load_musetalk_unet(
    path: Path, version: MuseTalkVersion | None = None, weight_type: WeightType = "default"
) -> tuple[MuseTalkUNet, MuseTalkVersion]:
    """The UNet in a file, and which release it is.

    version: None tells it from the file's size, metadata, name and folder. weight_type: how the weights are kept.
    Raises WeightsError when the file is missing, damaged or something else.
    """
    wanted = catalog.MUSETALK_V1_UNET if version == "v1" else catalog.MUSETALK_V15_UNET
    checkpoint = _read(path, wanted, MUSETALK_UNET)
    unet = MuseTalkUNet(checkpoint.state, str(path), weight_type)
    return unet, version or musetalk_version(path, path.stat().st_size, checkpoint.metadata)


def load_latentsync_unet(path: Path, weight_type: WeightType = "default") -> tuple[LatentSyncUNet, LatentSyncRelease]:
    """The UNet in a file (latentsync_unet.pt), and which release it is where that can be told; errors as above."""
    checkpoint = _read(path, latentsync_file(path), LATENTSYNC_UNET)
    unet = LatentSyncUNet(checkpoint.state, str(path), weight_type)
    return unet, latentsync_release(path, path.stat().st_size)


def load_wav2lip(path: Path) -> Wav2Lip:
    """Wav2Lip's generator (wav2lip_gan.pth, wav2lip.pth), with or without what training left in it; errors as above."""
    return Wav2Lip(_read(path, catalog.WAV2LIP_GAN, WAV2LIP).state, str(path))


def load_whisper_encoder(path: Path) -> WhisperEncoder:
    """The encoder of a Whisper-tiny file, in transformers' or openai's layout; errors as above."""
    return WhisperEncoder(_read(path, catalog.WHISPER_TINY, WHISPER_TINY).state, str(path))


def load_face_parser(path: Path) -> FaceParser:
    """The BiSeNet face parser (79999_iter.pth, also known as parsing_bisenet.pth); errors as above."""
    return FaceParser(_read(path, catalog.FACE_PARSER, FACE_PARSER).state, str(path))


def load_s3fd(path: Path) -> S3FDDetector:
    """The S3FD face detector (s3fd-619a316812.pth, also known as s3fd.pth); errors as above."""
    return S3FDDetector(_read(path, catalog.S3FD, S3FD).state, str(path))


def load_dwpose(path: Path) -> DWPose:
    """DWPose's largest model (dw-ll_ucoco_384.pth, with or without what training left in it); errors as above."""
    with inert_bookkeeping(path):
        checkpoint = _read(path, catalog.DWPOSE, DWPOSE)
    return DWPose(checkpoint.state, str(path))


def load_syncnet(path: Path) -> SyncNet:
    """SyncNet v2 (syncnet_v2.model); errors as above."""
    return SyncNet(_read(path, catalog.SYNCNET_V2, SYNCNET).state, str(path))


def load_sface(path: Path) -> SFace:
    """SFace in OpenCV's ONNX file; errors as above."""
    return SFace(read_onnx(path, catalog.SFACE.what, catalog.SFACE.advice), str(path))


def _read(path: Path, wanted: catalog.WeightFile, kind: str) -> Checkpoint:
    """The file with bare tensor names, if it looks like `kind`."""
    checkpoint = read_checkpoint(path, wanted.what, wanted.advice)
    state = _without_prefix(checkpoint.state)
    found = looks_like({key: tuple(tensor.shape) for key, tensor in state.items()})
    if found != kind:
        raise WeightsError(expected=f"{wanted.what} in {path.name}", got=found, next_step=wanted.advice)
    return Checkpoint(state, checkpoint.metadata)


def _without_prefix(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    shared = next((prefix for prefix in _PREFIXES if state and all(key.startswith(prefix) for key in state)), "")
    return {key.removeprefix(shared): tensor for key, tensor in state.items()}
