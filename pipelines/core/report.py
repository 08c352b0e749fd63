"""What happened to each frame of a result, as JSON and as one line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from .timing import Timeline

Fate = Literal[
    "synced", "synced, face bridged", "kept in silence", "no face", "after the audio", "face outside the picture"
]
PAINTED: Final[tuple[Fate, ...]] = ("synced", "synced, face bridged")


@dataclass(frozen=True)
class Report:
    """fates: one for each output frame. timeline: the same frames' sources and times. engine: its label.

    notes: sentences the user should read.
    """

    fates: tuple[Fate, ...]
    timeline: Timeline
    engine: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.fates) != len(self.timeline):
            raise ValueError(f"{len(self.fates)} fates for {len(self.timeline)} frames")

    def summary(self) -> str:
        """One line for the log and the node."""
        counts = Counter(self.fates)
        parts = [f"{sum(counts.get(fate, 0) for fate in PAINTED)} of {len(self.fates)} frames synced"]
        if bridged := counts["synced, face bridged"]:
            parts[0] += f" ({bridged} with a bridged face)"
        parts += [f"{number} {fate}" for fate, number in counts.items() if fate not in PAINTED]
        return f"{self.engine}: " + ", ".join(parts)

    def to_json(self) -> str:
        """JSON with the counts and, in `runs`, every output frame's fate (first and last frame of each run)."""
        return json.dumps(
            {
                "engine": self.engine,
                "frames": len(self.fates),
                "fps": float(self.timeline.rate),
                "seconds": round(self.timeline.duration, 6),
                "counts": dict(Counter(self.fates)),
                "runs": _runs(self.fates),
                "notes": list(self.notes),
            },
            indent=1,
        )


def _runs(fates: Sequence[Fate]) -> list[dict[str, object]]:
    runs: list[dict[str, object]] = []
    first = 0
    for fate, group in groupby(fates):
        length = sum(1 for _ in group)
        runs.append({"first": first, "last": first + length - 1, "fate": fate})
        first += length
    return runs
