"""The weight files that the engines need: where they come from and where they go. Nothing is downloaded here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WeightFile:
    """One file of a model hub.

    what: as people call it. repo, path: repository and file on Hugging Face. size: bytes. sha256: hex digest.
    licence: what its page says. folder: under ComfyUI's `models`.
    """

    what: str
    repo: str
    path: str
    size: int
    sha256: str
    licence: str
    folder: str

    @property
    def advice(self) -> str:
        """What to do to get it."""
        return f"Put {self.path} ({self.size / 1e9:.2f} GB) of {self.repo} on Hugging Face into models/{self.folder}."


_MUSETALK_LICENCE = "MIT code; the README allows any use of the weights, the hub's tag is CreativeML Open RAIL-M"

MUSETALK_V15_UNET = WeightFile(
    what="the MuseTalk 1.5 UNet",
    repo="TMElyralab/MuseTalk",
    path="musetalkV15/unet.pth",
    size=3_400_074_924,
    sha256="7ebf6c98c181e20838e4c0054e96e944ac60d5d692cc01db42839fe11b787007",
    licence=_MUSETALK_LICENCE,
    folder="diffusion_models/musetalkV15",
)

MUSETALK_V1_UNET = WeightFile(
    what="the MuseTalk 1.0 UNet",
    repo="TMElyralab/MuseTalk",
    path="musetalk/pytorch_model.bin",
    size=3_400_076_549,
    sha256="0ee7d5ea03ea75d8dca50ea7a76df791e90633687a135c4a69393abfc0475ffe",
    licence=_MUSETALK_LICENCE,
    folder="diffusion_models/musetalk",
)

SD_VAE = WeightFile(
    what="Stable Diffusion 1's VAE, fine-tuned (ft-mse)",
    repo="stabilityai/sd-vae-ft-mse-original",
    path="vae-ft-mse-840000-ema-pruned.safetensors",
    size=334_641_190,
    sha256="735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75",
    licence="MIT",
    folder="vae",
)

WHISPER_TINY = WeightFile(
    what="Whisper-tiny",
    repo="openai/whisper-tiny",
    path="model.safetensors",
    size=151_061_672,
    sha256="7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395",
    licence="Apache-2.0",
    folder="audio_encoders/whisper-tiny",
)

FACE_PARSER = WeightFile(
    what="the BiSeNet face parser",
    repo="ManyOtherFunctions/face-parse-bisent",
    path="79999_iter.pth",
    size=53_289_463,
    sha256="468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
    licence="MIT code; trained on CelebAMask-HQ, which is for non-commercial use",
    folder="face_parsing",
)

S3FD = WeightFile(
    what="the S3FD face detector",
    repo="chunyu-li/face-alignment",
    path="s3fd-619a316812.pth",
    size=89_843_225,
    sha256="619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
    licence="BSD-3 code; trained on WIDER FACE, which is for non-commercial use (CC BY-NC-ND 4.0)",
    folder="detection",
)

DWPOSE = WeightFile(
    what="the DWPose landmark model",
    repo="yzd-v/DWPose",
    path="dw-ll_ucoco_384.pth",
    size=406_878_486,
    sha256="0d9408b13cd863c4e95a149dd31232f88f2a12aa6cf8964ed74d7d97748c7a07",
    licence="Apache-2.0; trained on COCO-WholeBody, whose annotations are for non-commercial research",
    folder="detection",
)
