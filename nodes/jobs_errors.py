"""Why a request to the jobs API is refused, as its JSON answer says it."""

from __future__ import annotations

from typing import Literal

from ..pipelines.core.errors import LipSyncError

Code = Literal[
    "bad_request",
    "bad_value",
    "file_not_found",
    "job_not_found",
    "no_space",
    "not_completed",
    "queue_full",
    "result_gone",
    "result_in_use",
    "too_large",
    "unsupported_media",
    "weights_missing",
]


class RequestError(LipSyncError):
    """status: of HTTP. code: for programs; the message is for people."""

    def __init__(self, status: int, code: Code, *, expected: str, got: str, next_step: str) -> None:
        super().__init__(expected=expected, got=got, next_step=next_step)
        self.status = status
        self.code = code
