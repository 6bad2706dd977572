"""Intake in memory, for tests: its reactions and clock on a log, a bus and lookups that need no server."""

import random
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from libs.events.envelope import Recorded
from libs.events.lease import Undisputed
from libs.events.memory_bus import NONE, Faults, MemoryBus
from libs.events.store import Context, EventStore
from libs.service.auth import Caller
from libs.service.clock import Ticker
from libs.service.deadlines import MemoryDeadlines
from services.intake import clock, models, neighbours, numbers, reactions, state
from services.intake.desk import STREAM, Desk
from tests import service_kit
from tests.e2e import desk as front

CALLER = Caller("li.wei", "main", frozenset({"complaints:write"}))


class Intake:
    """The service without its servers; `now` is the time there."""

    def __init__(self, folder: Path, now: datetime, seed: int = 0, faults: Faults = NONE) -> None:
        self.now = now
        self.chance = random.Random(seed)
        resources = service_kit.resources(service_kit.write_settings(folder), now=lambda: self.now)
        self.known = neighbours.MemoryNeighbours()
        self.kept = MemoryDeadlines(STREAM.category, clock.changes)
        self.desk = Desk(resources, self.known, numbers.MemoryNumbers())
        resources.store = EventStore(resources.log, resources.keys, self._told)
        self.store = resources.store
        self.bus = MemoryBus(self.store, "main", self.chance, faults)
        self.reactions = reactions.following(self.desk)
        for reaction in self.reactions:
            self.bus.subscribe(reaction.name, reaction.handle, reaction.events)
        ticking = clock.clock(resources, self.kept, self.known)
        self._ticker = Ticker(ticking, resources.log, lambda: self.now, Undisputed)

    async def records(self, **changes: Any) -> UUID:
        """A contact comes in."""
        body = models.ComplaintBody.model_validate(front.body(**changes))
        return (await self.desk.register(CALLER, body)).answer.complaint_id

    async def hears(self, event: Any, category: str) -> None:
        """Another service puts something on record."""
        context = Context(category, event.complaint_id)
        await self.store.append("main", f"{category}-{uuid4()}", 0, [event], [uuid4()], context)

    async def settles(self) -> None:
        """Everything that follows happens, at this time."""
        while await self.bus.settle() or await self._ticker.sweep("main"):
            pass

    async def complaint(self, complaint_id: UUID) -> state.Complaint:
        """How it stands."""
        return await self.desk.complaint("main", complaint_id)

    async def everything(self) -> list[Recorded[Any]]:
        """The whole log."""
        found: list[Recorded[Any]] = []
        while page := await self.store.read("main", found[-1].envelope.seq if found else 0):
            found += page
        return found

    async def counted(self) -> Counter[str]:
        """How many events there are of each kind."""
        return Counter(type(each.event).__name__ for each in await self.everything())

    async def hears_again(self) -> None:
        """Every event comes once more to whoever hears it, in any order."""
        past = [(each, reaction) for each in await self.everything() for reaction in self.reactions]
        self.chance.shuffle(past)
        for each, reaction in past:
            if isinstance(each.event, reaction.events):
                await reaction.handle(each)

    async def _told(self, log: str, seq: int, stream: str, types: Collection[str]) -> None:
        for recorded in await self.store.read(log, self.known.seq(log)):
            self.known.note(recorded)
            self.kept.note(recorded)
