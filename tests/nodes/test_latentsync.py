"""What Load LatentSync decides and says by itself."""

from __future__ import annotations

import comfy.model_management
import comfy.ops
import pytest
import seeded_checkpoints
import torch
from lipsync_studio.nodes.latentsync import estimate, side_of
from lipsync_studio.pipelines.engines.latentsync.engine import LatentSyncSettings
from lipsync_studio.pipelines.networks.latentsync_net import LatentSyncNet
from lipsync_studio.pipelines.networks.latentsync_unet import LatentSyncUNet

CHANNELS = (32, 32, 32, 32)


@pytest.mark.parametrize(
    ("resolution", "release", "side"),
    [("auto", "1.5", 256), ("auto", "1.6", 512), ("auto", "", 256), ("256", "1.6", 256), ("512", "1.5", 512)],
)
def test_the_resolution_is_what_the_release_was_trained_at_unless_told(
    resolution: str, release: str, side: int
) -> None:
    assert side_of(resolution, release) == side  # type: ignore[arg-type]


def test_the_estimate_grows_with_the_picture_and_with_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comfy.model_management, "get_total_memory", lambda _device: 24 * 10**9)
    with torch.device("meta"):
        network = LatentSyncNet(comfy.ops.disable_weight_init, channels=CHANNELS)
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    unet = LatentSyncUNet(seeded_checkpoints.seeded(shapes), "seeded", channels=CHANNELS)
    assert unet.weight_bytes == 4 * sum(torch.Size(shape).numel() for shape in shapes.values())
    cases = ((256, 1.0, "1.6 GB"), (256, 1.5, "3.2 GB"), (512, 1.5, "12.9 GB"))  # 96 MiB for a frame, in float32
    for side, guidance, peak in cases:
        words = estimate(unet, LatentSyncSettings(resolution=side, guidance=guidance), 16)  # type: ignore[arg-type]
        assert f"at {side} px" in words
        assert f"{peak} to paint 16 frames at a time, of 24.0 GB" in words
