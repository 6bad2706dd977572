"""A complaint's history heard in any order, twice or late comes to the same investigation."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import errors
from libs.events.contracts.handling import Answerable, Severity, Step
from libs.events.contracts.intake import ComplaintAmended
from libs.events.contracts.investigate import FindingRecorded, StopCause
from libs.events.contracts.propose import ComplaintClosed, Outcome
from libs.events.contracts.reckoning import Pause, Reckoning
from libs.events.contracts.values import Complainant, Product
from libs.events.decider import transact
from libs.events.envelope import Recorded
from libs.events.memory import MemoryLog
from libs.events.store import Context
from libs.policy import deadlines
from libs.service.reaction import Reaction
from libs.service.wiring import Resources
from services.investigation import evidence, finding, history, overdue, reactions, state
from services.investigation.clock import STREAM
from services.investigation.repairs import MemoryRepairs
from services.investigation.term import Term
from tests import complaint_history as says
from tests.complaint_history import DAY, DEPUTY, HEAD, LEADER, NOW, OFFICER, Writer
from tests.unit.investigation_situations import POLICY, add_evidence, record_finding

THIS, OTHER, INCIDENT = UUID(int=2), UUID(int=3), UUID(int=9)
LATER = NOW + 7 * DAY


@dataclass
class Desk:
    """The service's reactions on a log in memory, and intake's pen."""

    resources: Resources
    intake: Writer
    hear: tuple[Reaction, ...]

    async def hears(self, recorded: Recorded[Any]) -> None:
        for reaction in self.hear:
            if isinstance(recorded.event, reaction.events):
                await reaction.handle(recorded)

    async def stands(self, key: UUID) -> state.Investigation:
        past = await self.resources.store.read_stream("main", STREAM.name(key))
        return STREAM.fold(STREAM.initial, [each.event for each in past])

    async def file(self, key: UUID) -> state.File:
        found = await self.stands(key)
        assert not isinstance(found, state.NotOpened)
        return found.file

    async def does(self, key: UUID, decide: Callable[..., list[Any]], command: Any) -> None:
        """A person's command."""
        context = Context("li.wei", key if key != INCIDENT else None)
        await transact(self.resources.store, "main", STREAM, key, decide, command, context)

    async def finds(self, key: UUID) -> Recorded[Any]:
        await self.does(key, evidence.decide, add_evidence)
        await self.does(key, finding.decide, record_finding)
        past = await self.resources.store.read_stream("main", STREAM.name(key))
        return next(each for each in reversed(past) if isinstance(each.event, FindingRecorded))


@pytest.fixture
def desk(shared: Resources) -> Desk:
    return make(shared)


def make(shared: Resources) -> Desk:
    resources = replace(shared, log=MemoryLog("main", now=lambda: NOW), now=lambda: NOW)
    return Desk(resources, Writer(resources.store), reactions.following(resources, MemoryRepairs()))


async def put(desk: Desk, happened: list[Any]) -> list[Recorded[Any]]:
    """On record, in this order."""
    await desk.intake.says(says.recorded(THIS))
    return [await desk.intake.says(event) for event in happened]


