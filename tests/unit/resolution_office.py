"""Resolution on a log in memory: what the other services say, deliveries, deadlines, and people at work."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from libs.events.contracts.handling import Severity, Step
from libs.events.decider import transact
from libs.events.envelope import Recorded
from libs.events.lease import Undisputed
from libs.events.memory import MemoryLog
from libs.events.store import Context
from libs.policy import deadlines
from libs.service import wiring
from libs.service.clock import Ticker
from libs.service.deadlines import MemoryDeadlines
from services.resolution import clock, reactions
from services.resolution.clock import CASE, MEASURE, changes
from services.resolution.lookups import MemoryLookups
from tests import complaint_history, service_kit
from tests.complaint_history import NOW, Writer
from tests.unit.resolution_situations import POLICY, STEPS
from tests.unit.resolution_world import finding, missed

COMPLAINT = UUID(int=2)


class Office:
    """Resolution on a log in memory, and a bus that delivers what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        log = MemoryLog("main", now=lambda: self.now)
        settings = service_kit.write_settings(folder)
        self.resources: wiring.Resources = service_kit.resources(settings, log, now=lambda: self.now)
        self.store = self.resources.store
        self.writer = Writer(self.store)
        self.lookups = MemoryLookups()
        self.reactions = reactions.following(self.resources, self.lookups)
        self.deadlines = MemoryDeadlines("resolution", changes)
        self.ticker = Ticker(clock.clock(self.resources, self.deadlines), log, lambda: self.now, Undisputed)
        self._noted = 0

    async def upstream(self, complaint_id: UUID = COMPLAINT, recorded_at: datetime = NOW) -> None:
        """What the other services said: recorded, judged, assigned, found, late once."""
        due = deadlines.all_due(POLICY, Severity.SERIOUS, NOW)
        say = self.writer.says
        await say(complaint_history.recorded(complaint_id, recorded_at=recorded_at))
        await say(complaint_history.classified(complaint_id))
        await say(replace(complaint_history.assigned(complaint_id), due=due))
        late = replace(missed(Step.INVESTIGATE), complaint_id=complaint_id)
        await say(late, category="investigation")
        found = replace(finding(), complaint_id=complaint_id, investigation_id=complaint_id)
        await say(found, category="investigation")
        await say(complaint_history.escalated(complaint_id))

    async def all(self) -> list[Recorded[Any]]:
        return await self.store.read("main")

    async def deliver(self, *heard: Recorded[Any]) -> None:
        await self.note()
        for recorded in heard:
            for reaction in self.reactions:
                if isinstance(recorded.event, reaction.events):
                    await reaction.handle(recorded)

    async def settle(self, order: Callable[[list[Any]], list[Any]] = list) -> None:
        """Deliver everything, and what comes of it, until nothing more does."""
        seen = 0
        while len(happened := await self.all()) > seen:
            fresh, seen = happened[seen:], len(happened)
            await self.deliver(*order(fresh))

    async def note(self) -> None:
        """What views in memory are fed with."""
        for recorded in (await self.all())[self._noted :]:
            self._noted += 1
            self.lookups.note(recorded)
            self.deadlines.note(recorded)

    async def case(self, complaint_id: UUID = COMPLAINT) -> list[Any]:
        return [each.event for each in await self.store.read_stream("main", CASE.name(complaint_id))]

    async def on_measure(self, decide: Any, command: Any, about: UUID = COMPLAINT) -> None:
        key, context = command.improvement_id, Context("somebody", about)
        await transact(self.store, "main", MEASURE, key, decide, command, context)

    async def on_case(self, command: Any) -> None:
        """What a person does to a case, at this time."""
        decide, context = STEPS[type(command)], Context("somebody", command.complaint_id)
        await transact(
            self.store, "main", CASE, command.complaint_id, decide, replace(command, now=self.now), context
        )

    async def comes(self, now: datetime) -> None:
        """It becomes `now`: the clock passes what has fallen due, until nothing is left."""
        self.now = now
        await self.note()
        while await self.ticker.sweep("main"):
            await self.note()
