"""The weight files that the engines need: where they come from and where they go. Nothing is downloaded here.

`docs/weights.md` is written from this file by tools/list_weights.py. Sizes and hashes are those the hub announces. Of
files for the same input of a node, the first is the one to get.
"""

from __future__ import annotations

from typing import Final

from .weight_file import Alternative, Source, Use, WeightFile, beside

_MUSETALK_LICENCE = "MIT code; the README allows any use of the weights, the hub's tag is CreativeML Open RAIL-M"
_MUSETALK_REVISION = "3ef28bc5cff08c90ad8178a25f1b570cd800170f"
_LATENTSYNC_LICENCE = "Apache-2.0 code; the hub's tag is CreativeML Open RAIL++-M, which restricts some uses"
_LATENTSYNC_15 = "32a20d29aead0498e3e885e90dbbe8027da1b61b"
_WHISPER_LICENCE = "Apache-2.0"
_LISTENER = Use("LipSyncLoadWhisper", "model")
_WAV2LIP_LICENCE = "trained on LRS2, whose licence forbids commercial use; its authors say the same of the weights"

MUSETALK_V15_UNET = WeightFile(
    what="the MuseTalk 1.5 UNet",
    repo="TMElyralab/MuseTalk",
    path="musetalkV15/unet.pth",
    size=3_400_074_924,
    sha256="7ebf6c98c181e20838e4c0054e96e944ac60d5d692cc01db42839fe11b787007",
    licence=_MUSETALK_LICENCE,
    folder="diffusion_models/musetalkV15",
    commercial="yes",
    revision=_MUSETALK_REVISION,
    uses=(Use("LipSyncLoadMuseTalk", "unet"),),
    alternatives=(
        Alternative("unet.fp16.safetensors", "converted to fp16 by others (adsfadfadsfadsf/pointcut-models), 1.7 GB"),
    ),
)

MUSETALK_V1_UNET = WeightFile(
    what="the MuseTalk 1.0 UNet",
    repo="TMElyralab/MuseTalk",
    path="musetalk/pytorch_model.bin",
    size=3_400_076_549,
    sha256="0ee7d5ea03ea75d8dca50ea7a76df791e90633687a135c4a69393abfc0475ffe",
    licence=_MUSETALK_LICENCE,
    folder="diffusion_models/musetalk",
    commercial="yes",
    uses=(Use("LipSyncLoadMuseTalk", "unet"),),
    mirrors=(Source("camenduru/MuseTalk", "musetalk/pytorch_model.bin"),),
)

SD_VAE = WeightFile(
    what="Stable Diffusion 1's VAE, fine-tuned (ft-mse)",
    repo="stabilityai/sd-vae-ft-mse-original",
    path="vae-ft-mse-840000-ema-pruned.safetensors",
    size=334_641_190,
    sha256="735e4c3a447a3255760d7f86845f09f937809baa529c17370d83e4c3758f3c75",
    licence="MIT",
    folder="vae",
    commercial="yes",
    revision="629b3ad3030ce36e15e70c5db7d91df0d60c627f",
    uses=(Use("LipSyncLoadMuseTalk"), Use("LipSyncLoadLatentSync")),
    alternatives=(
        Alternative(
            "diffusion_pytorch_model.safetensors",
            "the same weights for diffusers, stabilityai/sd-vae-ft-mse",
            334_643_276,
        ),
        Alternative("diffusion_pytorch_model.bin", "the same weights for diffusers, pickled", 334_707_217),
    ),
)

WHISPER_BASE = WeightFile(
    what="Whisper-base",
    repo="openai/whisper-base",
    path="model.safetensors",
    size=290_403_936,
    sha256="07cadb9f25677c8d50df603e66a98fbd842cce45047139baeb16e6219a1e807b",
    licence=_WHISPER_LICENCE,
    folder="audio_encoders/whisper-base",
    commercial="yes",
    revision="e37978b90ca9030d5170a5c07aadb050351a65bb",
    uses=(_LISTENER,),
)

