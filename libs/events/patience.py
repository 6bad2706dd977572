"""How failures of a handler are borne: how often each kind is tried, and how long between."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from libs.events import errors

JITTER: Final = 0.2  # of each delay, either way


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `attempts_max` tries; the delay doubles from the first to the longest."""

    attempts_max: int
    delay_seconds: float = 0.1
    delay_seconds_max: float = 5.0

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the `attempt`-th failure (counted from 1)."""
        delay = min(self.delay_seconds * 2.0 ** min(attempt - 1, 16), self.delay_seconds_max)
        return delay * random.uniform(1 - JITTER, 1 + JITTER)


# Something that is away is nobody's fault: it is waited for about an hour before a person is asked.
BY_KIND: Final[Sequence[tuple[type[Exception], Patience]]] = (
    (errors.Unavailable, Patience(attempts_max=720)),
    (errors.VersionConflict, Patience(attempts_max=10)),
    (errors.NotFound, Patience(attempts_max=6)),
    (errors.ContractError, Patience(attempts_max=2)),
    (Exception, Patience(attempts_max=6)),
)


def with_(error: Exception) -> Patience:
    """The patience that a failure meets."""
    return next(patience for kind, patience in BY_KIND if isinstance(error, kind))
