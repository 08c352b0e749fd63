"""A fake D-ID for all tests of the client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import did_fake
import portrait_clip
import pytest
from did_client import Watcher, account
from lipsync_studio.pipelines.cloud.order import Account


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[did_fake.FakeDID]:
    clip = portrait_clip.write(tmp_path_factory.mktemp("did") / "talk.mp4", 5, side=64, sound_seconds=0.2)
    with did_fake.running(clip.read_bytes()) as fake:
        yield fake


@pytest.fixture
def did(_running: did_fake.FakeDID) -> Iterator[did_fake.FakeDID]:
    """A new fake. Fails the test when anything was against the contract."""
    _running.forget()
    yield _running
    assert _running.breaches == []


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
def us(did: did_fake.FakeDID, tmp_path: Path) -> Account:
    """The user's account at the fake, with an empty journal."""
    return account(did, tmp_path)
