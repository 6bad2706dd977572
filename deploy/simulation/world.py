"""All services in one process, on simulated time that leaps to whatever comes next."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from deploy.simulation import ids, parts
from deploy.simulation.direct import Direct
from deploy.simulation.resources import LOG, Ground
from libs.events.envelope import Recorded
from libs.events.memory_bus import Faults, MemoryBus
from libs.events.store import PAGE_EVENTS
from libs.service.clock import Ticker

START: Final = datetime(2026, 1, 5, 0, 0, tzinfo=UTC)  # a Monday, eight in the morning in Shanghai
PASSES_MAX: Final = 100

Work = Callable[[], Awaitable[None]]


class NeverQuiet(Exception):
    """Reactions and clocks keep bringing each other about at one moment."""


class World:
    """Made by `running`. `now` is the only time there is."""

    def __init__(self, seed: int, faults: Faults, start: datetime = START) -> None:
        self.now = start
        self.chance = random.Random(seed)
        self.ground = Ground(random.Random(seed), lambda: self.now, self._told)
        self.log, self.store = self.ground.log, self.ground.store
        self.parts = {name: make(self.ground.resources()) for name, make in parts.PARTS.items()}
        self.apps = {name: part.app() for name, part in self.parts.items()}
        self.clients = {name: Direct(app) for name, app in self.apps.items()}
        self.bus = self.new_bus(self.chance, faults)
        self.changed: dict[UUID, None] = {}  # complaints that somebody should look at, in order
        self.heard: defaultdict[UUID, list[int]] = defaultdict(list)  # by complaint, as it came
        self._noted = 0
        self._agenda: list[tuple[datetime, int, Work]] = []
        self._numbers = itertools.count()
        self._ticking = [each for part in self.parts.values() for each in part.ticking]
        self._tickers = [Ticker(each.clock, self.log, lambda: self.now, _no_turns) for each in self._ticking]
        self.bus.subscribe("onlooker", self._heard)

    def new_bus(self, chance: random.Random, faults: Faults) -> MemoryBus:
        """A bus on which every reaction listens, from the first event on."""
        bus = MemoryBus(self.store, LOG, chance, faults)
        for part in self.parts.values():
            for reaction in part.reactions:
                bus.subscribe(reaction.name, reaction.traced, reaction.events)
        return bus

    def appoint(self, at: datetime, work: Work) -> None:
        """Have `work` done at a time to come."""
        heapq.heappush(self._agenda, (max(at, self.now), next(self._numbers), work))

    async def run(self, until: datetime, quiet: Work) -> None:
        """Live on until then; `quiet` is called whenever all that follows from something has happened."""
        while (moment := self._next()) is not None and moment <= until:
            self.now = max(self.now, moment)
            while self._agenda and self._agenda[0][0] <= self.now:
                await heapq.heappop(self._agenda)[2]()
            await self.settle()
            await quiet()
        self.now = max(self.now, until)

    async def settle(self) -> None:
        """Let everything happen that is due by now, or follows from that."""
        for _ in range(PASSES_MAX):
            moved = await self.bus.settle()
            due = [t for t, at in zip(self._tickers, self._ticking, strict=True) if self._is_due(at)]
            for ticker in due:
                moved += await ticker.sweep(LOG)
            if not moved:
                return
        raise NeverQuiet

    def _is_due(self, ticking: parts.Ticking) -> bool:
        at = ticking.deadlines.next_at(LOG)
        return at is not None and at <= self.now

    def _next(self) -> datetime | None:
        moments = [at for each in self._ticking if (at := each.deadlines.next_at(LOG, self.now)) is not None]
        if self._agenda:
            moments.append(self._agenda[0][0])
        return min(moments, default=None)

    async def _told(self, log: str, seq: int, stream: str, types: Collection[str]) -> None:
        """Something was appended: whoever looks things up knows it at once."""
        while self._noted < seq:
            page = await self.store.read(log, self._noted, PAGE_EVENTS)
            for recorded in page:
                for part in self.parts.values():
                    for note in part.noting:
                        note(recorded)
            self._noted = page[-1].envelope.seq

    async def _heard(self, recorded: Recorded[Any]) -> None:
        if recorded.envelope.complaint_id is not None:
            self.heard[recorded.envelope.complaint_id].append(recorded.envelope.seq)


@contextlib.asynccontextmanager
async def running(seed: int, faults: Faults) -> AsyncIterator[World]:
    """A world, its services started."""
    async with contextlib.AsyncExitStack() as stack:
        world = World(seed, faults)
        stack.enter_context(ids.by_chance(random.Random(seed), lambda: world.now))
        for app in world.apps.values():
            await stack.enter_async_context(app.router.lifespan_context(app))
        yield world


def _no_turns(_: str) -> Any:
    raise AssertionError("in one process nobody takes turns")
