"""Real files that a seeded mutator damaged: each gives all its frames, or an error in the pack's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import portrait_clip
import pytest
from lipsync_studio.pipelines.core.errors import LipSyncError
from lipsync_studio.pipelines.core.host import PlainHost
from lipsync_studio.pipelines.core.timing import LengthPolicy
from lipsync_studio.pipelines.core.types import AudioClip, EncodeSettings
from lipsync_studio.pipelines.engines.draft.engine import DraftEngine
from lipsync_studio.pipelines.lipsync import find_speaker, lip_sync_video
from lipsync_studio.pipelines.media.decode import open_video
from lipsync_studio.pipelines.plan import LipSyncSettings
from numpy.random import Generator

FRAMES, SIDE, RATE = 5, 96, 16_000
MUTANTS = 50  # of each file
SPEECH = AudioClip(np.sin(np.arange(RATE) / 20, dtype=np.float32)[None], RATE)
SETTINGS = LipSyncSettings(lengths=LengthPolicy("stop", "keep the rest"))
FAST = EncodeSettings(preset="ultrafast")


def bytes_changed(data: bytearray, random: Generator) -> bytearray:
    for place in random.integers(0, len(data), random.integers(1, 64)):
        data[place] = random.integers(256)
    return data


def beginning_changed(data: bytearray, random: Generator) -> bytearray:
    for place in random.integers(0, 512, random.integers(1, 16)):
        data[place] = random.integers(256)
    return data


def cut_off(data: bytearray, random: Generator) -> bytearray:
    return data[: random.integers(1, len(data))]


def hole(data: bytearray, random: Generator) -> bytearray:
    begin, end = part(data, random)
    data[begin:end] = bytes(end - begin)
    return data


def repeated(data: bytearray, random: Generator) -> bytearray:
    begin, end = part(data, random)
    return data[:end] + data[begin:]


def missing(data: bytearray, random: Generator) -> bytearray:
    begin, end = part(data, random)
    return data[:begin] + data[end:]


def part(data: bytearray, random: Generator) -> tuple[int, int]:
    begin, end = sorted(random.integers(0, len(data), 2))
    return int(begin), min(int(end), int(begin) + len(data) // 8)


MUTATIONS = (bytes_changed, beginning_changed, cut_off, hole, repeated, missing)


def in_container(name: str) -> Callable[[Path], Path]:
    """Writes the portrait clip with sound, its packets copied into another kind of file."""

    def write(folder: Path) -> Path:
        clip = portrait_clip.write(folder / "clip.mp4", FRAMES, side=SIDE, sound_seconds=FRAMES / 25)
        with av.open(str(clip)) as source, av.open(str(folder / name), "w") as copy:
            streams = {stream: copy.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream]
                    copy.mux(packet)
        return folder / name

    return write


FILES: Mapping[str, Callable[[Path], Path]] = {
    "mp4": lambda folder: portrait_clip.write(folder / "a.mp4", FRAMES, side=SIDE, sound_seconds=FRAMES / 25),
    "mkv": in_container("a.mkv"),
    "ts": in_container("a.ts"),
    "mov": in_container("a.mov"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_damaged_file_gives_its_frames_or_a_clear_error(tmp_path: Path, kind: str) -> None:
    source = FILES[kind](tmp_path)
    whole = source.read_bytes()
    results, wrong = 0, []
    for seed in range(MUTANTS):
        random = np.random.default_rng(seed)
        source.write_bytes(MUTATIONS[seed % len(MUTATIONS)](bytearray(whole), random))
        try:
            expected, came = frames_in_and_out(source, tmp_path / "out.mp4")
        except LipSyncError as error:
            if not ("Expected" in str(error) and str(tmp_path) not in str(error)):
                wrong.append((seed, str(error)))
        else:
            results += 1
            if expected != came:
                wrong.append((seed, f"{came} frames out of {expected}"))
        assert not list(tmp_path.glob("*.part*")), f"seed {seed} left a half file"
    assert wrong == []
    assert results > 0  # not every damage is fatal


def frames_in_and_out(source: Path, result: Path) -> tuple[int, int]:
    clip, host = open_video(source), PlainHost()
    lip_sync_video(clip, find_speaker(clip, host), SPEECH, DraftEngine(), SETTINGS, result, FAST, clip.sound, host)
    with av.open(str(result)) as container:
        return len(clip.clock), sum(1 for _ in container.decode(video=0))
