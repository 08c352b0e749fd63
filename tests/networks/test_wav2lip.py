"""Wav2Lip's generator against the reference network under seeded weights, at full size.

Tolerances: logits relative L2 1e-5, and 5e-3 absolute of up to 328 (the number of threads alone moves them by 6e-4);
pictures 1e-5 absolute, with a last layer of a fiftieth, as the plain ones are nearly all black or white.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.residency import load_strictly
from lipsync_studio.pipelines.networks.wav2lip import SIDE, Wav2Lip, Wav2LipNet
from safetensors.torch import load_file
from torch import Tensor, nn

LAST = "output_block.1.weight"


@pytest.fixture(scope="module")
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "wav2lip_net.safetensors")


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return seeded_checkpoints.of_golden("wav2lip")


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """float32 BGR [2, 6, 96, 96]: of the goldens."""
    whole = np.stack([seeded.image(f"w2l_face{number}", SIDE, SIDE) for number in (0, 1)])
    hidden = whole.copy()
    hidden[:, SIDE // 2 :] = 0
    both = np.concatenate([hidden, whole], axis=3).astype(np.float32) / np.float32(255)
    return torch.from_numpy(both).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="module")
def heard() -> Tensor:
    """float32 [2, 80, 16]: of the goldens."""
    return torch.from_numpy(seeded.floats("w2l_mel", (2, 1, 80, 16), 1.5)[:, 0].clip(-4, 4))


def distance(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def test_names_and_shapes_are_the_released_ones() -> None:
    with torch.device("meta"):
        network = Wav2LipNet()
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert shapes == seeded_checkpoints.shapes("wav2lip")
    assert sum(parameter.numel() for parameter in network.parameters()) == 36_298_035


def test_every_stage_is_the_references(
    weights: dict[str, Tensor], golden: dict[str, Tensor], faces: Tensor, heard: Tensor
) -> None:
    network = Wav2LipNet().eval().requires_grad_(False)
    load_strictly(network, weights, source="seeded", kind="Wav2Lip")
    seen: dict[str, Tensor] = {}

    def remember(name: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _module, _inputs, output: seen.update({name: output.clone()}))

    remember("audio_embedding", network.audio_encoder)
    remember("face_enc6", network.face_encoder_blocks[6])
    remember("face_dec1", network.face_decoder_blocks[1])
    remember("face_dec4", network.face_decoder_blocks[4])
    remember("logits", network.output_block)
    with torch.no_grad():
        network(faces, heard[:, None])
    assert distance(seen["audio_embedding"][:, :, 0, 0], golden["audio_embedding"]) < 1e-5
    assert distance(seen["face_enc6"][:, :, 0, 0], golden["face_enc6"]) < 1e-5
    assert distance(seen["face_dec1"][1], golden["face_dec1"]) < 1e-5
    assert distance(seen["face_dec4"][1, :8], golden["face_dec4_c8"]) < 1e-5
    assert distance(seen["logits"], golden["logits"]) < 1e-5
    assert (seen["logits"] - golden["logits"]).abs().max() < 5e-3


def test_the_pictures_are_the_references(
    weights: dict[str, Tensor], golden: dict[str, Tensor], faces: Tensor, heard: Tensor
) -> None:
    painted = Wav2Lip({**weights, LAST: weights[LAST] * 0.02}, "seeded")(faces, heard)
    assert painted.dtype == torch.float32
    assert (painted - golden["out_w002"]).abs().max() < 1e-5


def test_a_batch_gives_what_each_face_gives_alone(weights: dict[str, Tensor], faces: Tensor, heard: Tensor) -> None:
    network = Wav2Lip({**weights, LAST: weights[LAST] * 0.02}, "seeded")
    alone = torch.cat([network(faces[[number]], heard[[number]]) for number in (0, 1)])
    assert (network(faces, heard) - alone).abs().max() < 1e-5


def test_other_weights_are_refused(weights: dict[str, Tensor]) -> None:
    lacking = {key: value for key, value in weights.items() if key != LAST}
    with pytest.raises(WeightsError, match=r"Wav2Lip \(352 tensors\).*1 missing \(output_block\.1\.weight\)"):
        Wav2Lip(lacking, "other.pth")
