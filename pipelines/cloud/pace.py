"""How patient the pack is with a service, and how much it takes from it."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Seconds, tries and bytes. The defaults suit a person who waits at a graph; tests are quicker."""

    connect: float = 10.0  # s until a connection stands
    silence: float = 60.0  # s between two pieces of an answer
    answer: float = 120.0  # s for one whole JSON answer
    file: float = 1800.0  # s for one whole download
    tries: int = 5  # of one call that may be repeated
    first_wait: float = 1.0  # s before the second try; doubled for each further one
    longest_wait: float = 30.0  # s
    longest_retry_after: float = 120.0  # s that a service may ask us to wait
    appears: float = 10.0  # s that a new job may be unknown
    first_poll: float = 1.0  # s before the second look at a job
    longest_poll: float = 10.0  # s between two looks
    offline: float = 600.0  # s without any answer until looking is given up
    job: float = 3600.0  # s until a job that does not end is given up
    answer_bytes: int = 1 << 20
    file_bytes: int = 1 << 30

    def wait_after(self, tries: int, asked: float | None) -> float:
        """Seconds before the next try. asked: what the service named in Retry-After, which counts when it is given.

        Else exponential backoff, with jitter so that many clients do not come back together.
        """
        if asked is not None:
            return min(asked, self.longest_retry_after)
        return jittered(min(self.first_wait * 2 ** (tries - 1), self.longest_wait))


def jittered(seconds: float) -> float:
    """A random time from half of `seconds` on."""
    return random.uniform(seconds / 2, seconds)
