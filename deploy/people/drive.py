"""Everybody at work on a running system: woken by what the bus tells, calling by HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from deploy.people import customs
from deploy.people.calls import Callers
from deploy.people.owing import WORTH_READING, Owed
from deploy.people.staff import Case, Staff, Work
from deploy.people.wire import Wire
from libs.events.envelope import Envelope
from libs.events.lanes import Lanes

AT_WORK_MAX: Final = 24  # people calling at once
CALL_SECONDS_MAX: Final = 30.0
LULL: Final = timedelta(seconds=0.25)  # what follows from one thing comes in a burst: one look is enough
RETRY: Final = timedelta(seconds=0.5)
RETRY_MAX: Final = timedelta(seconds=8)
WAIT_MAX: Final = timedelta(seconds=10)


class Turns:
    """So many at a time; of those who wait, whoever sees to the oldest complaint comes first.

    So a few are finished before others are begun, and services go on with what they have at hand.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._came = itertools.count()
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []

    @contextlib.asynccontextmanager
    async def of(self, number: str) -> AsyncIterator[None]:
        """A turn for the complaint of this number, while the block lasts."""
        if self._free:
            self._free -= 1
        else:
            called = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (number, next(self._came), called))
            await called
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, called = heapq.heappop(self._waiting)
            if not called.done():  # whoever was cancelled while waiting has left
                called.set_result(None)
                return
        self._free += 1


class Drive:
    """Work on complaints, many side by side, each by one person at a time. Nobody takes time to think."""

    def __init__(self, callers: Callers, seed: int, tasks: asyncio.TaskGroup) -> None:
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.staff = Staff(callers, seed, customs.RULES, customs.MOODS, self)
        self._lanes = Lanes(tasks)
        self._turns = Turns(AT_WORK_MAX)
        self._to_look_at: set[UUID] = set()
        self._waiting = 0

    @property
    def idle(self) -> bool:
        """Whether nobody has anything to do."""
        return self._waiting == 0

    def heard(self, envelope: Envelope) -> None:
        """Something became of a complaint: somebody looks at it where that may be theirs to see to."""
        name = envelope.type.split(".")[2]
        said = json.loads(envelope.body) if name in WORTH_READING else {}
        if case := self.staff.hear(name, envelope.complaint_id, said):
            self.look_at(case)

    def look_at(self, case: Case) -> None:
        """Have somebody look at a complaint, once for all that is heard until then."""
        if case.complaint_id not in self._to_look_at:
            self._to_look_at.add(case.complaint_id)
            self.appoint(case, LULL, partial(self._look, case))

    async def look_at_the_rest(self) -> None:
        """See how what is open stands in the end: of what services do by themselves nobody was told."""
        for case in self.staff.cases.values():
            if not case.outcome.get("closed"):
                await self.staff.look(case)

    async def _look(self, case: Case) -> None:
        self._to_look_at.discard(case.complaint_id)
        await self.staff.plan(case)

    def thinking(self, case: Case, owed: Owed) -> timedelta:
        """Nobody thinks; but what was refused is given time to become possible, more each time."""
        times = case.times[owed.key]
        return min(RETRY * 2 ** (times - 1), RETRY_MAX) if times else timedelta()

    def after(self, time: timedelta) -> timedelta:
        """At once."""
        return timedelta()

    def appoint(self, case: Case, after: timedelta, work: Work) -> None:
        """Soon; what is further away than a demonstration lasts is not waited for."""
        if after <= WAIT_MAX:
            self._waiting += 1
            add = partial(self._lanes.add, str(case.complaint_id), partial(self._do, case, work))
            asyncio.get_running_loop().call_later(after.total_seconds(), add)

    async def _do(self, case: Case, work: Work) -> None:
        try:
            async with self._turns.of(case.number):
                await work()
        finally:
            self._waiting -= 1


@contextlib.asynccontextmanager
async def at_work(urls: Mapping[str, str], signing_keys: str, seed: int) -> AsyncIterator[Drive]:
    """People at the services of these addresses; what one of them cannot do ends the block with an error."""
    async with contextlib.AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(Wire(url, CALL_SECONDS_MAX)) for name, url in urls.items()
        }
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        yield Drive(Callers(clients, signing_keys), seed, tasks)
