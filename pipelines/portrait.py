"""A still face says something, animated by D-ID: look, send, buy once, fetch, tidy up. Not for editing videos."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .cloud.did_values import (
    AUDIO_BYTES,
    AUDIO_SECONDS,
    IMAGE_BYTES,
    SpokenText,
    TalkOptions,
    billed_seconds,
)
from .cloud.order import Account, Afterwards, Order, fetched, ordered, tidied
from .cloud.waiting import Watcher, in_background
from .core.errors import CloudError, InputError
from .core.types import AudioClip, FrameSource, Rect
from .media.attachments import picture_file, speech_file
from .media.decode import open_video

FIRST_FRAME_ONLY = "Only the first frame is sent: D-ID animates a still picture and does not edit videos."


@dataclass(frozen=True)
class TalkReport:
    """What was bought. seconds: length of the result. billed_seconds: that, rounded up as D-ID bills it; computed here.

    credits_before, credits_after: what D-ID said was left; None when it did not say. bought: False when an earlier
    run had paid already. notes: sentences the user should read.
    """

    id: str
    seconds: float
    billed_seconds: int
    credits_before: float | None
    credits_after: float | None
    bought: bool
    notes: tuple[str, ...]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)


@dataclass(frozen=True)
class Wish:
    """What the user asks for. source: its first frame is animated. run_again: another number is another order."""

    source: FrameSource
    sound: AudioClip | SpokenText
    options: TalkOptions
    afterwards: Afterwards
    run_again: int = 0


def talking_portrait(wish: Wish, account: Account, path: Path, watcher: Watcher) -> TalkReport:
    """Write the talking picture to `path` (.mp4 or .mov, as the options say). Nothing is sent before all is checked.

    Raises LipSyncError: InputError before anything is sent, CloudError and NoFaceError after.
    """
    watcher.say("Preparing the picture and the sound")
    order = in_background(lambda stop: _order(wish, account.client.http.service.base), watcher)  # takes seconds
    job, is_earlier = ordered(account, order, watcher)
    fetched(account, order, job, path, watcher)
    seconds = float(open_video(path).clock.duration)  # before anything is deleted at D-ID: it must be playable
    left = _credits_left(account, watcher)
    notes = _notes(wish, order, is_earlier) + tidied(account, order, job, watcher)  # last: it may delete the talk
    return TalkReport(job.id, seconds, billed_seconds(seconds), job.credits, left, not is_earlier, notes)


def first_frame(source: FrameSource) -> NDArray[np.uint8]:
    """uint8 RGB [H, W, 3]. Raises InputError for values that are no colours."""
    (chunk,) = source.read([np.zeros(1, np.int64)])
    (picture,) = chunk.pictures
    pixels = picture.crop(Rect(0, 0, source.width, source.height)).numpy()
    if not np.isfinite(pixels).all():
        raise InputError(
            expected="a picture of numbers",
            got="NaN or infinite pixels",
            next_step="Check the node that makes the IMAGE.",
        )
    return (pixels * 255).round().clip(0, 255).astype(np.uint8)


def fingerprint(wish: Wish, pixels: NDArray[np.uint8], service: str) -> str:
    """The same for the same order and no other: SHA-256 over all that makes the talk what it is."""
    spoken = wish.sound
    asked = {
        "service": service,
        "run_again": wish.run_again,
        "config": wish.options.config(),
        "picture": pixels.shape,
        "sound": spoken.script() if isinstance(spoken, SpokenText) else [spoken.rate, *spoken.samples.shape],
    }
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(pixels).data)
    if isinstance(spoken, AudioClip):
        digest.update(np.ascontiguousarray(spoken.samples).data)
    return digest.hexdigest()


def _order(wish: Wish, service: str) -> Order:
    pixels, spoken = first_frame(wish.source), wish.sound
    return Order(
        picture=picture_file(pixels, IMAGE_BYTES),
        sound=spoken if isinstance(spoken, SpokenText) else speech_file(spoken, AUDIO_BYTES, AUDIO_SECONDS),
        inputs=fingerprint(wish, pixels, service),
        options=wish.options,
        afterwards=wish.afterwards,
    )


def _notes(wish: Wish, order: Order, is_earlier: bool) -> tuple[str, ...]:
    notes = order.picture.notes if isinstance(order.sound, SpokenText) else order.picture.notes + order.sound.notes
    if len(wish.source.clock) > 1:
        notes = (FIRST_FRAME_ONLY, *notes)
    if is_earlier:
        notes = ("An earlier run paid for this talk; it was fetched, not bought again.", *notes)
    return notes


def _credits_left(account: Account, watcher: Watcher) -> float | None:
    """For the report only: the talk is here, so no failure may take it away."""
    try:
        return account.client.credits(watcher).remaining
    except CloudError:
        return None
