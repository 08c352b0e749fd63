"""Who is who: the same person from frame to frame inside a shot, and from shot to shot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..core.faces import Face
from .likeness import OTHER, SAME, unit_length

# How far a face may be from where it was, or from where it was heading, and still be the same person, in sides of the
# face: from one frame to the next, for each further frame it was not seen, and at most.
_STRIDE, _STRIDE_UNSEEN, _STRIDE_MOST = 0.75, 0.1, 2.0

# ... and how much larger or smaller it may have become.
_GROWTH = 2.0

# A new step changes the velocity by this part; unseen, a face keeps this part of it from frame to frame.
_GAIN, _KEPT = 0.5, 0.9

# After so many unseen frames looks decide: whoever looks the same has come back, wherever; who does not is another.
_AWAY = 8

# Of two people, one of them hidden until now, a face is rather the one that was seen in the frame before: this much, in
# strides. Else a face that passes before another one would be taken for it.
_HIDDEN = 0.5

# In the next shot a person known by looks may be anywhere; being where they were is worth this part of a likeness.
_SAME_PLACE = 0.25

# People that a face is compared with, in a shot and over the clip: those with the largest area. Bounds the time that a
# crowd takes which flickers in and out.
_MOST = 64


@dataclass(frozen=True)
class Place:
    """Where a face is. centre: float64 [2] px. side: px, of a square as large as its box."""

    centre: NDArray[np.float64]
    side: float

    @classmethod
    def of(cls, face: Face) -> Place:
        """From its box."""
        corners = face.box.astype(np.float64).reshape(2, 2)
        return cls(corners.mean(axis=0), float(np.sqrt(max(np.prod(corners[1] - corners[0]), 1.0))))


@dataclass
class Person:
    """One person, in one shot or over the clip.

    first, last: where they were seen first and last. seen: the frame of the last time. area: px, over all frames.
    looks: float32 [d], the sum of all likenesses; empty while unknown. velocity: float64 [2], px per frame.
    """

    first: Place
    last: Place
    seen: int
    area: float = 0.0
    looks: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))

    @classmethod
    def new(cls, face: Face, frame: int) -> Person:
        """Somebody who is seen for the first time; `see` counts that."""
        return cls(Place.of(face), Place.of(face), frame)

    def see(self, face: Face, frame: int) -> None:
        """Add the next frame in which this person was seen."""
        place = Place.of(face)
        if frame > self.seen:
            step = (place.centre - self.last.centre) / (frame - self.seen)
            self.velocity = self.velocity + _GAIN * (step - self.velocity)
        self.last, self.seen = place, frame
        self._count(place.side**2, face.likeness)

    def heading(self, frame: int) -> NDArray[np.float64]:
        """float64 [2]: where this person would be in `frame`, coming to rest while unseen."""
        return self.last.centre + self.velocity * ((1 - _KEPT ** (frame - self.seen)) / (1 - _KEPT))

    def join(self, later: Person) -> None:
        """The same person, in a later shot."""
        self.last, self.seen = later.last, later.seen
        self._count(later.area, later.looks)

    def _count(self, area: float, looks: NDArray[np.float32]) -> None:
        self.area += area
        if looks.any():  # zeros: too dark to know
            self.looks = self.looks + looks if self.looks.size else looks


class Shot:
    """Everybody in one shot, followed from frame to frame. people: in the order they were first seen."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self._compared: list[int] = []

    def follow(self, frame: int, faces: Sequence[Face]) -> list[int]:
        """Who each face of the next frame is, as an index into `people`; nobody twice."""
        pairs = match(faces, [self.people[index] for index in self._compared], frame)
        who = []
        for number, face in enumerate(faces):
            if number in pairs:
                who.append(self._compared[pairs[number]])
            else:
                who.append(len(self.people))
                self.people.append(Person.new(face, frame))
            self.people[who[-1]].see(face, frame)
        self._compared += [index for index in who if index not in self._compared]
        if len(self._compared) > _MOST:
            self._compared = nlargest(_MOST, self._compared, key=lambda index: (index in who, self.people[index].area))
        return who


class Cast:
    """Everybody in the clip. people: in the order they were first seen."""

    def __init__(self) -> None:
        self.people: list[Person] = []

    def meet(self, newcomers: Sequence[Person]) -> list[int]:
        """Who each of the people of the next shot is, as an index into `people`; nobody twice."""
        known = nlargest(_MOST, range(len(self.people)), key=lambda index: self.people[index].area)
        pairs = recognise(newcomers, [self.people[index] for index in known])
        who = []
        for number, newcomer in enumerate(newcomers):
            if number in pairs:
                who.append(known[pairs[number]])
                self.people[who[-1]].join(newcomer)
            else:
                who.append(len(self.people))
                self.people.append(newcomer)
        return who


