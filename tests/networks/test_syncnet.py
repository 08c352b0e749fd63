"""SyncNet v2 under seeded weights against the reference network.

Tolerances: embeddings relative L2 1e-4; scores 1e-4 relative, as they are made of embeddings; offsets exact.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.audio.resample import MonoReader
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.core.types import AudioClip
from lipsync_studio.pipelines.measure.sync_scoring import SHIFTS, distances, score
from lipsync_studio.pipelines.measure.sync_sound import heard
from lipsync_studio.pipelines.networks.syncnet import SyncNet
from lipsync_studio.pipelines.weights.loaders import load_syncnet
from safetensors.torch import load_file
from torch import Tensor


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    return seeded_checkpoints.of_golden("syncnet_v2")


@pytest.fixture(scope="module")
def network(weights: dict[str, Tensor]) -> SyncNet:
    return SyncNet(weights, "seeded")


def off(found: Tensor, expected: Tensor) -> float:
    """Relative L2."""
    return float((found - expected).norm() / expected.norm())


def rgb(*names: str) -> Tensor:
    """float32 [n, 224, 224, 3], 0-255: seeded pictures, which are BGR by convention."""
    pictures = np.stack([seeded.image(name, 224, 224)[..., ::-1] for name in names])
    return torch.from_numpy(np.ascontiguousarray(pictures, np.float32))


def test_lips_are_seen_as_by_the_reference(network: SyncNet, goldens: Path) -> None:
    golden = load_file(goldens / "syncnet_net.safetensors")
    for item in range(2):
        found = network.see(rgb(*(f"sn_lip{item}_{frame}" for frame in range(5))))
        assert found.shape == (1, 1024)
        assert off(found[0], golden["lip"][item]) < 1e-4


def test_sound_is_heard_as_by_the_reference(network: SyncNet, goldens: Path) -> None:
    golden = load_file(goldens / "syncnet_net.safetensors")
    found = network.hear(golden["mfcc_in"][:, 0].transpose(1, 2))
    assert off(found, golden["aud"]) < 1e-4


def test_a_whole_clip_is_scored_as_by_the_reference(network: SyncNet, goldens: Path) -> None:
    """Frames and samples in, score out: the reference's evaluate() of `clip` in the golden."""
    golden = load_file(goldens / "syncnet_score.safetensors")
    wave = load_file(goldens / "syncnet_mfcc.safetensors")["wave_i16"][: 14 * 640 + 333].numpy()
    sound = MonoReader(AudioClip(wave[None].astype(np.float32) / 32768, 16000))
    seen = network.see(rgb(*(f"sn_clip{frame}" for frame in range(14))))[:9]
    sounds = heard(network, sound, 0, (-SHIFTS, 9 + SHIFTS), 9)
    assert off(seen, golden["clip.im"]) < 1e-4
    assert off(torch.from_numpy(sounds[SHIFTS:-SHIFTS]), golden["clip.cc"]) < 1e-4
    table = distances(seen.numpy(), sounds)
    np.testing.assert_allclose(table, golden["clip.dists"], rtol=1e-4)
    found = score(table.mean(axis=0))
    assert found.offset == 15
    assert found.distance == pytest.approx(7536.6181640625, rel=1e-4)
    assert found.confidence == pytest.approx(18.71337890625, rel=0.02)  # the small difference of two large numbers


def test_each_five_pictures_of_a_run_are_seen_as_alone(network: SyncNet) -> None:
    pictures = rgb(*(f"sn_clip{frame}" for frame in range(7)))
    together = network.see(pictures)
    for first, found in enumerate(together):
        assert off(found, network.see(pictures[first : first + 5])[0]) < 1e-5


def test_the_released_layout_is_read(tmp_path: Path, weights: dict[str, Tensor]) -> None:
    """As PyTorch of 2018 saved it, with and without counts of training batches."""
    older = {key: value for key, value in weights.items() if not key.endswith("num_batches_tracked")}
    for name, state in (("syncnet_v2.model", weights), ("older.model", older)):
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=False)
        assert load_syncnet(tmp_path / name).hear(torch.zeros(1, 20, 13)).shape == (1, 1024)


@pytest.mark.parametrize("key", ["netfclip.3.weight", "netcnnaud.5.running_var"])
def test_a_file_that_lacks_a_tensor_is_refused(tmp_path: Path, weights: dict[str, Tensor], key: str) -> None:
    torch.save({name: value for name, value in weights.items() if name != key}, tmp_path / "syncnet_v2.model")
    with pytest.raises(WeightsError, match=key):
        load_syncnet(tmp_path / "syncnet_v2.model")


def test_another_network_is_named(tmp_path: Path) -> None:
    torch.save({"face_encoder_blocks.0.0.conv_block.0.weight": torch.zeros(1)}, tmp_path / "syncnet_v2.model")
    with pytest.raises(WeightsError, match=r"SyncNet v2.*got a Wav2Lip model.*models/lipsync/syncnet"):
        load_syncnet(tmp_path / "syncnet_v2.model")
