"""The one loop for deadlines: what has fallen due is passed to its stream, oldest first, all of it (SLA-3).

Nothing here decides: the stream's own decider says what has fallen due there. So replicas, a view that lags
and an outage can only make it later, never double, and never give it another time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import Histogram

from libs.events import errors, every_log
from libs.events.lease import Turn
from libs.events.store import Log
from libs.service import background, telemetry
from libs.service.deadlines import POLICY, Deadline, Deadlines

POLL_SECONDS: Final = 1.0
PASSING_MAX: Final = 32  # streams at once

lateness = Histogram(
    "redress_deadline_lateness_seconds",
    "From a deadline's falling due to its being passed; long after an outage.",
    ["clock"],
    buckets=(1, 2, 5, 10, 30, 60, 300, 3600, 86400),
)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """What a service declares: its deadlines, and how one is passed: by a command to the stream it is of.

    `recomputed` gives what a policy that comes into force may move in a log, in pages; each is passed as a
    deadline of the step RECOMPUTE (SLA-2).
    """

    name: str
    deadlines: Deadlines
    pass_deadline: Callable[[Deadline], Awaitable[None]]
    recomputed: Callable[[str], AsyncIterator[Sequence[Deadline]]] | None = None


class Ticker:
    """Runs one clock on every log; of all processes the one whose turn it is does so."""

    def __init__(
        self, clock: Clock, of: Log, now: Callable[[], datetime], turns: Callable[[str], Turn]
    ) -> None:
        self._clock = clock
        self._log = of
        self._now = now
        self._turns = turns
        # Passed, and still in the view, which comes to that by and by: not to be passed at every look.
        self._passed: defaultdict[str, set[Deadline]] = defaultdict(set)

    async def run(self) -> None:
        """Tick for ever."""
        await every_log.run(self._log, self._take_turns)

    async def _take_turns(self, name: str) -> None:
        work = partial(background.keep, f"clock {self._clock.name}", partial(self._tick, name))
        await self._turns(f"clock-{self._clock.name}/{name}").hold(work)

    async def _tick(self, name: str) -> None:
        while True:
            await self.sweep(name)
            await asyncio.sleep(POLL_SECONDS)

    async def sweep(self, name: str) -> int:
        """Pass all that has fallen due by now, oldest first, until none is left; gives how many."""
        now, seen, passed = self._now(), set[Deadline](), self._passed[name]
        last: Deadline | None = None
        count = 0
        while page := await self._clock.deadlines.due(name, now, last):
            fallen = [deadline for deadline in page if deadline not in passed]
            for together in _parted(fallen):
                await self._pass_all(together)
            count += len(fallen)
            seen.update(page)
            last = page[-1]
        passed &= seen
        return count

    async def _pass_all(self, page: Sequence[Deadline]) -> None:
        """One stream's one after the other, streams side by side."""
        streams: dict[UUID, list[Deadline]] = {}
        for deadline in page:
            streams.setdefault(deadline.key, []).append(deadline)
        room = asyncio.Semaphore(PASSING_MAX)
        try:
            async with asyncio.TaskGroup() as group:
                for of_one in streams.values():
                    await room.acquire()
                    task = group.create_task(self._pass_in_turn(of_one))
                    task.add_done_callback(lambda _: room.release())
        except* errors.Unavailable as away:
            raise away.exceptions[0] from None

    async def _pass_in_turn(self, deadlines: Sequence[Deadline]) -> None:
        for deadline in deadlines:
            await self._pass(deadline)

    async def _pass_now(self, deadline: Deadline) -> None:
        if not deadline.step.startswith(POLICY):
            await self._clock.pass_deadline(deadline)
            return
        if self._clock.recomputed is not None:
            async for page in self._clock.recomputed(deadline.log):
                await self._pass_all(page)
        await self._clock.deadlines.settle(deadline)

    async def _pass(self, deadline: Deadline) -> None:
        """One that cannot be passed is told of and tried again at the next look; others do not wait."""
        try:
            await self._pass_now(deadline)
        except errors.Unavailable:
            raise  # nothing else can be passed either
        except Exception as error:
            telemetry.faults.labels(f"clock {self._clock.name}").inc()
            log.error("deadline not passed", clock=self._clock.name, key=str(deadline.key), exc_info=error)
            return
        self._passed[deadline.log].add(deadline)
        lateness.labels(self._clock.name).observe((self._now() - deadline.at).total_seconds())


def _parted(fallen: Sequence[Deadline]) -> Iterator[list[Deadline]]:
    """A policy comes into force between what fell due before it and what it may have moved: by itself."""
    together: list[Deadline] = []
    for deadline in fallen:
        if deadline.step.startswith(POLICY):
            yield together
            yield [deadline]
            together = []
        else:
            together.append(deadline)
    yield together
