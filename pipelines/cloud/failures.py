"""How a call to a service can fail, and what that means for trying again."""

from __future__ import annotations

from ..core.errors import CloudError


class RefusedError(CloudError):
    """The service answered, with an HTTP status other than success. retry_after: seconds, when it named them."""

    def __init__(self, status: int, retry_after: float | None = None, **said: str) -> None:
        super().__init__(**said)
        self.status = status
        self.retry_after = retry_after


class UnansweredError(CloudError):
    """No usable answer. may_have_arrived: the service may have done what was asked."""

    def __init__(self, may_have_arrived: bool, **said: str) -> None:
        super().__init__(**said)
        self.may_have_arrived = may_have_arrived


def status_of(failure: CloudError) -> int:
    """The HTTP status that the service answered; 0 when it did not."""
    return failure.status if isinstance(failure, RefusedError) else 0


def asked_wait(failure: CloudError) -> float | None:
    """Seconds that the service asked us to wait, if it did."""
    return failure.retry_after if isinstance(failure, RefusedError) else None


def is_passing(failure: CloudError) -> bool:
    """Whether asking again later may help: no answer, too many requests, or the service's own trouble."""
    return isinstance(failure, UnansweredError) or (
        isinstance(failure, RefusedError) and (failure.status == 429 or failure.status >= 500)
    )


def surely_undone(failure: CloudError) -> bool:
    """Whether the service did nothing of what was asked: it said no, or was never reached."""
    if isinstance(failure, RefusedError):
        return failure.status < 500 and failure.status != 408  # a gateway that waited in vain may say 408
    return isinstance(failure, UnansweredError) and not failure.may_have_arrived
