"""From an order to its result: bought once, fetched as often as needed, tidied up afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

from ..core.errors import CloudError, LipSyncError, NoFaceError
from ..core.types import Attachment
from .did import NO_FACE, DIDClient, audio_path, image_path, talk_path
from .did_values import SpokenText, Talk, TalkOptions
from .download import LinkExpiredError, download
from .failures import RefusedError, is_passing, status_of
from .journal import Job, Journal
from .waiting import Watcher, WithoutInterrupt, pause

log = logging.getLogger(__name__)

Afterwards = Literal["keep all", "delete the uploads", "delete all"]


@dataclass(frozen=True)
class Order:
    """A talk that is wanted. inputs: hash of all that makes it what it is.

    sound: what is said, or the text that D-ID speaks. afterwards: what becomes of the files and the talk at D-ID.
    """

    inputs: str
    picture: Attachment
    sound: Attachment | SpokenText
    options: TalkOptions
    afterwards: Afterwards


@dataclass(frozen=True)
class Account:
    """Who orders, and what was ordered so far."""

    client: DIDClient
    journal: Journal


def ordered(account: Account, order: Order, watcher: Watcher) -> tuple[Job, bool]:
    """The job of this order, and whether it was there before: what was paid once is not bought again.

    Raises CloudError where that cannot be ruled out.
    """
    job = account.journal.find(order.inputs)
    if job is None:
        return _bought(account, order, watcher), False
    if job.state == "deleted":
        raise CloudError(
            expected="a talk that is still at D-ID",
            got="one that was made, paid and then deleted there, as `afterwards` asked",
            next_step="Change `run_again` to make and pay a new one.",
        )
    if job.state == "sending":
        job = _searched(account, job, watcher)
    log.info("LipSync Studio: these inputs were sent to D-ID before; fetching talk %s, not buying again", job.id)
    return job, True


def fetched(account: Account, order: Order, job: Job, path: Path, watcher: Watcher) -> None:
    """Wait until the job has ended and write its result to `path`. Raises CloudError or NoFaceError."""
    text = f"Stopped here, but D-ID goes on with talk {job.id} and may bill it. Run again to fetch it."
    with _told_when_stopped(text, watcher):
        try:
            talk = account.client.finished(job.id, watcher)
        except RefusedError as refused:
            raise (_gone(job) if refused.status == 404 else refused) from None
        if talk.status == "done":
            _download(account.client, talk, path, watcher)
            return
        account.journal.forget(job)  # there is nothing to fetch, so the next run may order anew
        _delete_uploads(account, order, job, watcher)
        raise _failure(account.client, talk)


def tidied(account: Account, order: Order, job: Job, watcher: Watcher) -> tuple[str, ...]:
    """Delete at D-ID what the order says, once its result is here. Returns notes on what could not be deleted.

    After the talk itself is deleted nothing may raise: the result could not be fetched again.
    """
    notes = _delete_uploads(account, order, job, watcher)
    if order.afterwards == "delete all":
        kept = _deleted(account, talk_path(job.id), WithoutInterrupt(watcher))
        if not kept:
            account.journal.write_or_warn(replace(job, state="deleted"))
        notes += kept
    return notes


def _delete_uploads(account: Account, order: Order, job: Job, watcher: Watcher) -> tuple[str, ...]:
    if order.afterwards == "keep all":
        return ()
    notes: tuple[str, ...] = ()
    if job.image:
        notes += _deleted(account, image_path(job.image), watcher)
    if job.audio:
        notes += _deleted(account, audio_path(job.audio), watcher)
    return notes


def _deleted(account: Account, path: str, watcher: Watcher) -> tuple[str, ...]:
    """Nothing, or one note. (D-ID itself deletes uploads after 24 to 48 hours.)"""
    try:
        account.client.delete(path, watcher)
    except CloudError as failure:
        return (f"Could not be deleted at D-ID: {path.split('/')[1]} ({failure.got}).",)
    return ()


def _bought(account: Account, order: Order, watcher: Watcher) -> Job:
    client, journal = account.client, account.journal
    job = replace(Job.new(order.inputs), credits=_credits(client, watcher))
    try:
        watcher.say("Uploading the picture")
        image = client.upload_image(f"face-{job.token}", order.picture, watcher)
        job = replace(job, image=image.id)
        if image.faces == 0:
            raise NoFaceError(expected="a face in the picture", got="none, as D-ID sees it", next_step=NO_FACE)
        script, job = _script(client, order, job, watcher)
        watcher.say("Uploaded; ordering the talk")
        talk = {"source_url": image.url, "script": script, "config": order.options.config()}
        watcher.check_interrupt()  # a stop that comes in time buys nothing
        with _told_when_stopped("Stopped while the order was sent: it may be made and billed.", watcher):
            return client.create(talk, job, journal, watcher)
    except LipSyncError:
        if journal.find(order.inputs) is not None:  # it was sent, and what became of it is not known
            return _searched(account, job, watcher)
        _delete_uploads(account, order, job, watcher)
        raise


def _script(client: DIDClient, order: Order, job: Job, watcher: Watcher) -> tuple[dict[str, Any], Job]:
    if isinstance(order.sound, SpokenText):
        return order.sound.script(), job
    watcher.say("Uploading the sound")
    audio = client.upload_audio(f"voice-{job.token}", order.sound, watcher)
    return {"type": "audio", "audio_url": audio.url}, replace(job, audio=audio.id)


def _credits(client: DIDClient, watcher: Watcher) -> float | None:
    """What is left; None when D-ID does not tell this key. Before any upload, so that a wrong key stops here."""
    try:
        return client.credits(watcher).remaining
    except CloudError as failure:
        if is_passing(failure) or status_of(failure) == 401:
            raise
        return None


def _searched(account: Account, job: Job, watcher: Watcher) -> Job:
    """The order was sent and its answer lost: find it among the account's talks. Never sends it again."""
    watcher.say("The answer was lost; looking for the talk")
    with suppress(CloudError):
        talk = account.client.find(job.token, watcher)
        if talk is not None:
            found = replace(job, state="made", id=talk.id)
            account.journal.write_or_warn(found)
            return found
    raise CloudError(
        expected="D-ID's answer to the order",
        got="none, and the talk cannot be found in your account (yet)",
        next_step="It may have been made and billed. Run again in some minutes to look for it once more, or change "
        "`run_again` to order, and maybe pay, a second one.",
    )


