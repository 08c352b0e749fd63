"""What the editor of Edit Timestamps hears and sees: the sound as a file that browsers play, and pictures of it."""

from __future__ import annotations

import secrets
import wave
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..pipelines.audio.spectrogram import Picture, onsets, spectrogram
from ..pipelines.core.errors import InputError
from ..pipelines.core.lyrics import Timings
from ..pipelines.core.types import AudioClip

PEAKS_PER_SECOND: Final = 400
LONGEST: Final = 6 * 3600.0  # seconds
LARGEST: Final = 2**32 - 2**10  # bytes of a WAV file, whose header has 32 bits for them
SPARE: Final = 3  # files that are kept though no result needs them: the next run may be of the same sound
FULL_SCALE: Final = 32767

Key = tuple[str, int, int]  # fingerprint, which is rounded to tenths of a second; samples; Hz


@dataclass(frozen=True)
class Sound:
    """A mono WAV of 16 bits: players find any sample in it at once, in compressed files they are off by some.

    peaks: uint8 [n], the largest amplitude of each 2.5 ms. rate: Hz.
    """

    path: Path
    peaks: NDArray[np.uint8]
    seconds: float
    rate: int

    @cached_property
    def picture(self) -> Picture:
        """`spectrogram` of the whole sound: 23 MB for an hour. Takes up to a minute then, once."""
        return spectrogram(self.seconds, self._between)

    @cached_property
    def onsets(self) -> NDArray[np.float64]:
        """`onsets` of the picture."""
        return onsets(self.picture)

    def _between(self, start: float, stop: float) -> AudioClip:
        with wave.open(str(self.path), "rb") as file:
            file.setpos(int(start * self.rate))
            data = file.readframes(max(1, round((stop - start) * self.rate)))
        return AudioClip(np.frombuffer(data, "<i2").astype(np.float32)[None] / np.float32(FULL_SCALE), self.rate)


class Sounds:
    """Sounds by random names. One lives as long as ComfyUI keeps a result that it belongs to, and a little longer.

    So running the graph always brings a sound back: where ComfyUI has dropped the result, the node runs anew. The same
    sound keeps its name from run to run, and an editor that is open goes on playing it. `keep` is called by the one
    thread that runs graphs; results are dropped in any.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        """folder: where the files go; it is made if it is not there."""
        self._folder = folder
        self._known: dict[str, Sound] = {}
        self._names: dict[Key, str] = {}  # the longest unused first
        self._users: dict[Key, int] = {}  # results
        self._dropped: deque[Key] = deque()  # of results that went since the last `keep`

    def keep(self, result: Timings, clip: AudioClip, fingerprint: str) -> str:
        """The name of the sound, which stays at least as long as `result`. Raises InputError for too long audio."""
        key = (fingerprint, clip.samples.shape[1], clip.rate)
        self._tidy(key)
        name = self._names.pop(key, "")
        if name and not self._known[name].path.exists():  # somebody has emptied the folder
            del self._known[name]
        if name not in self._known:
            name = secrets.token_urlsafe(16)
            self._known[name] = _written(clip, self._folder() / f"lipsync_editor_{name}.wav")
        self._names[key] = name
        self._users[key] = self._users.get(key, 0) + 1
        weakref.finalize(result, self._dropped.append, key).atexit = False
        return name

    def get(self, name: str) -> Sound | None:
        """None when it is gone."""
        return self._known.get(name)

    def _tidy(self, wanted: Key) -> None:
        while self._dropped:
            self._users[self._dropped.popleft()] -= 1
        unused = [key for key in self._names if not self._users[key] and key != wanted]
        for key in unused[: max(0, len(unused) - SPARE)]:
            del self._users[key]
            # Windows keeps a file that a browser is playing; ComfyUI empties the folder when it starts.
            with suppress(PermissionError):
                self._known.pop(self._names.pop(key)).path.unlink(missing_ok=True)


def _written(clip: AudioClip, path: Path) -> Sound:
    longest = min(LONGEST, LARGEST / (2 * clip.rate))
    if clip.seconds > longest:
        raise InputError(
            expected=f"audio of at most {longest / 3600:.0f} hours",
            got=f"{clip.seconds / 3600:.1f} hours",
            next_step="Cut it into parts before this node.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    peaks = []
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(clip.rate)
        for mono, starts in _minutes(clip):
            file.writeframes(np.rint(mono * FULL_SCALE).astype("<i2").tobytes())
            peaks.append(np.maximum.reduceat(np.abs(mono), starts))
    return Sound(path, np.ceil(np.concatenate(peaks) * 255).astype(np.uint8), clip.seconds, clip.rate)


def _minutes(clip: AudioClip) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    """The sound as mono, a minute at a time, and where in it each peak's part starts."""
    count = clip.samples.shape[1]
    # int64, because two minutes of samples times 400 is more than the int32 that NumPy 1 takes on Windows.
    edges = np.arange(int(clip.seconds * PEAKS_PER_SECOND) + 1, dtype=np.int64) * clip.rate // PEAKS_PER_SECOND
    edges = edges[edges < count]
    for first in range(0, len(edges), 60 * PEAKS_PER_SECOND):
        starts = edges[first : first + 60 * PEAKS_PER_SECOND]
        stop = edges[first + len(starts)] if first + len(starts) < len(edges) else count
        yield clip.samples[:, starts[0] : stop].mean(axis=0).clip(-1, 1), starts - starts[0]
