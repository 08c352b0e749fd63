"""Lyrics aligned with real speech in a real ComfyUI, by the Whisper in ../shared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client import Graph, Result
from draft_graphs import message_of
from host import Server

MODEL = "audio_encoders/align/model.safetensors"
SPEECH = "bobby.wav"
FILES = ("model.safetensors", "tokenizer.json", "generation_config.json")
ONSETS = {"Bobby": 0.065, "ripped": 0.412, "the": 0.658, "ledger": 0.741}  # bobby_words.TextGrid
LYRICS = "[Verse 1]\nBobby ripped\nthe ledger\n"
TOLERANCE = 0.15  # seconds, for the smallest Whisper


@pytest.fixture
def speech(comfyui: Server, shared: Path) -> Iterator[str]:
    """A recording of four words for LoadAudio, and Whisper-tiny for Load Whisper."""
    folder = (comfyui.models / MODEL).parent
    folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy2(shared / "weights" / "whisper-tiny" / name, folder / name)
    shutil.copy2(shared / "media" / "words" / SPEECH, comfyui.input / SPEECH)
    yield SPEECH
    shutil.rmtree(folder)


def align_graph(speech: str, lyrics: str, **inputs: object) -> Graph:
    return {
        "audio": {"class_type": "LoadAudio", "inputs": {"audio": speech}},
        "whisper": {
            "class_type": "LipSyncLoadWhisper",
            "inputs": {"model": MODEL, "backend": "transformers"},
        },
        "align": {
            "class_type": "LipSyncAlignLyrics",
            "inputs": {
                "audio": ["audio", 0],
                "lyrics": lyrics,
                "listener": ["whisper", 0],
                "language": "English",
                "preset": "speech",
                **inputs,
            },
        },
        "save": {
            "class_type": "LipSyncSaveLyrics",
            "inputs": {"timings": ["align", 0], "filename_prefix": "lyrics/aligned", "format": "json"},
        },
        "words": {"class_type": "PreviewAny", "inputs": {"source": ["align", 1]}},
        "notes": {"class_type": "PreviewAny", "inputs": {"source": ["align", 2]}},
    }


def saved_words(comfyui: Server, result: Result) -> list[dict[str, Any]]:
    assert result.failure is None, result.failure
    (file,) = [file for file in result.files() if file["filename"].endswith(".json")]
    timings = json.loads((comfyui.output / file["subfolder"] / file["filename"]).read_text(encoding="utf-8"))
    assert [line["text"] for line in timings["lines"]] == ["Bobby ripped", "the ledger"]
    return [word for line in timings["lines"] for word in line["words"]]


def test_words_get_the_times_at_which_they_are_said(comfyui: Server, speech: str) -> None:
    result = comfyui.run(align_graph(speech, LYRICS))
    words = saved_words(comfyui, result)
    assert {word["text"]: word["start"] for word in words} == pytest.approx(ONSETS, abs=TOLERANCE)
    assert {word["source"] for word in words} == {"heard"}
    (notes,) = result.outputs["notes"]["text"]
    assert notes.splitlines() == [
        "Headings, comments and signs that are not sung, left out: 1.",
        "4 of 4 words were heard.",
    ]
    (shown,) = result.outputs["words"]["text"]
    assert [word["value"] for word in json.loads(shown)] == list(ONSETS)


def test_words_that_were_recognised_before_and_vocals_are_used(comfyui: Server, speech: str) -> None:
    graph = align_graph(speech, LYRICS, recognised=["read", 0], vocals=["audio", 0])
    graph["read"] = {
        "class_type": "LipSyncReadLyrics",
        "inputs": {"text": "[00:00.06]<00:00.06>Bobby <00:00.41>ripped <00:00.66>the <00:00.74>ledger <00:01.11>"},
    }
    words = saved_words(comfyui, comfyui.run(graph))
    assert {word["text"]: word["start"] for word in words} == pytest.approx(ONSETS, abs=TOLERANCE)


def test_lyrics_without_words_are_explained(comfyui: Server, speech: str) -> None:
    message = message_of(comfyui.run(align_graph(speech, "[Verse]\n\n# nothing")))
    assert "a text without words that are sung" in message