STORIES: dict[str, tuple[list[Any], Callable[[state.Investigation], bool]]] = {
    "handed over": (
        [says.classified(THIS), says.assigned(THIS), says.assigned(THIS, DEPUTY, LATER, LATER)],
        lambda it: (
            isinstance(it, state.Investigating)
            and (it.file.answerable, it.file.term.due_at) == (DEPUTY, LATER)
        ),
    ),
    "escalated": (
        [says.assigned(THIS), says.escalated(THIS), says.escalated(THIS, LEADER, 2)],
        lambda it: (
            isinstance(it, state.Investigating)
            and (it.file.answerable, it.file.level, it.file.term.due_at) == (LEADER, 2, NOW + 3 * DAY)
        ),
    ),
    "assigned anew after an escalation": (
        [says.assigned(THIS), says.escalated(THIS), says.assigned(THIS, DEPUTY, LATER, LATER)],
        lambda it: isinstance(it, state.Investigating) and (it.file.answerable, it.file.level) == (DEPUTY, 0),
    ),
    "withdrawn": (
        [says.assigned(THIS), says.withdrawn(THIS)],
        lambda it: isinstance(it, state.NotOpened | state.Stopped),
    ),
    "merged and separated": (
        [says.assigned(THIS), says.merged(THIS, OTHER), says.separated(THIS, OTHER)],
        lambda it: isinstance(it, state.Investigating) and it.file.answerable == OFFICER,
    ),
    "judged unfounded, then founded": (
        [says.assigned(THIS), says.classified(THIS, founded=False), says.classified(THIS, at=NOW + DAY)],
        lambda it: isinstance(it, state.Investigating) and it.file.round == 1,
    ),
    "reopened before anything was found": (
        [says.assigned(THIS), says.reopened(THIS, NOW + DAY), says.assigned(THIS, HEAD, LATER, LATER)],
        lambda it: (
            isinstance(it, state.Investigating)
            and (it.file.round, it.file.answerable, it.file.term.due_at) == (1, HEAD, LATER)
        ),
    ),
}


@pytest.mark.parametrize("story", STORIES)
@settings(max_examples=50, deadline=None)
@given(draws=st.data())
def test_whatever_order_it_is_heard_in_the_end_is_the_same(
    story: str, draws: st.DataObject, shared: Resources
) -> None:
    happened, ends = STORIES[story]

    async def tell() -> None:
        desk = make(shared)
        put_down = await put(desk, happened)
        places = [*range(len(put_down))]
        for at in draws.draw(st.permutations(places * 2)) + draws.draw(st.permutations(places)):
            await desk.hears(put_down[at])
        assert ends(await desk.stands(THIS))
        before = await desk.stands(THIS)
        for recorded in put_down:
            await desk.hears(recorded)
        assert await desk.stands(THIS) == before

    asyncio.run(tell())


@pytest.mark.parametrize("story", STORIES)
@settings(max_examples=50, deadline=None)
@given(draws=st.data())
def test_however_late_each_is_heard_the_end_is_the_same(
    story: str, draws: st.DataObject, shared: Resources
) -> None:
    """Events are heard while later ones are still to come, some only at the very end, some again."""
    happened, ends = STORIES[story]

    async def tell() -> None:
        desk = make(shared)
        await desk.intake.says(says.recorded(THIS))
        waiting: list[Recorded[Any]] = []
        for event in happened:
            waiting.append(await desk.intake.says(event))
            for at in draws.draw(st.lists(st.integers(0, len(waiting) - 1), max_size=3)):
                await desk.hears(waiting[at])
        for at in draws.draw(st.permutations(range(len(waiting)))):
            await desk.hears(waiting[at])
        assert ends(await desk.stands(THIS))

    asyncio.run(tell())


@pytest.mark.rule("CLS-7")
@settings(max_examples=60, deadline=None)
@given(draws=st.data())
def test_an_incident_heard_in_any_order_is_found_for_all_of_it(
    draws: st.DataObject, shared: Resources
) -> None:
    """Also when its finding comes before some of the complaints are heard of."""

    async def tell() -> None:
        desk = make(shared)
        heard: list[Recorded[Any]] = []
        for each in (THIS, OTHER):
            await desk.intake.says(says.recorded(each))
            heard.append(await desk.intake.says(says.assigned(each)))
        heard.append(await desk.intake.says(says.raised(INCIDENT, THIS, OTHER), INCIDENT))
        for each in (THIS, OTHER):
            heard.append(await desk.intake.says(says.joined(each, INCIDENT)))
        order = draws.draw(st.permutations([*range(len(heard))] * 2))
        found_at = draws.draw(st.integers(0, len(order)))
        for count, at in enumerate(order):
            if count == found_at:
                await find(desk, heard[2])
            await desk.hears(heard[at])
        await desk.hears(await find(desk, heard[2]))
        for each in (THIS, OTHER):
            stands = await desk.stands(each)
            assert isinstance(stands, state.Found)
            assert stands.finding.adopted_from == INCIDENT
            assert stands.finding.data_subject == f"customer:C-{each}"

    async def find(desk: Desk, raised: Recorded[Any]) -> Recorded[Any]:
        await desk.hears(raised)
        found = await desk.finds(INCIDENT)
        await desk.hears(found)
        return found

    asyncio.run(tell())


