"""New shots: cuts, dissolves and fades are found; flashes, pans, zooms and noise are none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.faces.finder import thumbnails
from lipsync_studio.pipelines.faces.shots import FLASH, MINIATURE, REACH, miniatures, number_shots
from numpy.typing import NDArray
from PIL import Image


def cuts(frames: Sequence[NDArray[np.float32]]) -> list[int]:
    """The frames at which a new shot begins."""
    shots = [shot for shot, _, _ in number_shots((frame, None) for frame in frames)]
    return (np.flatnonzero(np.diff(shots)) + 1).tolist()


def scene(seed: int) -> NDArray[np.float32]:
    """A miniature of its own, as smooth as scenes are."""
    coarse = torch.rand(1, 3, 3, 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, size=MINIATURE, mode="bicubic").clamp(0, 1).flatten().numpy()


def alive(picture: NDArray[np.float32], count: int, seed: int = 0) -> list[NDArray[np.float32]]:
    """`count` frames of the same scene with grain."""
    random = np.random.default_rng(seed)
    return [(picture + random.normal(0, 0.004, picture.shape)).astype(np.float32) for _ in range(count)]


@given(st.lists(st.integers(8, 40), min_size=1, max_size=4))
def test_every_cut_between_different_scenes_is_found(lengths: list[int]) -> None:
    frames = [frame for number, length in enumerate(lengths) for frame in alive(scene(number), length)]
    assert cuts(frames) == np.cumsum(lengths)[:-1].tolist()


def test_a_cut_between_similar_rooms_is_found() -> None:
    room = scene(1)
    other = room + 0.12 * (scene(2) - room)
    assert np.abs(room - other).mean() < 0.05
    assert cuts(alive(room, 20) + alive(other, 20)) == [20]


def flashes(frames: Sequence[NDArray[np.float32]]) -> list[int]:
    """The frames that for a moment show something else."""
    return [number for number, (_, flash, _) in enumerate(number_shots((frame, None) for frame in frames)) if flash]


@pytest.mark.parametrize("length", [1, 2, 4, FLASH])
@pytest.mark.parametrize("shown", ["light", "black", "another scene"])
def test_a_flash_is_no_cut_but_known(shown: str, length: int) -> None:
    room = scene(1)
    flash = {"light": np.clip(room + 0.6, 0, 1), "black": 0 * room, "another scene": scene(2)}[shown]
    frames = alive(room, 20) + alive(flash, length, seed=1) + alive(room, 20)
    assert cuts(frames) == []
    assert flashes(frames) == list(range(20, 20 + length))


def test_neither_a_cut_nor_a_longer_insert_is_a_flash() -> None:
    assert flashes(alive(scene(1), 20) + alive(scene(2), 20)) == []
    assert flashes(alive(scene(1), 20) + alive(scene(2), FLASH + 1) + alive(scene(1), 20)) == []


def test_a_hidden_face_is_no_flash(astronaut: NDArray, clip_of: Callable) -> None:
    """A hand's width of grey before the face of a close-up, for three frames."""
    close = astronaut[:256, 110:366]
    hidden = close.copy()
    hidden[60:190, 70:180] = 128
    clip = clip_of([close] * 10 + [hidden] * 3 + [close] * 10)
    (chunk,) = clip.read([np.arange(len(clip.frames))])
    assert flashes(list(miniatures(thumbnails(chunk)))) == []


def test_a_cut_right_after_another_is_found() -> None:
    assert cuts(alive(scene(1), 20) + alive(scene(2), 3) + alive(scene(3), 20)) == [20, 23]


@pytest.mark.parametrize("length", [7, 8])
def test_a_shot_between_two_like_each_other_is_no_flash(length: int) -> None:
    assert cuts(alive(scene(1), 20) + alive(scene(2), length) + alive(scene(1), 20)) == [20, 20 + length]


def dissolve(first: NDArray[np.float32], second: NDArray[np.float32], count: int) -> list[NDArray[np.float32]]:
    return [first + (second - first) * np.float32(part) for part in np.linspace(0, 1, count + 2)[1:-1]]


