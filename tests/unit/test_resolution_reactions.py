"""What resolution does upon events: the same whatever is heard first, twice or late (a log in memory)."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events.contracts import clock, improve, notify, penalize, propose
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
from services.resolution import clock as clocks
from services.resolution import complete, reactions
from services.resolution import improve as improving
from services.resolution.clock import CASE, MEASURE, changes
from services.resolution.lookups import MemoryLookups
from tests import complaint_history, service_kit
from tests.complaint_history import DAY, NOW, Writer
from tests.unit.resolution_situations import POLICY, complete_it, plan_it
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


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def told(happened: list[Any]) -> set[tuple[str, ...]]:
    """What a case comes to, whatever the order."""
    return {
        (type(event).__name__, str(getattr(event, "person", "")), str(getattr(event, "rests_on", "")))
        for event in happened
    }


async def test_a_case_is_opened_and_what_was_verified_is_put_to_whom_it_concerns(office: Office) -> None:
    await office.upstream()
    await office.settle()
    happened = await office.case()
    assert [type(event) for event in happened if isinstance(event, propose.CaseOpened)]
    raised = [event for event in happened if isinstance(event, penalize.ResponsibilityRaised)]
    assert {(each.person, each.charge) for each in raised} == {
        ("production-officer", penalize.Charge.COMPLAINT),
        ("production-head", penalize.Charge.COMPLAINT),
        ("quality-officer", penalize.Charge.HANDLING),
        ("quality-head", penalize.Charge.HANDLING),
    }
    assert CASE.fold(CASE.initial, happened).handling.answerable == complaint_history.HEAD  # type: ignore[union-attr] # it is open


@pytest.mark.parametrize("seed", range(10))
async def test_the_order_and_number_of_deliveries_change_nothing(seed: int, tmp_path: Path) -> None:
    """A shuffled and doubled history comes to what the straight one does."""
    chance = random.Random(seed)

    def doubled(heard: list[Any]) -> list[Any]:
        return chance.sample([*heard, *heard], 2 * len(heard))

    cases = []
    orders: dict[str, Callable[[list[Any]], list[Any]]] = {"straight": list, "shuffled": doubled}
    for name, order in orders.items():
        (folder := tmp_path / name).mkdir()
        office = Office(folder)
        await office.upstream()
        await office.settle(order)
        await office.deliver(*doubled(await office.all()))
        cases.append(await office.case())
    straight, shuffled = cases

    def kinds(happened: list[Any]) -> list[tuple[str, str]]:
        raised = [each for each in happened if isinstance(each, penalize.ResponsibilityRaised)]
        return sorted((each.person, each.charge) for each in raised)

    assert kinds(straight) == kinds(shuffled)
    ends = [CASE.fold(CASE.initial, happened) for happened in cases]
    assert ends[0].handling is not None
    assert ends[1].handling is not None
    assert ends[0].handling.answerable == ends[1].handling.answerable
    assert ends[0].handling.acted_on == ends[1].handling.acted_on


async def test_an_event_delivered_again_at_any_time_changes_nothing(office: Office) -> None:
    await office.upstream()
    await office.settle()
    before = await office.all()
    office.now += 3 * DAY
    await asyncio.gather(*(office.deliver(recorded) for recorded in [*before, *before]))
    assert [each.envelope.event_id for each in await office.all()] == [
        each.envelope.event_id for each in before
    ]


@pytest.mark.rule("IMP-2", "IMP-3")
async def test_a_measure_is_reopened_by_the_cause_coming_back_and_answers_that_complaint_too(
    office: Office,
) -> None:
    await office.upstream()
    await office.on_measure(improving.decide, plan_it)
    await office.on_measure(complete.decide, replace(complete_it, now=NOW + DAY))
    await office.settle()
    assert any(isinstance(event, improve.ComplaintJoinedImprovement) for event in await office.case())
    back = uuid4()
    office.now = NOW + 20 * DAY
    await office.upstream(back, recorded_at=office.now)
    await office.settle()
    stream = await office.store.read_stream("main", MEASURE.name(plan_it.improvement_id))
    reopened = [each.event for each in stream if isinstance(each.event, improve.ImprovementReopened)]
    assert [each.complaint_id for each in reopened] == [back]
    assert any(isinstance(event, improve.ComplaintJoinedImprovement) for event in await office.case(back))


@pytest.mark.rule("SLA-3", "SLA-4")
async def test_the_clock_says_what_fell_due_with_the_time_it_fell_due(office: Office) -> None:
    await office.upstream()
    await office.settle()
    ticker = Ticker(
        clocks.clock(office.resources, office.deadlines), office.store.log, lambda: office.now, Undisputed
    )
    office.now = NOW + 60 * DAY  # after an outage
    for _ in range(3):
        await office.note()
        await ticker.sweep("main")
    happened = await office.case()
    said = [each for each in happened if isinstance(each, clock.DeadlineMissed)]
    assert {each.step for each in said} == {Step.PROPOSE, Step.PENALIZE, Step.IMPROVE}
    assert all(each.missed_at == each.due_at < each.noticed_at == office.now for each in said)
    assert len([each for each in happened if isinstance(each, clock.DeadlineWarned)]) == 3


async def test_an_enquiry_or_an_unfounded_complaint_opens_no_case(office: Office) -> None:
    await office.writer.says(complaint_history.recorded(COMPLAINT))
    await office.writer.says(complaint_history.classified(COMPLAINT, founded=False))
    reply = notify.NoticeDelivered(
        notice_id=uuid4(),
        complaint_id=COMPLAINT,
        kind=notify.NoticeKind.UNFOUNDED_REPLY,
        recipient=notify.Recipient.CUSTOMER,
        channel="outbox",
        attempt=1,
        delivered_at=NOW,
    )
    await office.writer.says(reply, category="notifier")
    await office.settle()
    assert told(await office.case()) == {("ComplaintClosed", "", "")}
