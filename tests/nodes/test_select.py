"""What Select Engine says where nothing can be chosen."""

from __future__ import annotations

import pytest
from lipsync_studio.nodes.select import _chain
from lipsync_studio.pipelines.core.errors import InputError
from lipsync_studio.pipelines.engines.select import CANDIDATES, Circumstances, Wish, Wishes, select


def refused(wish: Wish) -> str:
    missing = {engine: "no weights" for engine in CANDIDATES}
    with pytest.raises(InputError) as raised:
        _chain(select(Wishes(wish=wish, budget=20.0), Circumstances(0, missing)), wish)
    return raised.value.next_step


def test_a_hint_does_not_hide_that_weights_are_missing() -> None:
    told = refused("another emotion")
    assert told.startswith("No engine here changes an expression")
    assert "get the weights" in told
    assert "MuseTalk 1.5: no weights." in told


def test_no_setting_is_said_to_make_a_3d_head() -> None:
    assert "get the weights" not in refused("a 3D head")