WHISPER_TINY = WeightFile(
    what="Whisper-tiny",
    repo="openai/whisper-tiny",
    path="model.safetensors",
    size=151_061_672,
    sha256="7ebd0e69e78190ffe1438491fa05cc1f5c1aa3a4c4db3bc1723adbb551ea2395",
    licence=_WHISPER_LICENCE,
    folder="audio_encoders/whisper-tiny",
    commercial="yes",
    revision="169d4a4341b33bc18d8881c4b69c2e104e1cc0af",
    uses=(Use("LipSyncLoadMuseTalk", "whisper"), Use("LipSyncLoadLatentSync", "whisper"), _LISTENER),
    alternatives=(
        Alternative("tiny.pt", "openai's own layout, whisper/tiny.pt of ByteDance/LatentSync-1.5", 75_572_083),
        Alternative("pytorch_model.bin", "the same weights, pickled, of openai/whisper-tiny", 151_095_027),
    ),
)

WHISPER_SMALL = WeightFile(
    what="Whisper-small",
    repo="openai/whisper-small",
    path="model.safetensors",
    size=966_995_080,
    sha256="1d7734884874f1a1513ed9aa760a4f8e97aaa02fd6d93a3a85d27b2ae9ca596b",
    licence=_WHISPER_LICENCE,
    folder="audio_encoders/whisper-small",
    commercial="yes",
    revision="973afd24965f72e36ca33b3055d56a652f456b4d",
    uses=(_LISTENER,),
)

WHISPER_TURBO = WeightFile(
    what="Whisper-large-v3-turbo",
    repo="openai/whisper-large-v3-turbo",
    path="model.safetensors",
    size=1_617_824_864,
    sha256="542566a422ae4f3fd23f1ba11add198fca01bbf82e66e6a2857b3f608b1eb9d1",
    licence="MIT",
    folder="audio_encoders/whisper-large-v3-turbo",
    commercial="yes",
    revision="41f01f3fe87f28c78e2fbf8b568835947dd65ed9",
    uses=(_LISTENER,),
)

# What Whisper's tokens mean: Load Whisper reads it beside the weights. The multilingual ones share it, up to large-v2.
_TOKENIZER = ("tokenizer.json", 2_480_466, "27fc476bfe7f17299480be2273fc0608e4d5a99aba2ab5dec5374b4482d1a566")
_TOKENIZER_V3 = ("tokenizer.json", 2_710_337, "297b13372ac43916285644fb9687add3cc62ee2a1adb60da3dc25cc94c1871fd")
WHISPER_TINY_TOKENIZER = beside(WHISPER_TINY, "Whisper-tiny's tokenizer", *_TOKENIZER, _LISTENER)
WHISPER_BASE_TOKENIZER = beside(WHISPER_BASE, "Whisper-base's tokenizer", *_TOKENIZER, _LISTENER)
WHISPER_SMALL_TOKENIZER = beside(WHISPER_SMALL, "Whisper-small's tokenizer", *_TOKENIZER, _LISTENER)
WHISPER_TURBO_TOKENIZER = beside(WHISPER_TURBO, "Whisper-large-v3-turbo's tokenizer", *_TOKENIZER_V3, _LISTENER)

FACE_PARSER = WeightFile(
    what="the BiSeNet face parser",
    repo="ManyOtherFunctions/face-parse-bisent",
    path="79999_iter.pth",
    size=53_289_463,
    sha256="468e13ca13a9b43cc0881a9f99083a430e9c0a38abd935431d1c28ee94b26567",
    licence="MIT code; trained on CelebAMask-HQ, which is for non-commercial use",
    folder="face_parsing",
    commercial="no",
    revision="0073b233a5a3c4b1377d4dbf49245017938a72b5",
    uses=(Use("LipSyncFaceParsing", "parser"),),
    mirrors=(Source("vivym/face-parsing-bisenet", "79999_iter.pth"),),
    alternatives=(Alternative("parsing_bisenet.pth", "the same bytes under facexlib's name", 53_289_463),),
)

S3FD = WeightFile(
    what="the S3FD face detector",
    repo="chunyu-li/face-alignment",
    path="s3fd-619a316812.pth",
    size=89_843_225,
    sha256="619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
    licence="BSD-3 code; trained on WIDER FACE, which is for non-commercial use (CC BY-NC-ND 4.0)",
    folder="detection",
    commercial="no",
    uses=(Use("LipSyncLoadDWPose", "s3fd"),),
    mirrors=(
        Source("ByteDance/LatentSync-1.5", "auxiliary/s3fd-619a316812.pth", _LATENTSYNC_15),
        Source("camenduru/Wav2Lip", "checkpoints/s3fd-619a316812.pth"),
    ),
    alternatives=(Alternative("s3fd.pth", "the same bytes under Wav2Lip's name", 89_843_225),),
)

