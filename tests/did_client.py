"""What the tests of the D-ID client share: a patient-enough watcher, a quick pace, an order."""

from __future__ import annotations

import threading
from pathlib import Path

import did_fake
from lipsync_studio.pipelines.cloud.did import DIDClient
from lipsync_studio.pipelines.cloud.did_values import SpokenText, TalkOptions
from lipsync_studio.pipelines.cloud.journal import Journal
from lipsync_studio.pipelines.cloud.key import ApiKey
from lipsync_studio.pipelines.cloud.order import Account, Afterwards, Order, fetched, ordered, tidied
from lipsync_studio.pipelines.cloud.pace import Pace
from lipsync_studio.pipelines.cloud.service import local_service
from lipsync_studio.pipelines.core.types import Attachment

QUICK = Pace(
    connect=2,
    silence=2,
    answer=2,
    file=2,
    tries=3,
    first_wait=0.01,
    longest_wait=0.05,
    longest_retry_after=0.3,
    appears=0.2,
    first_poll=0.01,
    longest_poll=0.05,
    offline=1,
    job=5,
    file_bytes=1_000_000,
)


class Stopped(BaseException):
    """What the stop button raises, as in ComfyUI no Exception."""


class Watcher:
    """Keeps what was said; `stop` is the stop button."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.stop = threading.Event()

    def say(self, text: str) -> None:
        if self.said[-1:] != [text]:
            self.said.append(text)

    def check_interrupt(self) -> None:
        if self.stop.is_set():
            raise Stopped

    def is_interrupted(self) -> bool:
        return self.stop.is_set()


PICTURE = Attachment(b"\xff\xd8\xff picture", ".jpg", "image/jpeg")
SOUND = Attachment(b"RIFF sound", ".wav", "audio/wav")
TEXT = SpokenText("Hello there.", "microsoft", "en-US-JennyNeural")


def order(
    sound: Attachment | SpokenText = SOUND, afterwards: Afterwards = "keep all", inputs: str = "ab" * 32
) -> Order:
    return Order(inputs, PICTURE, sound, TalkOptions(), afterwards)


def account(did: did_fake.FakeDID, folder: Path, key: str = did_fake.KEY, pace: Pace = QUICK) -> Account:
    return Account(DIDClient.of(local_service(did.url), ApiKey(key), pace), Journal(folder / "journal"))


def bought(us: Account, wish: Order, folder: Path, watcher: Watcher) -> tuple[Path, bool]:
    """The whole way. The result's file, and whether an earlier run had paid."""
    path = folder / "talk.mp4"
    job, is_earlier = ordered(us, wish, watcher)
    fetched(us, wish, job, path, watcher)
    tidied(us, wish, job, watcher)
    return path, is_earlier
