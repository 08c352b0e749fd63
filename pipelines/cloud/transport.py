"""One request on the wire: bounded, timed, never redirected, and without secrets in what it raises or logs."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from ..core.errors import CloudError
from .failures import UnansweredError
from .key import ApiKey
from .pace import Pace
from .service import Service

_PIECE = 1 << 16  # bytes
_QUERY = re.compile(r"\?\S+")


class WithKey(AuthBase):
    """Sends the key. (An auth object also keeps requests from putting a password of ~/.netrc in its place.)"""

    def __init__(self, key: ApiKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key.header
        return request


class WithoutKey(AuthBase):
    """Sends no credentials, not even those of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Session(requests.Session):
    """Looks at no redirect: requests would read all of its body, even when it is not to be followed."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@contextmanager
def opened(
    service: Service,
    pace: Pace,
    auth: AuthBase,
    method: str,
    url: str,
    **content: Any,  # noqa: ANN401
) -> Iterator[requests.Response]:
    """An answer whose body was not read yet; never that of another address.

    Raises UnansweredError, also while the body is read inside the `with`, and never what requests raises: its messages
    hold whole URLs.
    """
    _hide_queries_in_logs()
    try:
        with _Session() as session:
            session.trust_env = not service.is_local  # the user's proxy and certificates; none for this machine
            times = (pace.connect, pace.silence)
            with session.request(
                method, url, auth=auth, timeout=times, allow_redirects=False, stream=True, **content
            ) as response:
                yield response
    except (requests.RequestException, HTTPError) as error:
        raise UnansweredError(
            may_have_arrived=not _never_connected(error),
            expected="an answer from the service",
            got=_NAMES.get(type(error), "a connection that broke"),
            next_step="Check the network and try again.",
        ) from None


_NAMES: dict[type[Exception], str] = {
    requests.ConnectTimeout: "none: it could not be reached in time",
    requests.ReadTimeout: "none in time",
    ReadTimeoutError: "none in time",
    requests.exceptions.SSLError: "none: the connection is not secure",
    requests.exceptions.ProxyError: "none: the proxy of this machine refuses",
}


def pieces(response: requests.Response, most_bytes: int, seconds: float, stop: threading.Event) -> Iterator[bytes]:
    """The body, piece by piece. Raises CloudError when it is larger, UnansweredError when it takes longer or is cut."""
    until, got = time.monotonic() + seconds, 0
    for piece in _as_they_come(response):
        got += len(piece)
        if got > most_bytes:
            raise CloudError(
                expected=f"at most {most_bytes / 1e6:.0f} MB",
                got="more than that from the service",
                next_step="Try again; if it stays so, tell the authors of this pack.",
            )
        if stop.is_set() or time.monotonic() > until:
            raise UnansweredError(
                may_have_arrived=True,
                expected=f"the whole answer within {seconds:.0f} s",
                got="an answer that had not ended",
                next_step="Check the network and try again.",
            )
        yield piece


def _as_they_come(response: requests.Response) -> Iterator[bytes]:
    """Without waiting for pieces to fill up, so that a body that drips meets its time limit."""
    read1 = getattr(response.raw, "read1", None)
    if read1 is None:  # an urllib3 before 2.1
        yield from response.iter_content(1024)
        return
    while piece := read1(_PIECE, decode_content=True):
        yield piece


def _never_connected(error: Exception) -> bool:
    """Whether not a byte was sent."""
    cause = error.args[0] if error.args else None
    return isinstance(error, requests.ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)


class _NoQueries(logging.Filter):
    """urllib3 writes whole paths to its debug log, and the query of a result's URL is its signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_QUERY.sub("?***", a) if isinstance(a, str) else a for a in record.args)
        return True


_NO_QUERIES = _NoQueries()


def _hide_queries_in_logs() -> None:
    for name in ("urllib3.connectionpool", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_NO_QUERIES)  # adding it again does nothing
