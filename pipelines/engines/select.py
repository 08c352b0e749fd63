"""Which engine fits what is wanted, on this machine and for this clip: values in, a choice with its reasons out.

What the numbers rest on: LatentSync's README (8 GB for 256 px, 18 GB for 512 px); the work of a frame, 0.18 TFLOP of
MuseTalk against 10.1 and 44.1 of LatentSync at 256 and 512 px; MuseTalk's paper (arXiv:2410.10122), where viewers
prefer its looks and LatentSync's sync.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from .select_words import PRAISE, hints, service_against

Family = Literal["latentsync", "musetalk", "wav2lip", "draft"]
EngineId = Literal["latentsync-1.6", "latentsync-1.5", "musetalk", "musetalk-1.0", "wav2lip", "draft"]
Priority = Literal["quality", "balanced", "speed"]
Wish = Literal["new speech in a video", "a still picture that moves", "another emotion", "a 3D head"]
Fallback = Literal["stop", "MuseTalk", "MuseTalk or draft"]

GB: Final = 10**9
SMALLEST_FACE: Final = 64  # px; our rule: smaller ones have no detail that would be worth LatentSync's work
_CLOSE_UP: Final = 256  # px; what MuseTalk paints
_MUSETALK_VRAM: Final = 4 * GB
_ENOUGH: Final = 0.95  # a card sold as "8 GB" has a little less free


@dataclass(frozen=True)
class Candidate:
    """An engine as the choice sees it.

    vram: bytes of free video memory that it wants. strict: without them it is not taken; else parts of it wait outside,
    or it runs on the CPU. times: its work for a frame, MuseTalk's being 1; above 1 it never keeps up with playing.
    smallest_face: px, the side of the crop. commercial: whether the licence of its weights allows such use.
    """

    label: str
    family: Family
    vram: int = 0
    strict: bool = False
    times: int = 1
    smallest_face: int = 0
    commercial: bool = True


CANDIDATES: Final[Mapping[EngineId, Candidate]] = MappingProxyType(
    {
        "latentsync-1.6": Candidate("LatentSync 1.6", "latentsync", 18 * GB, True, 248, SMALLEST_FACE),
        "latentsync-1.5": Candidate("LatentSync 1.5", "latentsync", 8 * GB, True, 57, SMALLEST_FACE),
        "musetalk": Candidate("MuseTalk 1.5", "musetalk", _MUSETALK_VRAM),
        "musetalk-1.0": Candidate("MuseTalk 1.0", "musetalk", _MUSETALK_VRAM),
        "wav2lip": Candidate("Wav2Lip (non-commercial)", "wav2lip", 2 * GB, commercial=False),
        "draft": Candidate("Draft", "draft"),
    }
)
"""In the order of quality."""

_LATENTSYNC: Final[tuple[EngineId, ...]] = ("latentsync-1.6", "latentsync-1.5")
_MUSETALK: Final[tuple[EngineId, ...]] = ("musetalk", "musetalk-1.0")
# Wav2Lip, which is never fallen back to, may make way for what is below it.
_DOWNWARDS: Final[tuple[EngineId, ...]] = (*_LATENTSYNC, "wav2lip", *_MUSETALK, "draft")
_FALLBACKS: Final[Mapping[Fallback, tuple[Family, ...]]] = MappingProxyType(
    {
        "stop": (),
        "MuseTalk": ("latentsync", "musetalk"),
        "MuseTalk or draft": ("latentsync", "musetalk", "draft"),
    }
)


@dataclass(frozen=True)
class Wishes:
    """What the user wants.

    balanced: MuseTalk, but LatentSync where a close-up would look soft. commercial: the result is used commercially.
    accepts_non_commercial: the user accepts a licence that forbids it. real_time: as fast as the clip plays. budget:
    dollars for a minute of result; 0 keeps to this machine. fallback: what may do the job in place of an engine that
    cannot.
    """

    priority: Priority = "balanced"
    wish: Wish = "new speech in a video"
    commercial: bool = True
    accepts_non_commercial: bool = False
    real_time: bool = False
    budget: float = 0.0
    fallback: Fallback = "stop"


@dataclass(frozen=True)
class Circumstances:
    """What there is. vram: free bytes of video memory, 0 without a graphics card. missing: what stands in the way of
    loading an engine, for those that cannot be loaded. face: px, the side of the clip's crop; 0 where it is not known.
    """

    vram: int
    missing: Mapping[EngineId, str] = field(default_factory=dict)
    face: float = 0.0


@dataclass(frozen=True)
class PassedOver:
    """An engine that would have come first, and why it did not."""

    label: str
    why: str


@dataclass(frozen=True)
class Selection:
    """engine: None when nothing fits. reason: one sentence. rejected: why not, of every other engine and service, by
    its label. fallbacks: what may follow in its place, in this order. hints: what to do about wishes that no engine
    fulfils. passed_over: the engine that would have come first, where something stands in its way.
    """

    engine: EngineId | None
    reason: str
    rejected: Mapping[str, str]
    fallbacks: tuple[EngineId, ...] = ()
    hints: tuple[str, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def text(self) -> str:
        """All of it, for people."""
        others = [f"- {label}: {why}" for label, why in self.rejected.items()]
        then = [f"If it cannot: {', then '.join(CANDIDATES[engine].label for engine in self.fallbacks)}."]
        return "\n".join([self.reason, *(then if self.fallbacks else ()), *self.hints, "Not taken:", *others])


def select(wishes: Wishes, there: Circumstances) -> Selection:
    """The engine for these wishes under these circumstances."""
    unwanted = {engine: _against_wishes(CANDIDATES[engine], wishes, there.vram) for engine in CANDIDATES}
    obstacles = {engine: _obstacle(engine, there) for engine in CANDIDATES}
    ranked = [engine for engine in _order(wishes, there, obstacles) if not unwanted[engine]]
    usable = [engine for engine in ranked if not obstacles[engine]]
    wanted = next(iter(ranked), None)
    if wishes.priority == "quality" and wanted in _LATENTSYNC:
        allowed = ("latentsync", *_FALLBACKS[wishes.fallback])
        usable = [engine for engine in usable if CANDIDATES[engine].family in allowed]
    engine = next(iter(usable), None)
    rejected = {
        CANDIDATES[other].label: unwanted[other] or obstacles[other] or _second(engine, wishes)
        for other in CANDIDATES
        if other != engine
    }
    return Selection(
        engine=engine,
        reason=_reason(engine, wanted, obstacles, wishes, there),
        rejected=rejected | service_against(wishes.wish, wishes.budget),
        fallbacks=() if engine is None else _fallbacks(engine, usable, wishes.fallback),
        hints=hints(wishes.wish, wishes.budget),
        passed_over=_passed_over(engine, wanted, obstacles),
    )


def _against_wishes(candidate: Candidate, wishes: Wishes, vram: int) -> str:
    """Why the user does not want it; empty when nothing speaks against it."""
    if wishes.wish == "a 3D head":
        return "it repaints pictures and knows no 3D head"
    if not candidate.commercial and wishes.commercial:
        return "its weights must not be used commercially"
    if not candidate.commercial and not wishes.accepts_non_commercial:
        return "its licence, which forbids commercial use, is not accepted"
    if candidate.family == "draft" and wishes.fallback != "MuseTalk or draft":
        return "it checks timing, not looks, and `fallback` does not allow it"
    if wishes.real_time and candidate.times > 1:
        return f"it does {candidate.times} times MuseTalk's work for a frame, which no card does in real time"
    if wishes.real_time and not fits(candidate, vram):
        return f"in real time it wants {candidate.vram / GB:.0f} GB of free video memory; {_free(vram)}"
    return ""


def _obstacle(engine: EngineId, there: Circumstances) -> str:
    """Why it cannot do the job here; empty when it can."""
    candidate = CANDIDATES[engine]
    if candidate.strict and not fits(candidate, there.vram):
        return f"it wants {candidate.vram / GB:.0f} GB of free video memory; {_free(there.vram)}"
    if engine in there.missing:
        return there.missing[engine]
    return too_small(there.face, candidate.smallest_face)


def too_small(face: float, smallest: int) -> str:
    """Why an engine does not take a face of that height, px, where it is known; empty when it does."""
    return f"the face is {int(face)} px high, and it needs {smallest} px" if 0 < face < smallest else ""


def _order(wishes: Wishes, there: Circumstances, obstacles: Mapping[EngineId, str]) -> tuple[EngineId, ...]:
    """All engines, the best for these wishes first."""
    if wishes.priority == "quality":
        return tuple(CANDIDATES)
    slower: tuple[EngineId, ...] = (*reversed(_LATENTSYNC), "draft")
    if wishes.priority == "speed" and there.vram < _MUSETALK_VRAM * _ENOUGH:
        return ("wav2lip", *_MUSETALK, *slower)
    if wishes.priority == "speed":
        return (*_MUSETALK, "wav2lip", *slower)
    if there.face > _CLOSE_UP and not obstacles["latentsync-1.6"]:
        return ("latentsync-1.6", *_MUSETALK, "latentsync-1.5", "wav2lip", "draft")
    return (*_MUSETALK, *reversed(_LATENTSYNC), "wav2lip", "draft")


def _fallbacks(engine: EngineId, usable: list[EngineId], fallback: Fallback) -> tuple[EngineId, ...]:
    """What may follow `engine`: always downwards."""
    lower = _DOWNWARDS[_DOWNWARDS.index(engine) + 1 :]
    families = _FALLBACKS[fallback]
    return tuple(other for other in lower if other in usable and CANDIDATES[other].family in families)


def _reason(
    engine: EngineId | None,
    wanted: EngineId | None,
    obstacles: Mapping[EngineId, str],
    wishes: Wishes,
    there: Circumstances,
) -> str:
    if wishes.wish == "a 3D head":
        return "No engine makes a 3D head speak: they repaint pictures."
    if wanted is None:
        return "No engine fits these settings."
    if engine is None:
        return (
            f"No engine: {CANDIDATES[wanted].label} would be taken, but {obstacles[wanted].rstrip('.')}, and no other "
            "can do it or may by `fallback`."
        )
    candidate = CANDIDATES[engine]
    parts = [f"{candidate.label} ({wishes.priority}): {PRAISE[engine]}"]
    if engine != wanted:
        parts.append(f"{CANDIDATES[wanted].label} would come first, but {obstacles[wanted]}")
    if candidate.family == "musetalk" and there.face > _CLOSE_UP:
        parts.append(f"the face is {there.face:.0f} px high, so the mouth will look softer than the picture")
    if candidate.vram and not there.vram:
        parts.append("without a graphics card it runs on the CPU, which is slow")
    elif not fits(candidate, there.vram):
        parts.append(f"{_free(there.vram)}, so parts of it wait outside, which is slow")
    return "; ".join(parts) + "."


def _passed_over(
    engine: EngineId | None, wanted: EngineId | None, obstacles: Mapping[EngineId, str]
) -> tuple[PassedOver, ...]:
    if engine is None or wanted is None or engine == wanted:
        return ()
    return (PassedOver(CANDIDATES[wanted].label, obstacles[wanted]),)


def _second(engine: EngineId | None, wishes: Wishes) -> str:
    if engine is None:
        return "`fallback` does not allow it"
    return f"{CANDIDATES[engine].label} comes first for {wishes.priority}"


def fits(candidate: Candidate, vram: int) -> bool:
    """Whether so many bytes of video memory are enough for it, as cards are sold."""
    return vram >= candidate.vram * _ENOUGH


def _free(vram: int) -> str:
    return f"{vram / GB:.1f} GB are free" if vram else "there is no graphics card"
