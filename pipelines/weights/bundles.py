"""Which files go together, and what a graphics card needs for them."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from . import catalog
from .weight_file import WeightFile

_GB = 10**9
_ENOUGH = 0.95  # a card sold as "4 GB" says that it has a little less


@dataclass(frozen=True)
class Bundle:
    """What people choose: an engine, or a part that nodes need.

    label: for people. files: all of them are needed. vram: bytes of video memory below which it does not fit, 0 = any.
    """

    label: str
    files: tuple[WeightFile, ...] = ()
    vram: int = 0

    @property
    def is_usable(self) -> bool:
        """Whether nodes of this pack take its files."""
        return all(file.uses for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def fit(bundle: Bundle, vram: int) -> str:
    """How it goes on a graphics card with so many bytes, 0 = none, in words that follow its label."""
    if not bundle.vram:
        return "needs no graphics card"
    if not vram:
        return "runs on the CPU, slowly"
    if vram >= bundle.vram * _ENOUGH:
        return "fits"
    return f"is slow: it wants {bundle.vram / _GB:.0f} GB of video memory, so parts wait outside"


_MUSETALK_PARTS = (catalog.SD_VAE, catalog.WHISPER_TINY)

# Video memory: MuseTalk (fp16) and Wav2Lip (fp32) estimated from weights and a block of frames; LatentSync as its
# README says (8 GB at 256 px, 18 GB at 512 px).
BUNDLES: Final = MappingProxyType(
    {
        "draft": Bundle("Draft Engine"),
        "musetalk": Bundle("MuseTalk 1.5", (catalog.MUSETALK_V15_UNET, *_MUSETALK_PARTS), 4 * _GB),
        "musetalk-1.0": Bundle("MuseTalk 1.0", (catalog.MUSETALK_V1_UNET, *_MUSETALK_PARTS), 4 * _GB),
        "face-parsing": Bundle("Face Parsing Mask", (catalog.FACE_PARSER,)),
        "musetalk-detectors": Bundle("S3FD + DWPose", (catalog.S3FD, catalog.DWPOSE)),
        "timestamps": Bundle("Word Timestamps", (catalog.WHISPER_BASE, catalog.WHISPER_BASE_TOKENIZER)),
        "timestamps-small": Bundle("Word Timestamps, finer", (catalog.WHISPER_SMALL, catalog.WHISPER_SMALL_TOKENIZER)),
        "timestamps-turbo": Bundle("Word Timestamps, finest", (catalog.WHISPER_TURBO, catalog.WHISPER_TURBO_TOKENIZER)),
        "latentsync-1.5": Bundle("LatentSync 1.5", (catalog.LATENTSYNC_V15_UNET, *_MUSETALK_PARTS), 8 * _GB),
        "latentsync-1.6": Bundle("LatentSync 1.6", (catalog.LATENTSYNC_V16_UNET, *_MUSETALK_PARTS), 18 * _GB),
        "wav2lip": Bundle("Wav2Lip (non-commercial)", (catalog.WAV2LIP_GAN,), 2 * _GB),
        "sync-score": Bundle("Sync score", (catalog.SYNCNET_V2,)),
        "identity": Bundle("Identity in the Quality Report", (catalog.SFACE,)),
    }
)
"""Bundle by the name that tools/download_models.py takes."""