def _download(client: DIDClient, talk: Talk, path: Path, watcher: Watcher) -> None:
    """Fetch the result; with a fresh link when the old one is too old or the connection breaks."""
    pace = client.http.pace
    for tries in count(1):
        try:
            download(talk.result_url, path, client.http.service, pace, watcher)
            return
        except CloudError as failure:
            expired = isinstance(failure, LinkExpiredError)
            if tries == pace.tries or not (expired or is_passing(failure)):
                raise
        pause(0.0 if expired else pace.wait_after(tries, None), watcher)
        talk = client.talk(talk.id, watcher)


def _failure(client: DIDClient, talk: Talk) -> LipSyncError:
    """Why a talk ended without a result, in D-ID's words where it gave any."""
    words = client.http.key.redact(talk.reason)
    got = f"the status {talk.status}" + (f": {words}" if words else "")
    if "face" in words.lower():
        return NoFaceError(expected="a face that D-ID can animate", got=got, next_step=NO_FACE)
    if talk.status == "rejected":
        advice = "D-ID's moderation does not allow this picture, text or sound. Use another."
    else:
        advice = "Try another picture or sound; whether a failed talk was billed, your account at D-ID shows."
    return CloudError(expected=f"talk {talk.id} to succeed", got=got, next_step=advice)


def _gone(job: Job) -> CloudError:
    return CloudError(
        expected=f"talk {job.id} at D-ID, made and paid earlier",
        got="nothing: it was deleted there, or belongs to the account of another key",
        next_step="Change `run_again` to make and pay a new one.",
    )


@contextmanager
def _told_when_stopped(text: str, watcher: Watcher) -> Iterator[None]:
    """The stop button ends the waiting, not the job: say so."""
    try:
        yield
    except LipSyncError:
        raise  # says what to do
    except BaseException:
        log.warning("LipSync Studio: %s", text)
        watcher.say(text)
        raise
