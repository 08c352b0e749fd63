"""How well words are found in time, on recordings whose word times are known."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lipsync_studio.pipelines.core.types import AudioClip

RATE = 44_100


@dataclass(frozen=True)
class Song:
    """A song as JamendoLyrics has it. onsets: float64 [words], seconds."""

    name: str
    audio: Path
    lyrics: str
    onsets: NDArray[np.float64]


@dataclass(frozen=True)
class Speech:
    """A recording of speech. words: (text, start, end) of each, seconds."""

    name: str
    audio: Path
    words: tuple[tuple[str, float, float], ...]


def songs(model: Path, folder: Path, language: str) -> dict[str, dict[str, float]]:
    """Onset errors of Align Lyrics on the full mixes in `folder`, in the measures of `mir_eval.alignment`.

    model: folder of a Whisper. language: ISO 639-1 code of the songs, or "auto".
    """
    from lipsync_studio.pipelines.align_lyrics import align_lyrics
    from lipsync_studio.pipelines.core.host import PlainHost
    from lipsync_studio.pipelines.lyrics.recognise.presets import SONG
    from lipsync_studio.pipelines.lyrics.recognise.whisper_listener import WhisperModel
    from lipsync_studio.pipelines.networks.whisper import load_whisper

    whisper = WhisperModel(load_whisper(model))
    results = {}
    for song in read_songs(folder):
        clip = read_audio(song.audio)
        started = time.perf_counter()
        timings = align_lyrics(song.lyrics, clip, None, whisper, language, SONG, PlainHost())
        spent = time.perf_counter() - started
        found = np.array([word.start for word in timings.words])
        if len(found) != len(song.onsets):
            raise SystemExit(f"{song.name}: {len(song.onsets)} words have times, but the lyrics have {len(found)}")
        results[song.name] = {**onset_errors(song.onsets, found), "real_time": round(spent / clip.seconds, 2)}
        print(f"  {song.name}: {json.dumps(results[song.name])}", flush=True)
    return results


def onset_errors(known: NDArray[np.float64], found: NDArray[np.float64]) -> dict[str, float]:
    """AAE and median in seconds, and percent of the onsets that are at most 0.1 and 0.3 s away."""
    from mir_eval import alignment

    median, mean = alignment.absolute_error(known, found)
    return {
        "AAE": round(mean, 3),
        "median": round(median, 3),
        **{f"within {most}": round(100 * alignment.percentage_correct(known, found, most), 1) for most in (0.1, 0.3)},
    }


def read_songs(folder: Path) -> list[Song]:
    """Each `name.words.csv` (word_start, word_end, line_end), with `name.words.txt` and a sound that begins so."""
    found = []
    for table in sorted(folder.glob("*.words.csv")):
        name = table.name.removesuffix(".words.csv")
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        words = (folder / f"{name}.words.txt").read_text(encoding="utf-8").split()
        ends = ["\n" if row["line_end"] not in ("", "nan") else " " for row in rows]
        lyrics = "".join(word + end for word, end in zip(words, ends, strict=True))
        audio = next(path for path in sorted(folder.glob(f"{name}*")) if path.suffix in (".mp3", ".wav", ".flac"))
        found.append(Song(name, audio, lyrics, np.array([float(row["word_start"]) for row in rows])))
    return found


def read_audio(path: Path) -> AudioClip:
    """The sound of a file, mono."""
    from lipsync_studio.pipelines.core.types import AudioClip

    with av.open(str(path)) as container:
        resampler = av.AudioResampler("fltp", "mono", RATE)
        pieces = [piece.to_ndarray() for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray() for piece in resampler.resample(None)]
    return AudioClip(np.concatenate(pieces, axis=1), RATE)


def speech(model: Path, folder: Path, language: str = "auto") -> dict[str, dict[str, float]]:
    """Errors of Word Timestamps on the recordings of speech in `folder`, of the words that it heard right.

    model: folder of a Whisper. Milliseconds; bias: found minus known. heard: percent of the words.
    """
    from lipsync_studio.pipelines.core.host import PlainHost
    from lipsync_studio.pipelines.lyrics.recognise.presets import SPEECH
    from lipsync_studio.pipelines.lyrics.recognise.whisper_listener import WhisperModel
    from lipsync_studio.pipelines.networks.whisper import load_whisper
    from lipsync_studio.pipelines.word_timestamps import word_timestamps

    whisper = WhisperModel(load_whisper(model))
    results = {}
    for recording in read_speech(folder):
        clip = read_audio(recording.audio)
        started = time.perf_counter()
        timings = word_timestamps(clip, None, whisper, language, SPEECH, PlainHost())
        spent = time.perf_counter() - started
        found = [(word.text, word.start, word.end) for word in timings.words]
        results[recording.name] = {**word_errors(recording.words, found), "real_time": round(spent / clip.seconds, 2)}
        print(f"  {recording.name}: {json.dumps(results[recording.name])}", flush=True)
    return results


def word_errors(
    known: Sequence[tuple[str, float, float]], found: Sequence[tuple[str, float, float]]
) -> dict[str, float]:
    """Of the words that were heard right: onset and offset errors in ms."""
    pairs = same_words([word for word, *_ in known], [word for word, *_ in found])
    if not pairs:
        return {"heard": 0.0}
    errors = 1000 * np.array([[found[k][1] - known[n][1], found[k][2] - known[n][2]] for n, k in pairs])
    onsets, offsets = np.abs(errors).T
    return {
        "heard": round(100 * len(pairs) / len(known), 1),
        "onset": round(float(onsets.mean()), 1),
        "onset_median": round(float(np.median(onsets)), 1),
        "onset_bias": round(float(errors[:, 0].mean()), 1),
        "offset": round(float(offsets.mean()), 1),
    }


def same_words(known: Sequence[str], found: Sequence[str]) -> list[tuple[int, int]]:
    """Which word is which: the longest common subsequence, without regard to case and punctuation."""
    ours, theirs = (["".join(filter(str.isalnum, word.casefold())) for word in words] for words in (known, found))
    longest = np.zeros((len(ours) + 1, len(theirs) + 1), dtype=int)
    for n in reversed(range(len(ours))):
        for k in reversed(range(len(theirs))):
            same = longest[n + 1, k + 1] + (ours[n] == theirs[k])
            longest[n, k] = max(same, longest[n + 1, k], longest[n, k + 1])
    pairs: list[tuple[int, int]] = []
    n = k = 0
    while n < len(ours) and k < len(theirs):
        if ours[n] == theirs[k] and longest[n, k] == longest[n + 1, k + 1] + 1:
            pairs.append((n, k))
            n, k = n + 1, k + 1
        elif longest[n + 1, k] >= longest[n, k + 1]:
            n += 1
        else:
            k += 1
    return pairs


def read_speech(folder: Path) -> list[Speech]:
    """Each `name.TextGrid` (Praat's short form, a tier "words") or `name.words.json` ([text, start, end], ...) with a
    `name.wav` beside it.
    """
    found = []
    for audio in sorted(folder.glob("*.wav")):
        grid, table = audio.with_suffix(".TextGrid"), audio.with_suffix(".words.json")
        if grid.is_file():
            found.append(Speech(audio.stem, audio, _short_text_grid(grid)))
        elif table.is_file():
            rows = json.loads(table.read_text(encoding="utf-8"))
            found.append(Speech(audio.stem, audio, tuple((text, start, end) for text, start, end in rows)))
    return found


def _short_text_grid(path: Path) -> tuple[tuple[str, float, float], ...]:
    """The intervals that are not empty: of each, its start, its end and its text have a row."""
    rows = path.read_text(encoding="utf-8").splitlines()
    first = rows.index('"words"') + 4
    count = int(rows[first - 1])
    intervals = zip(*(rows[first + part : first + 3 * count : 3] for part in range(3)), strict=True)
    return tuple((text.strip('"'), float(start), float(end)) for start, end, text in intervals if text.strip('" '))
