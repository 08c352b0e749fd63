"""Which engine is chosen: by wishes, over cards from none to 24 GB, by what is missing and how large the face is."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lipsync_studio.pipelines.engines.select import (
    CANDIDATES,
    GB,
    Circumstances,
    EngineId,
    Fallback,
    Priority,
    Selection,
    Wish,
    Wishes,
    select,
)
from lipsync_studio.pipelines.engines.select_words import SERVICES
from lipsync_studio.pipelines.weights.bundles import BUNDLES

CARDS = (0, 2, 4, 6, 8, 12, 16, 20, 24)  # GB; 0 is a machine without a graphics card
NONE = {engine: "no weights" for engine in CANDIDATES if engine != "draft"}

LS6, LS5, MT, W2L = "latentsync-1.6", "latentsync-1.5", "musetalk", "wav2lip"


def choose(
    gigabytes: float, face: float = 0.0, missing: dict[EngineId, str] | None = None, **wishes: object
) -> Selection:
    there = Circumstances(int(gigabytes * GB), missing or {}, face)
    return select(Wishes(**wishes), there)  # type: ignore[arg-type]


#                                  0     2     4     6     8    12    16    20    24
BY_CARD = {
    "quality, MuseTalk may": (MT, MT, MT, MT, LS5, LS5, LS5, LS6, LS6),
    "quality, nothing else may": (None, None, None, None, LS5, LS5, LS5, LS6, LS6),
    "balanced": (MT, MT, MT, MT, MT, MT, MT, MT, MT),
    "balanced, a close-up": (MT, MT, MT, MT, MT, MT, MT, LS6, LS6),
    "speed": (MT, MT, MT, MT, MT, MT, MT, MT, MT),
    "speed, not commercial": (W2L, W2L, MT, MT, MT, MT, MT, MT, MT),
    "real time": (None, None, MT, MT, MT, MT, MT, MT, MT),
    "real time, not commercial": (None, W2L, MT, MT, MT, MT, MT, MT, MT),
    "real time, draft may": ("draft", "draft", MT, MT, MT, MT, MT, MT, MT),
    "real time and quality": (None, None, MT, MT, MT, MT, MT, MT, MT),
    "quality, small face": (MT, MT, MT, MT, MT, MT, MT, MT, MT),
    "quality, no weights of 1.6": (MT, MT, MT, MT, LS5, LS5, LS5, LS5, LS5),
    "no weights at all": (None,) * 9,
    "no weights at all, draft may": ("draft",) * 9,
}
FREE = {"commercial": False, "accepts_non_commercial": True}
CASES: dict[str, dict[str, object]] = {
    "quality, MuseTalk may": {"priority": "quality", "fallback": "MuseTalk"},
    "quality, nothing else may": {"priority": "quality"},
    "balanced": {},
    "balanced, a close-up": {"face": 400},
    "speed": {"priority": "speed"},
    "speed, not commercial": {"priority": "speed", **FREE},
    "real time": {"priority": "speed", "real_time": True},
    "real time, not commercial": {"priority": "speed", "real_time": True, **FREE},
    "real time, draft may": {"priority": "speed", "real_time": True, "fallback": "MuseTalk or draft"},
    "real time and quality": {"priority": "quality", "real_time": True},
    "quality, small face": {"priority": "quality", "fallback": "MuseTalk", "face": 63},
    "quality, no weights of 1.6": {"priority": "quality", "fallback": "MuseTalk", "missing": {LS6: "no weights"}},
    "no weights at all": {"missing": NONE},
    "no weights at all, draft may": {"missing": NONE, "fallback": "MuseTalk or draft"},
}


@pytest.mark.parametrize("case", CASES)
def test_every_card_gets_its_engine(case: str) -> None:
    found = tuple(choose(card, **CASES[case]).engine for card in CARDS)  # type: ignore[arg-type]
    assert found == BY_CARD[case]


@pytest.mark.parametrize(
    ("gigabytes", "engine"), [(7.5, MT), (7.6, LS5), (17.0, LS5), (17.1, LS6)], ids=["<8", "8", "<18", "18"]
)
def test_a_card_has_a_little_less_free_than_it_is_sold_with(gigabytes: float, engine: EngineId) -> None:
    assert choose(gigabytes, priority="quality", fallback="MuseTalk").engine == engine


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [("stop", ()), ("MuseTalk", (LS5, MT, "musetalk-1.0")), ("MuseTalk or draft", (LS5, MT, "musetalk-1.0", "draft"))],
)
def test_what_may_follow_is_what_the_user_allows(fallback: Fallback, expected: tuple[EngineId, ...]) -> None:
    assert choose(24, priority="quality", fallback=fallback).fallbacks == expected


def test_nothing_better_than_the_chosen_one_follows() -> None:
    assert choose(24, fallback="MuseTalk or draft").fallbacks == ("musetalk-1.0", "draft")
    chosen = choose(2, priority="speed", fallback="MuseTalk or draft", **FREE)
    assert (chosen.engine, chosen.fallbacks) == (W2L, (MT, "musetalk-1.0", "draft"))


def test_what_would_have_come_first_is_told_with_the_reason() -> None:
    chosen = choose(24, 63, priority="quality", fallback="MuseTalk")
    (passed_over,) = chosen.passed_over
    assert passed_over.label == "LatentSync 1.6"
    assert passed_over.why == "the face is 63 px high, and it needs 64 px"
    assert passed_over.why in chosen.reason
    assert choose(24, 64, priority="quality").passed_over == ()
    assert "63 px high, and it needs 64 px" in choose(24, 63.9, priority="quality", fallback="MuseTalk").reason


@pytest.mark.parametrize(
    ("engine", "wishes", "gigabytes", "why"),
    [
        ("Wav2Lip (non-commercial)", {}, 24, "must not be used commercially"),
        ("Wav2Lip (non-commercial)", {"commercial": False}, 24, "is not accepted"),
        ("LatentSync 1.6", {}, 12, "18 GB of free video memory; 12.0 GB are free"),
        ("LatentSync 1.5", {}, 0, "there is no graphics card"),
        ("LatentSync 1.5", {"real_time": True}, 24, "57 times MuseTalk's work"),
        ("LatentSync 1.5", {}, 24, "MuseTalk 1.5 comes first for balanced"),
        ("Draft", {}, 24, "checks timing, not looks"),
        ("D-ID", {}, 24, "edits no video"),
        ("sync.so", {}, 24, "the budget is 0"),
        ("sync.so", {"budget": 5.0}, 24, "11.41 dollars, above the budget of 5.00"),
    ],
)
def test_each_other_is_rejected_for_its_own_reason(
    engine: str, wishes: dict[str, object], gigabytes: float, why: str
) -> None:
    assert why in choose(gigabytes, **wishes).rejected[engine]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ("a still picture that moves", ("wan_s2v_musetalk", "ltx_musetalk", "WanInfiniteTalkToVideo")),
        ("another emotion", ("WanHuMoImageToVideo", "beyond the mouth")),
        ("a 3D head", ("Gaussian heads", "Render the head as a video")),
    ],
)
def test_other_wishes_are_sent_where_they_can_be_fulfilled(wish: Wish, told: tuple[str, ...]) -> None:
    chosen = choose(24, wish=wish)
    assert all(word in chosen.text for word in told)
    assert (chosen.engine is None) == (wish == "a 3D head")
    assert choose(24).hints == ()


def test_a_budget_names_services_and_loads_none() -> None:
    paid = choose(24, budget=20.0)
    assert any("sync.so Lip Sync, about 11.41 dollars a minute" in hint for hint in paid.hints)
    assert paid.engine == MT
    still = choose(24, wish="a still picture that moves", budget=1.0)
    assert any("D-ID Talk, priced by your plan" in hint for hint in still.hints)
    assert not any("HeyGen" in hint for hint in still.hints)


def test_what_to_expect_of_a_weak_machine_or_a_large_face_is_said() -> None:
    assert "runs on the CPU, which is slow" in choose(0).reason
    assert "parts of it wait outside" in choose(2).reason
    assert "will look softer" in choose(8, 400).reason
    assert choose(8, 200).reason.count(";") == 0


def test_the_numbers_are_those_of_the_models_panel() -> None:
    for engine, candidate in CANDIDATES.items():
        assert candidate.vram == BUNDLES[engine].vram
        assert BUNDLES[engine].label.startswith(candidate.label)


@given(
    wishes=st.builds(
        Wishes,
        priority=st.sampled_from(get_args(Priority)),
        wish=st.sampled_from(get_args(Wish)),
        commercial=st.booleans(),
        accepts_non_commercial=st.booleans(),
        real_time=st.booleans(),
        budget=st.sampled_from([0.0, 5.0, 100.0]),
        fallback=st.sampled_from(get_args(Fallback)),
    ),
    there=st.builds(
        Circumstances,
        vram=st.integers(0, 40 * GB),
        missing=st.dictionaries(st.sampled_from(tuple(NONE)), st.just("no weights")),
        face=st.sampled_from([0.0, 40.0, 200.0, 500.0]),
    ),
)
def test_whatever_is_asked(wishes: Wishes, there: Circumstances) -> None:
    chosen = select(wishes, there)
    taken = () if chosen.engine is None else (chosen.engine, *chosen.fallbacks)
    labels = [candidate.label for candidate in CANDIDATES.values()]
    assert len(set(taken)) == len(taken)
    assert not set(taken) & set(there.missing)
    assert set(chosen.rejected) == {*labels, *SERVICES} - ({CANDIDATES[taken[0]].label} if taken else set())
    assert all(chosen.rejected.values())
    assert all(line in chosen.text for line in (chosen.reason, *chosen.hints))
    if "wav2lip" in taken:
        assert chosen.engine == "wav2lip"
        assert wishes.accepts_non_commercial
        assert not wishes.commercial
    if "draft" in taken:
        assert wishes.fallback == "MuseTalk or draft"
    if wishes.fallback == "stop":
        assert chosen.fallbacks == ()
        if wishes.priority == "quality" and not wishes.real_time:
            assert chosen.engine in (None, LS6, LS5)