@pytest.mark.rule("CLS-7")
async def test_hundreds_may_join_an_incident_at_once(desk: Desk) -> None:
    incident = await desk.intake.says(says.raised(INCIDENT), INCIDENT)
    joining = []
    for number in range(100, 300):
        await desk.intake.says(says.recorded(UUID(int=number)))
        joining.append(await desk.intake.says(says.joined(UUID(int=number), INCIDENT)))
    await asyncio.gather(desk.hears(incident), *(desk.hears(recorded) for recorded in joining))
    assert len((await desk.file(INCIDENT)).complaint_ids) == 200
    await desk.hears(await desk.finds(INCIDENT))
    for number in range(100, 300):
        assert isinstance(await desk.stands(UUID(int=number)), state.Found)


@pytest.mark.rule("ASG-7", "INV-2")
async def test_the_assignment_gives_the_due_time_and_policy_the_duties(desk: Desk) -> None:
    for recorded in await put(desk, [says.assigned(THIS)]):
        await desk.hears(recorded)
    file = await desk.file(THIS)
    assert file.term == Term(due_at=NOW + 3 * DAY, warn_at=NOW + 2 * DAY)
    assert [duty.unit for duty in file.duties] == [
        "after-sales",
        "sales",
        "quality",
        "technology",
        "production",
    ]
    assert (file.part_number, file.serial_number, file.customer_id) == ("LED-T8-18W", "SN-1", f"C-{THIS}")


async def test_time_that_a_complaint_stood_still_does_not_count(desk: Desk) -> None:
    """Trap 4: and overlapping or repeated standstills do not count twice."""
    at = [NOW + timedelta(hours=hour) for hour in (1, 25, 26, 50)]
    stood_still = [
        says.assigned(THIS),
        says.merged(THIS, OTHER, at[0]),
        says.separated(THIS, OTHER, at[1]),
        says.merged(THIS, OTHER, at[2]),
        says.separated(THIS, OTHER, at[3]),
    ]
    for recorded in await put(desk, stood_still):
        await desk.hears(recorded)
    spans = (await history.read(desk.resources.store, "main", THIS)).pauses  # type: ignore[union-attr]  # it is on record
    assert [(span.start, span.end) for span in spans] == [(at[0], at[1]), (at[2], at[3])]
    due = deadlines.due(POLICY, Step.INVESTIGATE, Severity.SERIOUS, NOW, spans)
    term = (await desk.file(THIS)).term
    pauses = (Pause(since=at[0], until=at[1]), Pause(since=at[2], until=at[3]))
    assert term.due_at == due.due_at
    assert term.reckoned == Reckoning(since=NOW, severity=Severity.SERIOUS, pauses=pauses)


