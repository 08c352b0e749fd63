"""Whisper-tiny's encoder on ComfyUI's class against the reference's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import seeded
import seeded_checkpoints
import torch
from lipsync_studio.pipelines.audio.log_mel import log_mel
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.whisper_encoder import WhisperEncoder, encoder_state
from safetensors.torch import load_file
from torch import Tensor

State = dict[str, Tensor]


def sinusoids() -> Tensor:
    """Whisper's positions [1500, 384]: sines, then cosines, wavelengths 2 pi to 10000 * 2 pi."""
    angles = torch.arange(1500)[:, None] * torch.exp(-np.log(10000) / 191 * torch.arange(192))
    return torch.cat([angles.sin(), angles.cos()], dim=1)


@pytest.fixture(scope="module")
def golden_state(goldens: Path) -> State:
    """The encoder's weights that the golden was made with."""
    draw = seeded.tensor
    shapes = seeded_checkpoints.shapes("whisper_tiny_transformers")
    state = {key: torch.as_tensor(draw(key, shape)) for key, shape in shapes.items() if key.startswith("encoder.")}
    return {**state, "encoder.embed_positions.weight": sinusoids()}


@pytest.fixture(scope="module")
def log_mel_of_the_golden(goldens: Path) -> Tensor:
    noise = seeded.floats("wav", (16000,))
    sound = 0.3 * np.sin(2 * np.pi * 220 * np.arange(16000) / 16000) + 0.05 * noise
    return log_mel(torch.from_numpy(sound.astype(np.float32))[None])


def relative_error(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


def test_the_five_states_are_the_reference_s(golden_state: State, log_mel_of_the_golden: Tensor, goldens: Path) -> None:
    golden = load_file(goldens / "whisper_stack.safetensors")
    assert (sinusoids()[::50] - golden["pos"]).abs().max() < 1e-4
    states = WhisperEncoder(golden_state, "seeded")(log_mel_of_the_golden)
    assert states.shape == (1500, 5, 384)
    assert states.dtype == torch.float32
    assert states.device.type == "cpu"
    for number in range(5):
        assert relative_error(states[::100, number], golden["stack_sub25"][:, number]) < 1e-4


def test_openai_s_names_give_the_same_encoder(golden_state: State, log_mel_of_the_golden: Tensor) -> None:
    openai_shapes = seeded_checkpoints.shapes("whisper_tiny_openai")
    empty = {key: torch.empty(shape, device="meta") for key, shape in openai_shapes.items()}
    names = encoder_state({key: key for key in empty})  # type: ignore[dict-item]  # each key's new name, and itself
    openai = {str(old): golden_state[f"encoder.{new}"] for new, old in names.items()}
    assert {key: tuple(value.shape) for key, value in openai.items()} == {
        key: shape for key, shape in openai_shapes.items() if key.startswith("encoder.")
    }
    ours = WhisperEncoder(golden_state, "transformers")(log_mel_of_the_golden)
    assert torch.equal(WhisperEncoder(openai, "openai")(log_mel_of_the_golden), ours)


def test_equals_transformers_with_the_real_weights(shared: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = shared / "weights" / "whisper-tiny"
    if not folder.is_dir():
        pytest.skip("the real Whisper-tiny is not in ../shared/weights")
    noise = torch.from_numpy(np.random.default_rng(3).standard_normal((1, 300_000)).astype(np.float32)) * 0.1
    ours = WhisperEncoder(load_file(folder / "model.safetensors"), "model.safetensors")(log_mel(noise))
    model = transformers.WhisperModel.from_pretrained(folder, dtype=torch.float32).encoder.eval()
    with torch.no_grad():
        theirs = torch.stack(model(log_mel(noise), output_hidden_states=True).hidden_states, dim=2)[0]
    for number in range(5):
        assert relative_error(ours[:, number], theirs[:, number]) < 1e-4


def test_an_encoder_with_a_tensor_missing_is_refused(golden_state: State) -> None:
    state = {key: value for key, value in golden_state.items() if key != "encoder.layers.2.fc1.bias"}
    with pytest.raises(WeightsError, match=r"(?s)tiny.pt.*1 missing \(layers.2.fc1.bias\)"):
        WhisperEncoder(state, "tiny.pt")


def test_the_last_state_without_its_norm(golden_state: State, log_mel_of_the_golden: Tensor) -> None:
    encoder = WhisperEncoder(golden_state, "seeded")
    normalised, plain = encoder(log_mel_of_the_golden), encoder.unnormalised(log_mel_of_the_golden)
    assert torch.equal(plain[:, :4], normalised[:, :4])
    gain, offset = (golden_state[f"encoder.layer_norm.{name}"] for name in ("weight", "bias"))
    normed = torch.nn.functional.layer_norm(plain[:, 4], (384,), gain, offset)
    assert relative_error(normed, normalised[:, 4]) < 1e-5
    assert relative_error(plain[:, 4], normalised[:, 4]) > 0.1
