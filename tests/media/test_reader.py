"""Any order of frames gives the right ones, and costs a bounded number of decodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.errors import MediaError
from lipsync_studio.pipelines.media import reader
from lipsync_studio.pipelines.media.decode import open_video

FRAMES = 90
LONG_GOP = {"g": "90", "bf": "3"}
SHORT_GOP = {"g": "4", "bf": "2"}
OPEN_GOP = {"bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12:scenecut=0:b-adapt=0"}
INTRA = {"g": "1"}


def read_numbers(path: Path, blocks: list[np.ndarray], number_of: Callable) -> list[list[int]]:
    return [[number_of(p) for p in chunk.pictures] for chunk in open_video(path).read(blocks)]


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stamps of all frames that come out of any decoder."""
    stamps: list[int] = []
    original = reader.decoded

    def counted(packet: object) -> list:
        frames = original(packet)
        stamps.extend(frame.pts for frame in frames)
        return frames

    monkeypatch.setattr(reader, "decoded", counted)
    return stamps


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> int:
    """A memory bound of 10 pictures of 96x80 in 4:2:0."""
    monkeypatch.setattr(reader, "WINDOW_BYTES", 10 * 96 * 80 * 3 // 2)
    return 10


@settings(deadline=None, max_examples=25)
@given(
    blocks=st.lists(st.lists(st.integers(0, FRAMES - 1), max_size=12), max_size=6),
    options=st.sampled_from([LONG_GOP, SHORT_GOP, OPEN_GOP, INTRA]),
    name=st.sampled_from(["a.mp4", "a.mkv", "a.ts", "a.avi"]),
    pictures=st.sampled_from([1, 2, 10, 1000]),
)
def test_any_order(
    make_clip: Callable[..., Path],
    number_of: Callable,
    blocks: list[list[int]],
    options: dict[str, str],
    name: str,
    pictures: int,
) -> None:
    path = make_clip(name, frames=FRAMES, options=options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "WINDOW_BYTES", pictures * 96 * 80 * 3 // 2)
        assert read_numbers(path, [np.array(block, np.int64) for block in blocks], number_of) == blocks


@pytest.mark.parametrize("options", [LONG_GOP, SHORT_GOP, OPEN_GOP, INTRA], ids=["long", "short", "open", "intra"])
def test_ping_pong_with_a_small_window(
    make_clip: Callable[..., Path], number_of: Callable, decodes: list[int], small_window: int, options: dict[str, str]
) -> None:
    order = np.tile(np.concatenate([np.arange(FRAMES), np.arange(FRAMES)[::-1]]), 2)
    blocks = np.array_split(order, 45)
    path = make_clip(frames=FRAMES, options=options)
    assert read_numbers(path, blocks, number_of) == [block.tolist() for block in blocks]
    # Forward once each; backward, one stretch of at most a group of pictures for every window of 10. Decoders work
    # some frames ahead.
    stretches = 2 * (FRAMES // small_window + 2)
    group = int(options.get("g", 12))
    assert len(decodes) <= 2 * FRAMES + stretches * (group + reader.RESTART_FRAMES)


def test_a_window_that_holds_the_group_decodes_it_once_for_the_way_back(
    make_clip: Callable[..., Path], number_of: Callable, decodes: list[int]
) -> None:
    clip = open_video(make_clip(frames=FRAMES, options=LONG_GOP))
    decodes.clear()
    there_and_back = np.concatenate([np.arange(FRAMES), np.arange(FRAMES)[::-1]])
    for _ in clip.read(np.array_split(there_and_back, 12)):
        pass
    assert len(decodes) <= 2 * FRAMES


def test_forward_reading_decodes_every_frame_once(
    make_clip: Callable[..., Path], number_of: Callable, decodes: list[int]
) -> None:
    clip = open_video(make_clip(frames=FRAMES, options=SHORT_GOP))
    decodes.clear()
    for _ in clip.read(np.array_split(np.arange(FRAMES), 12)):
        pass
    assert sorted(decodes) == sorted(set(decodes))
    assert len(decodes) == FRAMES


def test_holding_a_frame_decodes_it_once(
    make_clip: Callable[..., Path], number_of: Callable, decodes: list[int]
) -> None:
    clip = open_video(make_clip(frames=FRAMES, options=SHORT_GOP))
    decodes.clear()
    hold = np.full(500, FRAMES - 1)
    numbers = [number_of(p) for chunk in clip.read([np.arange(FRAMES), hold]) for p in chunk.pictures]
    assert numbers[FRAMES:] == [FRAMES - 1] * 500
    assert len(decodes) == FRAMES


def test_a_jump_ahead_starts_at_a_keyframe(
    make_clip: Callable[..., Path], number_of: Callable, decodes: list[int]
) -> None:
    clip = open_video(make_clip(frames=FRAMES, options=SHORT_GOP))
    decodes.clear()
    assert [number_of(p) for chunk in clip.read([np.array([0, 88])]) for p in chunk.pictures] == [0, 88]
    assert len(decodes) < 45


def test_memory_is_bounded_by_the_window(make_clip: Callable[..., Path], small_window: int) -> None:
    clip = open_video(make_clip(frames=FRAMES, options=LONG_GOP))
    frames = reader.FrameReader(clip.source, clip.index, clip.form, clip.mishaps)
    for number in [*range(FRAMES), *range(FRAMES)[::-1]]:
        frames.picture(number)
        assert len(frames._window) <= small_window
    frames.close()


def test_a_number_that_the_clip_lacks(make_clip: Callable[..., Path]) -> None:
    with pytest.raises(ValueError, match=r"frames 0\.\.29"):
        list(open_video(make_clip()).read([np.array([30])]))


def test_a_long_clip_without_frame_times_is_not_played_backward(
    make_clip: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lipsync_studio.pipelines.media.decode.LONGEST_COUNTED_BACKWARD", 20)
    clip = open_video(make_clip("a.avi", options={"bf": "3"}))
    assert clip.index.counted
    assert sum(len(chunk.pictures) for chunk in clip.read([np.arange(30)])) == 30
    with pytest.raises(MediaError, match="play backward"):
        list(clip.read([np.arange(30)[::-1]]))
