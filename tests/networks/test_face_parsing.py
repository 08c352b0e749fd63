"""The face parser against the reference network: seeded weights from ../shared, and the real file on the portrait.

Tolerances: logits relative L2 1e-5, classes equal on all but one pixel in a thousand (ties); network input within one
grey level, since PIL rounds to whole ones after scaling each way.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import seeded
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.checkpoint import read_checkpoint
from lipsync_studio.pipelines.networks.face_parsing import STD, BiSeNet, FaceParser, network_input
from lipsync_studio.pipelines.networks.residency import load_strictly
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

PACK = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def picture() -> Tensor:
    """float32 RGB [1, 333, 301, 3]: the picture of the goldens."""
    bgr = seeded.image("parse_img", 333, 301)
    return torch.from_numpy(bgr[..., ::-1].astype(np.float32) / 255)[None]


def test_input_is_the_references(shared: Path, picture: Tensor) -> None:
    golden = load_file(shared / "goldens/musetalk/parsing.safetensors")["net_input_301x333"]
    one_level = 1.0 / 255 / torch.tensor(STD).view(3, 1, 1)
    off = (network_input(picture)[0, :, ::8, ::8] - golden).abs()
    assert bool((off <= one_level).all())


def test_logits_are_the_references(shared: Path, picture: Tensor) -> None:
    golden = load_file(shared / "goldens/musetalk/bisenet.safetensors")
    manifest = json.loads((shared / "manifests/face-parse-79999_iter.json").read_text())
    network = BiSeNet()
    state = {e["key"]: torch.as_tensor(seeded.tensor(e["key"], tuple(e["shape"]))) for e in manifest["keys"]}
    load_strictly(network, state, source="seeded weights", kind="the BiSeNet face parser")
    pixels = rounded_input(picture)
    with torch.inference_mode():
        logits = network.eval()(pixels)[0]
    expected = golden["out_sub8"]
    assert float((logits[:, ::8, ::8] - expected).norm() / expected.norm()) < 1e-5
    assert float((logits.argmax(0) != golden["argmax"]).float().mean()) < 1e-3


def rounded_input(picture: Tensor) -> Tensor:
    """The reference's own input: PIL's whole grey levels."""
    image = Image.fromarray((picture[0].numpy() * 255).round().astype(np.uint8))
    scaled = np.array(image.resize((512, 512), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    return network_input(torch.from_numpy(scaled)[None])


def test_the_real_file_finds_the_portraits_parts(shared: Path) -> None:
    path = shared / "weights/79999_iter.pth"
    parser = FaceParser(read_checkpoint(path, "the face parser", "Download it again.").state, str(path))
    portrait = Image.open(PACK / "workflows/inputs/astronaut.jpg").convert("RGB").crop((140, 40, 310, 210))
    labels = parser(torch.from_numpy(np.array(portrait, dtype=np.float32) / 255)[None])[0]
    landmarks = json.loads((PACK / "tests/goldens/astronaut_landmarks.json").read_text())["landmarks"]

    def part_at(x: float, y: float) -> int:
        return int(labels[round((y - 40) * 512 / 170), round((x - 140) * 512 / 170)])

    mouth = np.mean(landmarks[60:68], axis=0)
    assert part_at(*mouth) == 11
    assert part_at(*landmarks[30]) == 10
    assert part_at(*(np.array(landmarks[8]) * 0.8 + mouth * 0.2)) == 1
    assert part_at(145, 45) == 0


def test_other_weights_are_refused() -> None:
    with pytest.raises(WeightsError, match="face parser"):
        FaceParser({"conv.weight": torch.zeros(1)}, "other.pth")