DWPOSE = WeightFile(
    what="the DWPose landmark model",
    repo="yzd-v/DWPose",
    path="dw-ll_ucoco_384.pth",
    size=406_878_486,
    sha256="0d9408b13cd863c4e95a149dd31232f88f2a12aa6cf8964ed74d7d97748c7a07",
    licence="Apache-2.0; trained on COCO-WholeBody, whose annotations are for non-commercial research",
    folder="detection",
    commercial="unclear",
    revision="1a7144101628d69ee7a3768d1ee3a094070dc388",
    uses=(Use("LipSyncLoadDWPose", "dwpose"),),
    alternatives=(
        Alternative(
            "rtmpose-l_simcc-ucoco_dw-ucoco_270e-384x288-2438fd99_20230728.pth",
            "the same network without the training state, 135 MB, camenduru/DWPose",
        ),
    ),
)

LATENTSYNC_V15_UNET = WeightFile(
    what="the LatentSync 1.5 UNet",
    repo="ByteDance/LatentSync-1.5",
    path="latentsync_unet.pt",
    size=5_072_348_184,
    sha256="6440b49a7ccceff56cdc001f5f17605216337f5bbd66fa360139768926e23f51",
    licence=_LATENTSYNC_LICENCE,
    folder="diffusion_models/latentsync-1.5",
    commercial="yes",
    revision=_LATENTSYNC_15,
    uses=(Use("LipSyncLoadLatentSync", "unet"),),
)

LATENTSYNC_V16_UNET = WeightFile(
    what="the LatentSync 1.6 UNet",
    repo="ByteDance/LatentSync-1.6",
    path="latentsync_unet.pt",
    size=5_072_222_488,
    sha256="0a478e89eb660f82da4c35dbdde8a5adfb27f99d1b4e50edd03729e1e98316d3",
    licence=_LATENTSYNC_LICENCE,
    folder="diffusion_models/latentsync-1.6",
    commercial="yes",
    revision="c42c7e6c8e9c213626389fa7d9a3c444b8536353",
    uses=(Use("LipSyncLoadLatentSync", "unet"),),
)

WAV2LIP_GAN = WeightFile(
    what="Wav2Lip (GAN)",
    repo="camenduru/Wav2Lip",
    path="checkpoints/wav2lip_gan.pth",
    size=435_801_865,
    sha256="ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8",
    licence=_WAV2LIP_LICENCE,
    folder="lipsync/wav2lip",
    commercial="no",
    uses=(Use("LipSyncLoadWav2Lip", "model"),),
    mirrors=(
        Source("numz/wav2lip_studio", "Wav2lip/wav2lip_gan.pth"),
        Source("Nekochu/Wav2Lip", "wav2lip_gan.pth"),
    ),
    alternatives=(
        Alternative("wav2lip.pth", "trained without the GAN: nearer to the sound, less sharp; camenduru/Wav2Lip"),
    ),
)

SYNCNET_V2 = WeightFile(
    what="SyncNet v2, which scores lip sync",
    repo="ByteDance/LatentSync-1.5",
    path="auxiliary/syncnet_v2.model",
    size=54_573_114,
    sha256="961e8696f888fce4f3f3a6c3d5b3267cf5b343100b238e79b2659bff2c605442",
    licence="MIT code; no licence is stated for the weights",
    folder="lipsync/syncnet",
    revision=_LATENTSYNC_15,
    uses=(Use("LipSyncScore", "syncnet"),),
    mirrors=(Source("lithiumice/syncnet", "syncnet_v2.model"),),
)

# Its size and hash are those that other projects name; the hub was not asked.
SFACE = WeightFile(
    what="SFace, which tells whether two faces are one person's",
    repo="opencv/opencv_zoo",
    path="models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
    size=38_696_353,
    sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    licence="Apache-2.0",
    folder="lipsync/sface",
    commercial="yes",
    uses=(Use("LipSyncQualityReport", "identity", optional=True),),
)

CATALOG: Final = {
    key.lower().replace("_", "-"): value for key, value in tuple(globals().items()) if isinstance(value, WeightFile)
}
"""Every file above under its own name: "musetalk-v15-unet". People and the panel name files so."""