@pytest.mark.rule("SLA-2", "CLS-7", "ASG-7")
async def test_a_time_that_was_reckoned_here_says_what_it_counts_from(desk: Desk) -> None:
    """An escalation's from then on, a further round's from the reopening, an incident's from its raising."""
    serious, major = Severity.SERIOUS, Severity.MAJOR
    for each in await put(desk, [says.assigned(THIS, due_at=NOW, warn_at=NOW)]):
        await desk.hears(each)
    assert (await desk.file(THIS)).term.reckoned is None
    late = overdue.PassDeadline(step=state.FINDING, policy=POLICY, now=NOW)
    await desk.does(THIS, overdue.decide, late)
    await desk.hears(await desk.intake.says(says.escalated(THIS)))
    assert (await desk.file(THIS)).term.reckoned == Reckoning(since=NOW, severity=serious)
    await desk.hears(await desk.finds(THIS))
    await desk.hears(await desk.intake.says(says.reopened(THIS, NOW + DAY)))
    assert (await desk.file(THIS)).round == 2
    assert (await desk.file(THIS)).term.reckoned == Reckoning(since=NOW + DAY, severity=serious)
    raised = await desk.intake.says(says.raised(INCIDENT, THIS), INCIDENT)
    for each in (raised, await desk.intake.says(says.joined(THIS, INCIDENT))):
        await desk.hears(each)
    for key in (INCIDENT, THIS):
        assert (await desk.file(key)).term.reckoned == Reckoning(since=NOW, severity=major)


@pytest.mark.rule("INV-1")
async def test_what_was_found_before_a_complaint_came_back_is_not_the_last_word(desk: Desk) -> None:
    for recorded in await put(desk, [says.assigned(THIS)]):
        await desk.hears(recorded)
    await desk.hears(await desk.finds(THIS))
    for event in (says.withdrawn(THIS), says.reopened(THIS, NOW + DAY)):
        await desk.hears(await desk.intake.says(event))
    again = await desk.stands(THIS)
    assert isinstance(again, state.Investigating)
    assert again.file.round == 2
    assert again.file.term.due_at > NOW + DAY
    assert (await desk.finds(THIS)).event.round == 2


async def test_a_complaint_that_nobody_answers_for_is_not_investigated(desk: Desk) -> None:
    for recorded in await put(desk, [says.classified(THIS), says.escalated(THIS)]):
        await desk.hears(recorded)
    assert await desk.stands(THIS) == state.INITIAL


async def test_an_event_whose_complaint_is_unknown_is_heard_again_later(desk: Desk) -> None:
    recorded = await desk.intake.says(says.assigned(THIS))
    with pytest.raises(errors.NotFound):
        await desk.hears(recorded)
    joined = await desk.intake.says(says.recorded(OTHER))
    joined = await desk.intake.says(says.joined(OTHER, INCIDENT))
    with pytest.raises(errors.Unavailable):
        await desk.hears(joined)


async def test_amended_words_are_sealed_under_the_newest_data_subject(desk: Desk) -> None:
    await desk.intake.says(says.recorded(THIS))
    amended = ComplaintAmended(
        complaint_id=THIS,
        data_subject="customer:C-9",
        amended_at=NOW,
        author="li.wei",
        reason="another name",
        product=Product(serial_number="SN-9"),
        complainant=Complainant(name="王", phone="1", customer_id="C-9"),
    )
    await desk.intake.says(amended)
    complaint = await history.read(desk.resources.store, "main", THIS)
    assert complaint is not None
    assert (complaint.data_subject, complaint.customer_id) == ("customer:C-9", "C-9")
    assert complaint.product == Product(serial_number="SN-9")


async def test_a_closed_complaint_is_stopped_by_the_first_reason(desk: Desk) -> None:
    closed = ComplaintClosed(complaint_id=THIS, outcome=Outcome.WITHDRAWN, closed_at=NOW)
    await put(desk, [says.assigned(THIS), says.withdrawn(THIS), closed])
    complaint = await history.read(desk.resources.store, "main", THIS)
    assert complaint is not None
    assert complaint.stopped is StopCause.WITHDRAWN


def test_people_are_those_of_the_policy() -> None:
    """The names these tests use are the pack's, or they would prove nothing."""
    for who in (OFFICER, DEPUTY, HEAD, LEADER):
        assert isinstance(who, Answerable)
        assert POLICY.people[who.person].unit == who.unit
