"""faster-whisper, if the user has it: Whisper on CTranslate2, two to four times as fast on a CPU."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from ....core.errors import InputError, WeightsError
from ....core.host import Host
from ....core.lyrics import Timings, Word
from ...listener import Sound
from ..guards import without_repeats
from ..pieces import given_words
from ..presets import Preset
from ..timing import FRAME
from .optional import installed, line_of, lines_of

_RATE = 16_000
_FILES = ("model.bin", "config.json", "tokenizer.json")


def load_faster_whisper(path: Path) -> FasterWhisperModel:
    """The model in the folder of `path` (model.bin). Raises MissingPackageError or WeightsError; fetches nothing."""
    module = installed("faster_whisper", "faster-whisper")
    folder = path.parent
    absent = [name for name in _FILES if not (folder / name).is_file()]
    if absent or path.name != "model.bin":
        raise WeightsError(
            expected=f"a Whisper for CTranslate2: {', '.join(_FILES)} and a vocabulary in one folder",
            got=f"{path.name} in {folder}" + (f", without {', '.join(absent)}" if absent else ""),
            next_step="Put the whole folder of such a model (Systran/faster-whisper-base on Hugging Face, for example) "
            "into models/whisper, and choose its model.bin.",
        )
    try:
        files: dict[str, bytes] = {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}
        files["config.json"] = with_upper_heads(files["config.json"], path)
        return FasterWhisperModel(module, module.WhisperModel(str(folder), files=files))
    except (RuntimeError, ValueError, KeyError, struct.error) as error:
        raise WeightsError(
            expected=f"a Whisper for CTranslate2 in {folder}",
            got=f"files that cannot be read ({error})",
            next_step="Download the folder again.",
        ) from error


class FasterWhisperModel:
    """Implements `listener.SpeechModel`. It manages its memory by itself, outside ComfyUI's."""

    def __init__(self, module: Any, model: Any) -> None:  # noqa: ANN401 - of a package that need not be there
        self._tokenizers = module.tokenizer
        self._model = model

    def listener(self, sound: Sound, language: str, preset: Preset) -> FasterWhisperListener:
        """See `SpeechModel.listener`."""
        known = self._model.supported_languages
        if language not in ("auto", *known):
            raise InputError(
                expected=f"a language that this Whisper knows: {', '.join(known)}",
                got=f"`{language}`",
                next_step="Choose one of them, or `auto`.",
            )
        return FasterWhisperListener(self._tokenizers, self._model, sound, language, preset)


class FasterWhisperListener:
    """Implements `listener.Listener`."""

    longest = 30.0

    def __init__(
        self,
        tokenizers: Any,  # noqa: ANN401 - of a package that need not be there
        model: Any,  # noqa: ANN401
        sound: Sound,
        language: str,
        preset: Preset,
    ) -> None:
        self._tokenizers, self._model, self._sound, self._preset = tokenizers, model, sound, preset
        self._language = "" if language == "auto" else language

    def recognise(self, host: Host) -> Timings:
        """See `Listener.recognise`. The whole sound is in memory while it works: 4 MB a minute."""
        duration = len(self._sound) / _RATE
        segments, info = self._model.transcribe(
            self._sound.read(0, len(self._sound)),
            language=self._language or None,
            word_timestamps=True,
            condition_on_previous_text=False,
            vad_filter=self._preset.voice_only,
            no_speech_threshold=self._preset.no_speech,
            log_prob_threshold=self._preset.least_log_probability,
            compression_ratio_threshold=self._preset.compression,
            temperature=list(self._preset.temperatures),
        )
        lines: list[Sequence[Word]] = []
        notes: list[str] = []
        for segment in segments:
            host.check_interrupt()
            words = line_of((word.word, word.start, word.end, word.probability) for word in segment.words)
            checked = without_repeats(words, self._preset.repeats)
            lines.append(checked.kept)
            notes += checked.notes
            host.progress(round(min(segment.end, duration)), round(duration), "Words")
        self._language = info.language
        return Timings(lines_of(lines), info.language, notes=tuple(notes))

    def place(self, words: Sequence[str], start: float, end: float) -> tuple[Word, ...]:
        """See `Listener.place`. It knows no pauses: a word begins where the one before it ends."""
        samples = self._sound.read(round(start * _RATE), round(end * _RATE))
        encoder, tokenizer = self._model.hf_tokenizer, self._tokenizer(samples)
        pieces = given_words(
            words,
            lambda text: encoder.encode(text, add_special_tokens=False).ids,
            lambda ids: encoder.decode(list(ids)),
        )
        if not words:
            return ()
        frames = max(1, round((end - start) / FRAME))
        result = self._model.model.align(
            self._encoded(samples), tokenizer.sot_sequence, [list(pieces.tokens)], 2 * frames, median_filter_width=7
        )[0]
        tokens, times = np.array(result.alignments).T
        first = np.searchsorted(tokens, np.arange(len(pieces.tokens) + 1)).clip(max=len(times) - 1)
        edges = (start + FRAME * times[first]).clip(start, end).tolist()
        chances = np.array(result.text_token_probs)
        return tuple(
            Word(piece.text, edges[piece.first], edges[piece.last], float(chances[piece.first : piece.last].mean()))
            for piece in pieces.words
        )

    def _tokenizer(self, samples: Any) -> Any:  # noqa: ANN401
        if not self._language:
            self._language = self._model.detect_language(samples)[0]
        return self._tokenizers.Tokenizer(
            self._model.hf_tokenizer, self._model.model.is_multilingual, task="transcribe", language=self._language
        )

    def _encoded(self, samples: Any) -> Any:  # noqa: ANN401
        features = self._model.feature_extractor(samples)[:, : 2 * round(self.longest / FRAME)]
        missing = 2 * round(self.longest / FRAME) - features.shape[1]
        return self._model.encode(np.pad(features, ((0, 0), (0, missing))))


def with_upper_heads(config: bytes, model: Path) -> bytes:
    """The config with every head of the upper half of the decoder's layers as aligned.

    Those that come with the model put words too early; see `networks.whisper.Whisper.attend`.
    """
    with model.open("rb") as file:
        layers, heads = _decoder_size(file)
    upper = [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)]
    return json.dumps({**json.loads(config), "alignment_heads": upper}).encode()


def _decoder_size(file: BufferedReader) -> tuple[int, int]:
    """(layers, heads) of the decoder, from the table of CTranslate2's binary format, version 4 and later.

    uint32 version, string name, uint32 revision, uint32 count, then for each variable: string name, uint8 rank, uint32
    sizes, uint8 type, uint32 bytes, the bytes. A string is a uint16 length with its final zero, then the letters.
    """

    def number(form: str) -> int:
        return int(struct.unpack(f"<{form}", file.read(struct.calcsize(f"<{form}")))[0])

    def string() -> str:
        return file.read(number("H"))[:-1].decode()

    number("I"), string(), number("I")
    layers, heads = 0, 0
    for _ in range(number("I")):
        name = string()
        file.seek(4 * number("B") + 1, 1)
        length = number("I")
        if name == "decoder/num_heads":
            heads = int.from_bytes(file.read(length), "little")
            continue
        if name.startswith("decoder/layer_") and name.split("_")[1].split("/")[0].isdecimal():
            layers = max(layers, int(name.split("_")[1].split("/")[0]) + 1)
        file.seek(length, 1)
    if not layers or not heads:
        raise ValueError(f"no decoder in {file.name}")
    return layers, heads
