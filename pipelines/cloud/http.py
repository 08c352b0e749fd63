"""JSON calls to a service, repeated where that is safe."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, TypeVar

from ..core.errors import CloudError
from .failures import RefusedError, UnansweredError, asked_wait, is_passing, status_of
from .key import ApiKey
from .pace import Pace
from .service import Service
from .transport import WithKey, opened, pieces
from .waiting import Watcher, in_background, pause

T = TypeVar("T")
Json = Mapping[str, Any]

_SAFE_TO_REPEAT = ("GET", "DELETE")


@dataclass(frozen=True)
class Http:
    """JSON calls to one service with one key. advise: (status, the service's words) -> what the user can do."""

    service: Service
    key: ApiKey
    pace: Pace
    advise: Callable[[int, str], str]

    def call(self, method: str, path: str, purpose: str, watcher: Watcher, **content: Any) -> Json:  # noqa: ANN401
        """The JSON answer. Calls that change nothing are repeated, others only after 429, which did nothing.

        purpose: what the service shall do ("take the picture"). content: as for `requests.request`.
        """
        safe = method in _SAFE_TO_REPEAT

        def again(failure: CloudError) -> bool:
            return is_passing(failure) and (safe or status_of(failure) == 429)

        return self.persist(lambda stop: self.exchange(method, path, purpose, stop, **content), again, watcher)

    def persist(
        self, attempt: Callable[[threading.Event], T], again: Callable[[CloudError], bool], watcher: Watcher
    ) -> T:
        """The result of `attempt`, tried again after failures that `again` approves. Raises the last failure."""
        for tries in count(1):
            try:
                return in_background(attempt, watcher)
            except (RefusedError, UnansweredError) as failure:
                if tries == self.pace.tries or not again(failure):
                    raise
                seconds = self.pace.wait_after(tries, asked_wait(failure))
                watcher.say(f"No success yet; trying again in {seconds:.0f} s")
            pause(seconds, watcher)
        raise AssertionError  # for the type checker: the loop has no end

    def exchange(
        self,
        method: str,
        path: str,
        purpose: str,
        stop: threading.Event,
        **content: Any,  # noqa: ANN401
    ) -> Json:
        """One request and its answer ({} for an empty one), in this thread. Raises RefusedError or UnansweredError."""
        url, auth, pace = self.service.base + path, WithKey(self.key), self.pace
        with opened(self.service, pace, auth, method, url, **content) as response:
            body = b"".join(pieces(response, pace.answer_bytes, pace.answer, stop))
            status, headers = response.status_code, response.headers
        if not 200 <= status < 300:
            raise self._refusal(status, headers, body, purpose)
        try:
            answer = json.loads(body or b"{}")
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise UnansweredError(
                may_have_arrived=True,
                expected=f"D-ID to {purpose} and say so in JSON",
                got="something else",
                next_step="Check that no proxy or login page stands between; try again.",
            )
        return answer

    def _refusal(self, status: int, headers: Mapping[str, str], body: bytes, purpose: str) -> RefusedError:
        words = self.key.redact(words_of(body))
        return RefusedError(
            status,
            _seconds_until(headers.get("Retry-After", "")),
            expected=f"D-ID to {purpose}",
            got=f"HTTP {status}" + (f": {words}" if words else ""),
            next_step=self.advise(status, words),
        )


def words_of(body: bytes) -> str:
    """What an error answer says: D-ID's {kind, description}, a gateway's {message} or {Message}; else nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    found = [said.get(name) for name in ("kind", "description", "message", "Message")]
    return ": ".join(text for text in found if isinstance(text, str) and text)


def _seconds_until(text: str) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, 10.2.3). None when it is neither."""
    if text.strip().isdecimal():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
    return max((when - datetime.now(timezone.utc)).total_seconds(), 0.0)
