"""Whisper in ComfyUI's care against transformers' own, and the files it comes in."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import small_whisper
import torch
from lipsync_studio.pipelines.core.errors import WeightsError
from lipsync_studio.pipelines.networks.whisper import Whisper, load_whisper, whisper_config
from numpy.typing import NDArray
from safetensors.torch import save_file

Samples = NDArray[np.float32]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_whisper.write(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def whisper(folder: Path) -> Whisper:
    return load_whisper(folder)


@pytest.fixture(scope="module")
def noise() -> Samples:
    return 0.1 * np.random.default_rng(5).standard_normal(80_000).astype(np.float32)


@pytest.fixture(scope="module")
def theirs(folder: Path, noise: Samples) -> tuple[torch.nn.Module, torch.Tensor]:
    """transformers' network with the same numbers, and its input."""
    transformers = pytest.importorskip("transformers")
    config = whisper_config({key[6:]: value for key, value in small_whisper.tensors().items()}, "seeded")
    config._attn_implementation = "eager"
    network = transformers.WhisperForConditionalGeneration(config).eval()
    network.load_state_dict({**small_whisper.tensors(), "proj_out.weight": network.proj_out.weight}, strict=True)
    network.tie_weights()
    mel = transformers.WhisperFeatureExtractor()(noise, sampling_rate=16_000, return_tensors="pt").input_features
    return network, mel


def test_hears_writes_and_attends_as_transformers_does(
    whisper: Whisper, noise: Samples, theirs: tuple[torch.nn.Module, torch.Tensor]
) -> None:
    network, mel = theirs
    tokens = [*whisper.text.prompt("en", times=False), *whisper.text.encode(" some words")]
    with torch.no_grad():
        wanted = network(mel, decoder_input_ids=torch.tensor([tokens]), output_attentions=True, use_cache=False)
    heard = whisper.hear(noise)
    assert torch.allclose(heard, wanted.encoder_last_hidden_state, atol=1e-4)
    writing = whisper.write(heard)
    logits = np.concatenate([writing.after(tokens[:3]), *(writing.after([token]) for token in tokens[3:])])
    assert np.allclose(logits, wanted.logits[0].numpy(), atol=1e-3)
    shown = whisper.attend(heard, tokens, 250)
    upper = wanted.cross_attentions[1][0].mean(0).numpy()  # the second of two layers, over all heads
    assert np.allclose(shown.frames[1:], upper[:-1, :250], atol=1e-6)
    chances = wanted.logits[0].softmax(-1).numpy()
    assert np.allclose(shown.probabilities[1:], [chances[n, token] for n, token in enumerate(tokens[1:])], atol=1e-5)


def test_more_than_it_can_hear_is_refused(whisper: Whisper) -> None:
    with pytest.raises(ValueError, match=r"30 s at once, got 30.01 s"):
        whisper.hear(np.zeros(480_160, np.float32))


@pytest.mark.parametrize(
    ("width", "layers", "bands", "size"),
    [(384, 4, 80, 51_865), (512, 6, 80, 51_864), (1280, 32, 128, 51_866)],
    ids=["tiny", "base.en", "large-v3"],
)
def test_every_size_is_told_from_the_shapes(width: int, layers: int, bands: int, size: int) -> None:
    named = small_whisper.shapes(size, width, layers, bands)
    config = whisper_config({key[6:]: torch.empty(shape, device="meta") for key, shape in named.items()}, "x")
    assert (config.d_model, config.encoder_layers, config.decoder_layers) == (width, layers, layers)
    assert (config.num_mel_bins, config.vocab_size, config.encoder_ffn_dim) == (bands, size, 4 * width)
    assert config.decoder_attention_heads == width // 64


def test_a_distilled_decoder_is_told_from_the_shapes() -> None:
    named = small_whisper.shapes(layers=4)
    fewer = {
        key[6:]: torch.empty(shape, device="meta") for key, shape in named.items() if "decoder.layers.3" not in key
    }
    config = whisper_config(fewer, "x")
    assert (config.encoder_layers, config.decoder_layers) == (4, 3)


def test_the_file_alone_is_enough_and_nothing_is_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_whisper(folder / "model.safetensors").text.end == 256


def test_the_text_side(whisper: Whisper) -> None:
    text = whisper.text
    assert text.decode(text.encode(" été 日本")) == " été 日本"
    assert not text.multilingual
    assert text.languages == {"en": 258}
    assert text.prompt("en", times=False) == [257, 264]
    assert text.prompt("en", times=True) == [257]
    assert (text.no_speech, text.first_time) == (263, 265)
    assert set(text.silenced) == {*range(257, 265)}


def test_what_its_files_silence_is_silenced(tmp_path: Path) -> None:
    small_whisper.write(tmp_path)
    (tmp_path / "generation_config.json").write_text('{"suppress_tokens": [3, 7, -1]}')
    assert {3, 7} <= set(load_whisper(tmp_path).text.silenced)
    (tmp_path / "generation_config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"generation_config.json again"):
        load_whisper(tmp_path)


def test_a_missing_tokenizer_is_explained(tmp_path: Path) -> None:
    small_whisper.write(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match=r"(?s)tokenizer.json beside its weights.*no such file.*Download"):
        load_whisper(tmp_path)


def test_a_broken_tokenizer_is_explained(tmp_path: Path) -> None:
    small_whisper.write(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_whisper(tmp_path)


def test_the_tokenizer_of_another_whisper_is_refused(tmp_path: Path) -> None:
    small_whisper.write(tmp_path, size=260)
    with pytest.raises(WeightsError, match="of the same Whisper"):
        load_whisper(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda key: "encoder" in key, "an encoder without a decoder"),
        (lambda key: "fc1.bias" not in key, r"4 missing"),
        (lambda key: key == "model.decoder.embed_tokens.weight", "1 tensors without"),
        (lambda key: "nothing" in key, "other tensors"),
    ],
)
def test_other_weights_are_explained(tmp_path: Path, wrong: object, message: str) -> None:
    small_whisper.write_tokenizer(tmp_path)
    kept = {key: value for key, value in small_whisper.tensors().items() if wrong(key)}  # type: ignore[operator]
    save_file(kept or {"other": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=message):
        load_whisper(tmp_path)


def test_an_empty_folder_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"(?s)no file there.*openai/whisper-base"):
        load_whisper(tmp_path)
