"""Work beside requests, begun again after any fault: a service that only records beats one that stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from libs.events import errors
from libs.service import telemetry

PAUSE_SECONDS_MIN: Final = 0.1
PAUSE_SECONDS_MAX: Final = 10.0

log = structlog.get_logger(__name__)


def nobody_is_told(fault: Exception) -> None:
    """The default of `keep`."""


async def keep(
    what: str, work: Callable[[], Awaitable[None]], tell: Callable[[Exception], None] = nobody_is_told
) -> None:
    """Run `work` for ever; a fault is counted, logged (once while it stays the same), told and waited out."""
    pause, said = PAUSE_SECONDS_MIN, ""
    while True:
        began = time.monotonic()
        try:
            await work()
        except Exception as fault:
            if time.monotonic() - began > PAUSE_SECONDS_MAX:
                pause, said = PAUSE_SECONDS_MIN, ""
            telemetry.faults.labels(what).inc()
            if said != type(fault).__name__:
                _say(what, fault)
            said = type(fault).__name__
            tell(fault)
        await asyncio.sleep(pause)
        pause = min(2 * pause, PAUSE_SECONDS_MAX)


def _say(what: str, fault: Exception) -> None:
    if isinstance(fault, errors.Unavailable):  # an outage is nobody's mistake here
        log.warning("work waits", work=what, reason=str(fault))
    else:
        log.error("work failed", work=what, exc_info=fault)
