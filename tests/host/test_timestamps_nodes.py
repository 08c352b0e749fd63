"""Words of a recording, in a real ComfyUI."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import portrait_clip
import pytest
import small_whisper
from client import Graph
from draft_graphs import message_of
from host import Server

SMALL = "whisper/small/model.safetensors"


@pytest.fixture(scope="module")
def small(comfyui: Server) -> Iterator[str]:
    """A Whisper that writes nonsense, as the loader names it."""
    folder = small_whisper.write(comfyui.models / "whisper" / "small")
    yield SMALL
    shutil.rmtree(folder)


def graph(speech: str, model: str, backend: str = "transformers", vocals: str | None = None, **widgets: str) -> Graph:
    inputs = {"audio": ["speech", 0], "listener": ["whisper", 0], "language": "auto", "preset": "speech", **widgets}
    nodes: Graph = {
        "speech": {"class_type": "LoadAudio", "inputs": {"audio": speech}},
        "whisper": {"class_type": "LipSyncLoadWhisper", "inputs": {"model": model, "backend": backend}},
        "words": {"class_type": "LipSyncWordTimestamps", "inputs": inputs},
        "alignment": {"class_type": "PreviewAny", "inputs": {"source": ["words", 1]}},
        "text": {"class_type": "PreviewAny", "inputs": {"source": ["words", 2]}},
        "notes": {"class_type": "PreviewAny", "inputs": {"source": ["words", 3]}},
        "file": {
            "class_type": "LipSyncSaveLyrics",
            "inputs": {"timings": ["words", 0], "filename_prefix": "lyrics/heard", "format": "json"},
        },
    }
    if vocals is not None:
        nodes["voice"] = {"class_type": "LoadAudio", "inputs": {"audio": vocals}}
        nodes["words"]["inputs"]["vocals"] = ["voice", 0]
    return nodes


def test_a_whisper_is_loaded_and_heard_through(comfyui: Server, speech: str, small: str) -> None:
    result = comfyui.run(graph(speech, small, preset="song"))
    assert result.failure is None, result.failure
    assert {"whisper", "words"} <= set(result.executed)
    assert any(event.kind == "progress_text" and "seconds" in event.data["text"] for event in result.events)
    assert result.outputs["alignment"]["text"]


def test_real_words_of_real_speech(comfyui: Server, shared: Path) -> None:
    weights, sound = shared / "weights" / "whisper-tiny", shared / "media" / "words" / "acoustic_corpus.wav"
    if not (weights.is_dir() and sound.is_file()):
        pytest.skip("the real Whisper-tiny and a recording are not in ../shared")
    folder = comfyui.models / "audio_encoders" / "whisper-tiny-real"
    shutil.copytree(weights, folder)
    shutil.copy2(sound, comfyui.input / "acoustic.wav")
    try:
        result = comfyui.run(graph("acoustic.wav", "audio_encoders/whisper-tiny-real/model.safetensors"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert result.failure is None, result.failure
    assert "this is the acoustic corpus" in " ".join(result.outputs["text"]["text"]).casefold()


def test_vocals_of_another_recording_are_refused(comfyui: Server, speech: str, small: str) -> None:
    longer = portrait_clip.write_speech(comfyui.input / "longer.wav", 3.0).name
    message = message_of(comfyui.run(graph(speech, small, vocals=longer)))
    assert "Expected vocals as long as the audio (0.80 s)" in message


def test_a_missing_model_is_told_before_anything_runs(comfyui: Server, speech: str) -> None:
    result = comfyui.run(graph(speech, "whisper/nothing/model.safetensors"))
    assert result.failure is not None
    assert result.failure.kind == "rejected"
    assert "openai/whisper-base" in str(result.failure.details)


def test_a_package_that_is_not_there_is_explained(comfyui: Server, speech: str, small: str) -> None:
    message = message_of(comfyui.run(graph(speech, small, backend="whisper-timestamped")))
    assert "whisper-timestamped" in message
    assert "pip install" in message or "models/whisper" in message
