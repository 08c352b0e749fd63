"""Who is who, with made-up faces: walking, crossing, hidden, leaving, coming back, and in the next shot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lipsync_studio.pipelines.core.faces import Face
from lipsync_studio.pipelines.faces.detect import SAME_FACE, overlap
from lipsync_studio.pipelines.faces.likeness import OTHER, SAME
from lipsync_studio.pipelines.faces.people import Cast, Person, Place, Shot
from numpy.typing import NDArray

NO_LOOKS = np.empty(0, np.float32)


def look(alike: float, axis: int = 1) -> NDArray[np.float32]:
    """A likeness with this cosine to `look(1)`."""
    likeness = np.zeros(4, np.float32)
    likeness[0], likeness[axis] = alike, np.sqrt(1 - alike**2)
    return likeness


def face(x: float, y: float = 400, side: float = 100, likeness: NDArray[np.float32] = NO_LOOKS) -> Face:
    box = np.array([x - side / 2, y - side / 2, x + side / 2, y + side / 2], np.float32)
    return Face(box, np.zeros((68, 2), np.float32), 1.0, likeness)


def follow(frames: Sequence[Sequence[Face]]) -> list[list[int]]:
    shot = Shot()
    return [shot.follow(number, faces) for number, faces in enumerate(frames)]


def person(x: float, side: float = 100, likeness: NDArray[np.float32] = NO_LOOKS, area: float = 1.0) -> Person:
    place = Place.of(face(x, side=side))
    return Person(place, place, 0, area, likeness)


def test_a_person_who_walks_across_is_one() -> None:
    assert follow([[face(100 + 40 * number)] for number in range(20)]) == [[0]] * 20


def test_a_person_who_turns_round_at_once_is_one() -> None:
    places = [*range(100, 800, 40), *range(800, 100, -40)]
    assert follow([[face(x)] for x in places]) == [[0]] * len(places)


def test_the_order_of_faces_in_a_frame_does_not_matter() -> None:
    pair = [face(300, side=120), face(450)]
    assert follow([pair, pair[::-1], pair]) == [[0, 1], [1, 0], [0, 1]]


def test_a_person_who_leaves_and_comes_back_nearby_is_the_same() -> None:
    frames = [[face(120)]] * 10 + [[]] * 30 + [[face(150)]] * 10
    assert follow(frames) == [[0]] * 10 + [[]] * 30 + [[0]] * 10


@pytest.mark.parametrize(
    ("x", "alike", "gap", "expected"),
    [
        (150, 1.0, 30, 0),
        (150, 0.0, 30, 1),
        (850, SAME + 0.01, 30, 0),
        (850, SAME - 0.01, 30, 1),
        (150, OTHER + 0.01, 30, 0),
        (850, 1.0, 3, 1),
        (150, 0.0, 3, 0),
    ],
    ids=[
        "same place, same looks",
        "same place, other looks",
        "elsewhere, same looks",
        "elsewhere, looks that will not do",
        "same place, looks that might be the same",
        "elsewhere at once: somebody who looks the same",
        "same place at once: the light changed",
    ],
)
def test_who_comes_back(x: float, alike: float, gap: int, expected: int) -> None:
    frames = [[face(120, likeness=look(1))]] * 10 + [[]] * gap + [[face(x, likeness=look(alike))]]
    assert follow(frames)[-1] == [expected]


def test_a_face_that_is_suddenly_much_larger_is_somebody_else() -> None:
    assert follow([[face(400)], [face(400, side=210)]]) == [[0], [1]]


def crossing(
    speeds: tuple[float, float],
    sides: tuple[float, float],
    height: float,
    looks: Sequence[NDArray[np.float32]],
    seed: int,
) -> list[tuple[list[Face], list[int]]]:
    """Two people who walk through each other, (faces, who they are) of each frame.

    The first one is in front: where the detector would take the two for one face, only that one is seen. Boxes tremble.
    """
    random = np.random.default_rng(seed)
    half = 40
    frames = []
    for number in range(-half, half + 1):
        moved = random.normal(0, 0.01 * min(sides), (2, 2))
        pair = [
            face(500 + speeds[0] * number + moved[0, 0], 400 + moved[0, 1], sides[0], looks[0]),
            face(500 - speeds[1] * number + moved[1, 0], 400 + height + moved[1, 1], sides[1], looks[1]),
        ]
        hidden = overlap(pair[0].box[None], pair[1].box[None])[0, 0] > SAME_FACE
        seen = [0] if hidden else [0, 1]
        random.shuffle(seen)
        frames.append(([pair[who] for who in seen], seen))
    return frames


def check_identities(frames: Sequence[tuple[list[Face], list[int]]], strict: bool) -> None:
    """Everybody keeps their number wherever both are seen; if `strict`, also where one hides the other."""
    shot = Shot()
    names: dict[int, int] = {}
    for number, (faces, people) in enumerate(frames):
        for followed, who in zip(shot.follow(number, faces), people, strict=True):
            if strict or len(people) == 2:
                assert names.setdefault(who, followed) == followed, f"exchanged in frame {number}"
    assert len(shot.people) == 2


speeds = st.floats(4, 30)
sides = st.floats(80, 125)


@settings(deadline=None, max_examples=60)
@given(st.tuples(speeds, speeds), st.tuples(sides, sides), st.floats(-60, 60), st.integers(0, 1000))
def test_people_who_cross_are_told_apart_by_their_motion(
    walk: tuple[float, float], size: tuple[float, float], height: float, seed: int
) -> None:
    """In the one frame in which fast walkers are in the same place, nothing tells which of them is seen."""
    check_identities(crossing(walk, size, height, [NO_LOOKS, NO_LOOKS], seed), strict=max(walk) < 10)


@settings(deadline=None, max_examples=40)
@given(st.floats(1, 4), st.floats(-60, 60), st.integers(0, 1000))
def test_people_who_cross_slowly_are_told_apart_by_their_looks(walk: float, height: float, seed: int) -> None:
    check_identities(crossing((walk, walk), (100, 100), height, [look(1), look(0.6)], seed), strict=True)


def test_two_who_turn_back_behind_each_other_are_told_apart_by_their_looks() -> None:
    """They meet, one hides the other, and both go back where they came from: motion alone would exchange them."""
    looks = [look(1), look(0.6)]
    places = [*range(-120, -20, 10), *[-15] * 6, *range(-20, -120, -10)]
    frames = [
        [face(500 + x, likeness=looks[0])] + ([] if x > -30 else [face(500 - x, likeness=looks[1])]) for x in places
    ]
    followed = follow(frames)
    assert all(who[0] == 0 for who in followed)
    assert all(who[1:] in ([], [1]) for who in followed)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 800), st.floats(10, 300)), max_size=6),
        min_size=1,
        max_size=12,
    )
)
def test_nobody_is_in_two_places(frames: list[list[tuple[float, float, float]]]) -> None:
    for who in follow([[face(*place) for place in places] for places in frames]):
        assert len(set(who)) == len(who)


def test_a_crowd_that_flickers_does_not_make_the_speaker_forgotten() -> None:
    speaker = face(500, side=300)
    frames = [[speaker]] * 3 + [[face(37 * n % 1000, 100 + 53 * n % 600, 20)] for n in range(200)] + [[speaker]]
    assert follow(frames)[-1] == [0]


def test_the_next_shot_is_told_by_looks_wherever_they_are() -> None:
    cast = Cast()
    assert cast.meet([person(200, likeness=look(1)), person(800, likeness=look(0.5))]) == [0, 1]
    assert cast.meet([person(750, 40, look(1)), person(100, likeness=look(0.5))]) == [0, 1]
    assert cast.meet([person(200, likeness=look(SAME - 0.02, 2))]) == [2]


def test_without_looks_the_next_shot_is_told_by_place_and_size() -> None:
    cast = Cast()
    assert cast.meet([person(200), person(800)]) == [0, 1]
    assert cast.meet([person(500, 300)]) == [2]
    assert cast.meet([person(790, 110), person(230, 90)]) == [1, 0]


def test_of_two_who_look_the_same_place_decides() -> None:
    cast = Cast()
    assert cast.meet([person(200, likeness=look(1)), person(800, likeness=look(0.99))]) == [0, 1]
    assert cast.meet([person(800, likeness=look(1)), person(200, likeness=look(0.99))]) == [1, 0]


def test_somebody_in_the_dark_is_nobody_whose_looks_are_known() -> None:
    cast = Cast()
    assert cast.meet([person(500)]) == [0]
    assert cast.meet([person(500, likeness=look(1))]) == [1]
    assert cast.meet([person(510)]) == [0]


def test_looks_of_zeros_are_none() -> None:
    shot = Shot()
    shot.follow(0, [face(500, likeness=np.zeros(4, np.float32))])
    assert shot.people[0].looks.size == 0


def test_a_good_likeness_is_not_given_up_for_two_poor_ones() -> None:
    """The first newcomer is surely the first one known; that the second newcomer then is nobody is no reason."""
    cast = Cast()
    assert cast.meet([person(200, likeness=look(1)), person(800, likeness=look(0.88, 2))]) == [0, 1]
    assert cast.meet([person(200, likeness=look(0.99, 2)), person(800, likeness=look(0.87, 3))]) == [0, 2]


def test_two_in_one_shot_are_never_one() -> None:
    cast = Cast()
    cast.meet([person(200, likeness=look(1))])
    assert sorted(cast.meet([person(200, likeness=look(1)), person(800, likeness=look(1))])) == [0, 1]


def test_a_person_gathers_area_and_looks_over_the_shots() -> None:
    cast = Cast()
    cast.meet([person(200, likeness=look(1), area=5)])
    cast.meet([person(700, likeness=look(0.95), area=7)])
    (only,) = cast.people
    assert only.area == 12
    np.testing.assert_allclose(only.looks, look(1) + look(0.95))
    assert only.last.centre[0] == 700
