"""A hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator

import hub_fake
import pytest
import sample_weights
from hub_fake import FakeHub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """With one file, `sample_weights.CONTENT`. This process has a token for it."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setenv("HF_TOKEN", hub_fake.TOKEN)
    with hub_fake.running() as running:
        running.put(sample_weights.REPO, sample_weights.PATH, sample_weights.CONTENT)
        yield running