@pytest.mark.parametrize("length", [3, 5, 6, 12, 21, 22])
def test_a_dissolve_begins_one_shot_in_its_middle(length: int) -> None:
    first, second = scene(1), scene(2)
    found = cuts(alive(first, 30) + dissolve(first, second, length) + alive(second, 30))
    assert len(found) == 1
    assert abs(found[0] - (30 + length / 2)) <= 1


@pytest.mark.parametrize("length", [6, 12])
def test_a_fade_through_black_begins_a_shot(length: int) -> None:
    first, second, black = scene(1), scene(2), np.zeros_like(scene(1))
    out, back = dissolve(first, black, length), dissolve(black, second, length)
    found = cuts(alive(first, 30) + out + [black] * 2 + back + alive(second, 30))
    assert found
    assert all(30 <= frame <= 32 + 2 * length for frame in found)


@pytest.mark.parametrize("length", [1, 3])
def test_black_frames_in_a_scene_are_no_cut(length: int) -> None:
    assert cuts(alive(scene(1), 30) + [np.zeros_like(scene(1))] * length + alive(scene(1), 30)) == []


def test_a_light_that_is_turned_down_a_little_is_no_dissolve() -> None:
    room = scene(1)
    assert cuts(alive(room, 30) + dissolve(room, 0.85 * room, 8) + alive(0.85 * room, 30)) == []


def test_a_crash_zoom_is_no_cut(astronaut: NDArray, clip_of: Callable) -> None:
    frames = [astronaut]
    for margin in np.concatenate([np.zeros(15), np.linspace(0, 160, 12), np.full(15, 160)]).astype(int):
        part = Image.fromarray(astronaut[margin : 512 - margin, margin : 512 - margin])
        frames.append(np.array(part.resize((512, 512))))
    (chunk,) = clip_of(frames).read([np.arange(len(frames))])
    assert cuts(list(miniatures(thumbnails(chunk)))) == []


@pytest.mark.parametrize("repeat", [1, 2, 4], ids=["every frame new", "each twice", "each four times"])
def test_a_fast_pan_is_no_cut(astronaut: NDArray, clip_of: Callable, repeat: int) -> None:
    """Starts from rest, moves 6 % of the width a frame, stops again."""
    wide = np.concatenate([astronaut, astronaut[:, ::-1], astronaut, astronaut[:, ::-1]], axis=1)
    speeds = np.concatenate([np.zeros(8), np.linspace(0, 30, 10), np.full(15, 30), np.linspace(30, 0, 10), np.zeros(8)])
    starts = np.repeat(np.cumsum(speeds).astype(int), repeat)
    clip = clip_of([wide[:, start : start + 512] for start in starts])
    (chunk,) = clip.read([np.arange(len(clip.frames))])
    assert cuts(list(miniatures(thumbnails(chunk)))) == []


@given(st.integers(1, 40))
def test_every_item_comes_out_once_in_order(count: int) -> None:
    numbered = list(number_shots((frame, index) for index, frame in enumerate(alive(scene(1), count))))
    assert [item for _, _, item in numbered] == list(range(count))
    assert {(shot, flash) for shot, flash, _ in numbered} == {(0, False)}


def test_items_come_out_while_the_clip_still_runs() -> None:
    taken = 0

    def frames() -> object:
        nonlocal taken
        for frame in alive(scene(1), 100):
            taken += 1
            yield frame, None

    numbered = number_shots(frames())
    for done in range(1, 50):
        next(numbered)
        assert taken <= done + REACH


def test_miniatures_are_the_mean_colours() -> None:
    red_over_blue = torch.zeros(1, 360, 640, 3, dtype=torch.uint8)
    red_over_blue[0, :180, :, 0] = 255
    red_over_blue[0, 180:, :, 2] = 51
    small = miniatures(red_over_blue).reshape(3, *MINIATURE)
    assert (small[0, :9] == 1).all()
    assert (small[0, 9:] == 0).all()
    np.testing.assert_allclose(small[2, 9:], 0.2)