def match(faces: Sequence[Face], people: Sequence[Person], frame: int) -> dict[int, int]:
    """Inside a shot: the person of each face of `frame`, by where they were heading, their size and their looks.

    Faces of somebody new are left out.
    """
    if not faces or not people:
        return {}
    here, last = [Place.of(face) for face in faces], [person.last for person in people]
    unseen = np.array([frame - person.seen - 1 for person in people])
    strides = _sides(here, last) * np.minimum(_STRIDE + _STRIDE_UNSEEN * unseen, _STRIDE_MOST)
    ahead = _distances(here, [person.heading(frame) for person in people]) / strides
    near = np.minimum(ahead, _distances(here, [place.centre for place in last]) / strides)
    growth = _growths(here, last)
    alike = _alike([face.likeness for face in faces], [person.looks for person in people])
    away = unseen >= _AWAY
    follows = (near < 1) & (growth < 1) & ~(away & (alike < OTHER))
    returns = away & (alike >= SAME)
    moved = np.minimum(ahead, 1) + _HIDDEN * (unseen > 0)
    costs = moved + np.minimum(growth, 1) + _unlike(alike)
    return _pairs(follows | returns, costs, beyond=float(costs.sum()))


def recognise(newcomers: Sequence[Person], known: Sequence[Person]) -> dict[int, int]:
    """From shot to shot: the known person that each newcomer is, by looks; of those without looks, by place and size.

    Newcomers nobody knows are left out.
    """
    if not newcomers or not known:
        return {}
    first, last = [person.first for person in newcomers], [person.last for person in known]
    far = _distances(first, [place.centre for place in last]) / _sides(first, last)
    growth = _growths(first, last)
    alike = _alike([person.looks for person in newcomers], [person.looks for person in known])
    unknown = np.array([[not (one.looks.size or other.looks.size) for other in known] for one in newcomers])
    possible = (alike >= SAME) | (unknown & (far < 1) & (growth < 1))
    costs = _unlike(alike) + _SAME_PLACE * (np.minimum(far, 1) + np.minimum(growth, 1))
    return _pairs(possible, costs, beyond=1 + 2 * _SAME_PLACE)


def _distances(first: Sequence[Place], second: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """px from each centre of `first` to each point of `second`: [a, b]."""
    here, there = np.array([place.centre for place in first]), np.array(second)
    return np.linalg.norm(here[:, None] - there, axis=2)


def _sides(first: Sequence[Place], second: Sequence[Place]) -> NDArray[np.float64]:
    """px, the larger side of each pair: [a, b]."""
    here, there = (np.array([place.side for place in places]) for places in (first, second))
    return np.maximum(here[:, None], there)


def _growths(first: Sequence[Place], second: Sequence[Place]) -> NDArray[np.float64]:
    """How much larger or smaller each of `first` is than each of `second`: [a, b], 0 = equal, 1 = by `_GROWTH`."""
    here, there = (np.log([place.side for place in places]) for places in (first, second))
    return np.abs(here[:, None] - there) / np.log(_GROWTH)


def _alike(first: Sequence[NDArray[np.float32]], second: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The cosine of each pair of likenesses of any length: [a, b]; NaN where one of them is unknown."""
    values = max(1, *(likeness.size for likeness in (*first, *second)))
    here, there = (np.array([np.resize(likeness, values) for likeness in side]) for side in (first, second))
    known = here.any(axis=1, keepdims=True) & there.any(axis=1)
    return np.where(known, unit_length(here) @ unit_length(there).T, np.float32(np.nan))


def _unlike(alike: NDArray[np.float32]) -> NDArray[np.float32]:
    """0 where equal, 1 where just not the same person any more; 0 where unknown."""
    return np.nan_to_num(np.clip((1 - alike) / (1 - SAME), 0, 1), nan=0.0)


def _pairs(possible: NDArray[np.bool_], costs: NDArray[np.float64], beyond: float) -> dict[int, int]:
    """The cheapest choice of `possible` pairs (row, column), when a row without one costs `beyond`.

    If that is as much as all others together, as many pairs are chosen as there can be.
    """
    chosen = zip(*linear_sum_assignment(np.where(possible, costs, beyond)), strict=True)
    return {int(row): int(column) for row, column in chosen if possible[row, column]}
