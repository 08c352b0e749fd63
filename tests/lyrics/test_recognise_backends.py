"""Packages that may be installed: explained when they are not, used when they are."""

from __future__ import annotations

import json
import struct
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import small_whisper
from lipsync_studio.pipelines.core.errors import InputError, LipSyncError, WeightsError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.lyrics.recognise.backends.faster_whisper import with_upper_heads
from lipsync_studio.pipelines.lyrics.recognise.backends.optional import line_of
from lipsync_studio.pipelines.lyrics.recognise.backends.registry import BACKENDS, DEFAULT
from lipsync_studio.pipelines.lyrics.recognise.presets import SPEECH
from numpy.typing import NDArray

PACKAGES = {"faster-whisper": "faster_whisper", "whisper-timestamped": "whisper_timestamped"}


class Silence:
    def __len__(self) -> int:
        return 48_000

    def read(self, start: int, stop: int) -> NDArray[np.float32]:
        return np.zeros(stop - start, np.float32)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_missing_package_says_how_to_install_it(
    package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, PACKAGES[package], None)  # what Python itself notes for a module that is not there
    with pytest.raises(LipSyncError, match=rf"(?s)the package {package}.*pip install {package}.*`transformers`"):
        BACKENDS[package].load(tmp_path / "model.bin")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wrong_file_is_explained(package: str, tmp_path: Path) -> None:
    if find_spec(PACKAGES[package]) is None:
        pytest.skip(f"{package} is not installed")
    with pytest.raises(WeightsError, match="into models/whisper"):
        BACKENDS[package].load(tmp_path / "model.safetensors")


def ctranslate2_model(variables: dict[str, bytes]) -> bytes:
    """The binary format of CTranslate2: a table of names, sizes and contents."""

    def text(letters: str) -> bytes:
        return struct.pack("<H", len(letters) + 1) + letters.encode() + b"\0"

    head = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(variables))
    rows = [
        text(name) + struct.pack("<BIBI", 1, len(content), 1, len(content)) + content
        for name, content in variables.items()
    ]
    return head + b"".join(rows)


def test_every_upper_head_of_a_ctranslate2_model_is_aligned(tmp_path: Path) -> None:
    layers = {f"decoder/layer_{layer}/ffn/linear_0/weight": bytes(30) for layer in range(5)}
    model = tmp_path / "model.bin"
    model.write_bytes(ctranslate2_model({"decoder/layer_norm/beta": b"x", "decoder/num_heads": b"\2\0", **layers}))
    config = json.loads(with_upper_heads(b'{"alignment_heads": [[0, 0]], "lang_ids": [5]}', model))
    assert config == {"alignment_heads": [[2, 0], [2, 1], [3, 0], [3, 1], [4, 0], [4, 1]], "lang_ids": [5]}
    model.write_bytes(ctranslate2_model({"encoder/num_heads": b"\2\0"}))
    with pytest.raises(ValueError, match="no decoder"):
        with_upper_heads(b"{}", model)


def test_transformers_is_always_there(tmp_path: Path) -> None:
    model = BACKENDS[DEFAULT].load(small_whisper.write(tmp_path) / "model.safetensors")
    assert model.listener(Silence(), "en", SPEECH).recognise(PlainHost()).words == ()
    with pytest.raises(InputError, match=r"knows: en; got `fr`"):
        model.listener(Silence(), "fr", SPEECH)


def test_words_of_another_package() -> None:
    given = [(" She", 1.0, 1.2, 0.5), (" is-", 1.1, 1.0, 1.4), ("n't", 1.3, 1.5, -1.0), (" ", 2.0, 2.1, 1.0)]
    line = line_of(given)
    assert [(word.text, word.start, word.end, word.confidence, word.after) for word in line] == [
        ("She", 1.0, 1.2, 0.5, " "),
        ("is-", 1.1, 1.1, 1.0, ""),
        ("n't", 1.3, 1.5, 0.0, " "),
    ]
