"""Engines in order of preference: one of them does a whole job, and which is settled before a frame is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..core.errors import WeightsError
from ..networks.residency import is_out_of_memory, make_room
from .base import Engine
from .select import PassedOver, too_small

Plan = TypeVar("Plan")


@dataclass(frozen=True)
class Choice:
    """An engine that is loaded when it is needed.

    label: for people. load: gives the engine, the same one until it is forgotten; raises WeightsError when a file is
    missing or cannot be read. smallest_face: px, the side of the crop below which it is not taken where another may
    follow. forget: lets go of the engine.
    """

    label: str
    load: Callable[[], Engine]
    smallest_face: int = 0
    forget: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class EngineChain:
    """What a sampler may be given in place of an engine. choices: the best first. passed_over: before all of them."""

    choices: tuple[Choice, ...]
    passed_over: tuple[PassedOver, ...] = ()

    def __post_init__(self) -> None:
        if not self.choices:
            raise ValueError("a chain needs at least one engine")


def settle(
    chain: EngineChain, face_side: float, lay_out: Callable[[Engine], Plan], rehearse: Callable[[Plan], None]
) -> tuple[Plan, tuple[str, ...]]:
    """The plan of the engine that does the job, and what the report should say of those that would have come first.

    face_side: px, of the clip's crop; 0 where it is not known. lay_out: makes the plan for an engine. rehearse: paints
    a block of it, to see whether that goes through. An engine whose weights cannot be read, for which the face is too
    small, or whose memory does not suffice makes way for the next, and none of it stays in memory. The last one is not
    rehearsed: none could follow.
    """
    passed_over = list(chain.passed_over)
    *preferred, last = chain.choices
    for choice in preferred:
        tried = _tried(choice, face_side, lay_out, rehearse)
        if not isinstance(tried, PassedOver):
            return tried, _notes(choice.label, passed_over)
        passed_over.append(tried)
        make_room()
        choice.forget()
    return lay_out(last.load()), _notes(last.label, passed_over)


def _tried(
    choice: Choice, face_side: float, lay_out: Callable[[Engine], Plan], rehearse: Callable[[Plan], None]
) -> Plan | PassedOver:
    """The plan of an engine, or why the next one follows."""
    small = too_small(face_side, choice.smallest_face)
    if small:
        return PassedOver(choice.label, small)
    try:
        plan = lay_out(choice.load())
        rehearse(plan)
    except Exception as error:  # raised again unless it is a reason to take another engine
        why = _reason(error)
        if not why:
            raise
        return PassedOver(choice.label, why)
    return plan


def _reason(error: Exception) -> str:
    """Why the next engine follows; empty when it does not."""
    if isinstance(error, WeightsError):
        return str(error)
    return "the memory of the device did not suffice for its first block" if is_out_of_memory(error) else ""


def _notes(label: str, passed_over: list[PassedOver]) -> tuple[str, ...]:
    return tuple(
        f"{label} did the whole job in place of {other.label}: {other.why.rstrip('.')}." for other in passed_over
    )
