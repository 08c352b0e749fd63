"""D-ID's API: one method per call. Whatever is asked, POST /talks is answered at most once for each order."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from ..core.errors import CloudError
from ..core.types import Attachment
from .did_values import Credits, Talk, Upload, text_of
from .failures import RefusedError, asked_wait, is_passing, status_of, surely_undone
from .http import Http
from .journal import Job, Journal
from .key import ApiKey
from .pace import Pace, jittered
from .service import Service
from .waiting import Watcher, in_background, pause

STAGES = {"created": "Queued at D-ID", "started": "Started; D-ID is at work"}

_ADVICE = {
    400: "Check the picture, the sound and the options; the help page names D-ID's limits.",
    401: "D-ID does not know this key. Set it again in the settings (LipSync Studio), or correct DID_API_KEY.",
    402: "The credits of your D-ID account are used up; nothing was bought. Buy more there, or use another key.",
    403: "Your D-ID plan or key does not allow this. Turn `stitch` off if it is about stitch, or look at your plan.",
    404: "It is not there, or not for this key.",
    413: "Use a smaller picture or a shorter sound.",
    415: "Tell the authors of this pack: D-ID does not take the kind of file that they send.",
    429: "D-ID is asked too often. Wait some minutes and run again.",
    451: "D-ID's moderation does not allow this picture, text or sound. Use another; nothing was bought.",
}
_MOST_PAGES = 10  # of the list of talks

NO_FACE = "Use a picture with one face, seen from the front, well lit and not too small."


def advice(status: int, words: str) -> str:
    """What the user can do. By the HTTP status; the words only tell whether it is about the face."""
    if status == 400 and "face" in words.lower():
        return NO_FACE
    default = "Trouble at D-ID. Wait some minutes and run again." if status >= 500 else "See the help page."
    return _ADVICE.get(status, default)


@dataclass(frozen=True)
class DIDClient:
    """All methods raise CloudError (RefusedError, UnansweredError) and what `watcher.check_interrupt` raises."""

    http: Http

    @classmethod
    def of(cls, service: Service, key: ApiKey, pace: Pace | None = None) -> DIDClient:
        return cls(Http(service, key, pace or Pace(), advice))

    def credits(self, watcher: Watcher) -> Credits:
        return Credits.of(self.http.call("GET", "/credits", "tell what credits are left", watcher))

    def upload_image(self, name: str, file: Attachment, watcher: Watcher) -> Upload:
        """name: of A-Za-z0-9._-, without the suffix, with it up to 50. file: JPEG or PNG."""
        asked = {"files": _form("image", name, file), "data": {"detect_faces": "true"}}
        return Upload.of(self.http.call("POST", "/images", "take the picture", watcher, **asked))

    def upload_audio(self, name: str, file: Attachment, watcher: Watcher) -> Upload:
        """name: as for `upload_image`."""
        asked = {"files": _form("audio", name, file)}
        return Upload.of(self.http.call("POST", "/audios", "take the sound", watcher, **asked))

    def create(self, talk: Mapping[str, Any], job: Job, journal: Journal, watcher: Watcher) -> Job:
        """Order a talk: the one call that costs money. It is repeated only when D-ID said that it did nothing (429).

        What becomes of it is noted by the thread that hears the answer, which goes on after the user pressed stop.
        """
        never = threading.Event()

        def attempt(_: threading.Event) -> Job:
            journal.write(job)
            try:
                answer = self.http.exchange("POST", "/talks", "make the talk", never, json=talk)
            except CloudError as failure:
                if surely_undone(failure):
                    journal.forget(job)
                raise
            made = replace(job, state="made", id=text_of(answer, "id"))
            journal.write_or_warn(made)
            return made

        return self.http.persist(attempt, lambda failure: status_of(failure) == 429, watcher)

    def find(self, token: str, watcher: Watcher) -> Talk | None:
        """The talk made from the picture with `token` in its name, among the account's first pages of talks."""
        path = next_page = "/talks?limit=100"
        for _ in range(_MOST_PAGES):
            answer = self.http.call("GET", next_page, "list your talks", watcher)
            listed = answer.get("talks")
            for talk in listed if isinstance(listed, list) else []:
                if isinstance(talk, dict) and token in str(talk.get("source_url", "")):
                    return Talk.of(talk)
            if not isinstance(answer.get("token"), str) or not answer["token"]:
                break
            next_page = f"{path}&token={quote(answer['token'], safe='')}"
        return None

    def talk(self, id: str, watcher: Watcher) -> Talk:
        return Talk.of(self.http.call("GET", talk_path(id), "tell how the talk is", watcher))

    def finished(self, id: str, watcher: Watcher) -> Talk:
        """Look until the talk has ended, well or not. Goes on after a loss of the network, for some minutes."""
        pace = self.http.pace
        began = heard = time.monotonic()
        delay = pace.first_poll
        while time.monotonic() - began < pace.job:
            try:
                talk = self._look(id, watcher)
            except CloudError as failure:
                silent = time.monotonic() - heard
                is_too_new = status_of(failure) == 404 and heard == began and silent < pace.appears
                if not is_too_new and (not is_passing(failure) or silent > pace.offline):
                    raise
                watcher.say("No answer from D-ID; asking again")
                asked = asked_wait(failure) or 0.0
            else:
                if talk.has_ended:
                    return talk
                heard, asked = time.monotonic(), 0.0
                watcher.say(STAGES.get(talk.status, f"D-ID: {talk.status[:40]}"))
            pause(max(jittered(delay), min(asked, pace.longest_retry_after)), watcher)
            delay = min(delay * 1.5, pace.longest_poll)
        raise CloudError(
            expected=f"the talk within {pace.job / 60:.0f} minutes",
            got="one that has not ended",
            next_step="Run again later: it is looked for, not bought again.",
        )

    def delete(self, path: str, watcher: Watcher) -> None:
        """path: image_path, audio_path or talk_path. What is not there any more counts as deleted."""
        try:
            self.http.call("DELETE", path, "delete it", watcher)
        except RefusedError as refused:
            if refused.status != 404:
                raise

    def _look(self, id: str, watcher: Watcher) -> Talk:
        """One look, without a second try."""
        purpose = "tell how the talk is"
        return Talk.of(in_background(lambda stop: self.http.exchange("GET", talk_path(id), purpose, stop), watcher))


def _form(field: str, name: str, file: Attachment) -> dict[str, tuple[str, bytes, str]]:
    return {field: (f"{name}{file.suffix}", file.content, file.kind)}


def image_path(id: str) -> str:
    return f"/images/{quote(id, safe='')}"


def audio_path(id: str) -> str:
    return f"/audios/{quote(id, safe='')}"


def talk_path(id: str) -> str:
    return f"/talks/{quote(id, safe='')}"
