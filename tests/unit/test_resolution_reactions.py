"""What resolution does upon events: the same whatever is heard first, twice or late (a log in memory)."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from libs.events.contracts import clock, improve, investigate, notify, penalize, propose
from libs.events.contracts.handling import Answerable, Step
from libs.events.contracts.values import Language
from services.resolution import complete
from services.resolution import improve as improving
from services.resolution.clock import CASE, MEASURE
from tests import complaint_history
from tests.complaint_history import DAY, NOW
from tests.unit.resolution_office import COMPLAINT, Office
from tests.unit.resolution_situations import complete_it, plan_it
from tests.unit.resolution_world import finding

INCIDENT = UUID(int=50)


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
    await office.comes(NOW + 60 * DAY)  # after an outage
    happened = await office.case()
    said = [each for each in happened if isinstance(each, clock.DeadlineMissed)]
    assert {each.step for each in said} == {Step.PROPOSE, Step.PENALIZE, Step.IMPROVE}
    assert all(each.missed_at == each.due_at < each.noticed_at == office.now for each in said)
    assert len([each for each in happened if isinstance(each, clock.DeadlineWarned)]) == len(said) == 6


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


def overdue_contribution(complaint_id: UUID | None) -> investigate.ContributionOverdue:
    return investigate.ContributionOverdue(
        investigation_id=complaint_id or INCIDENT,
        complaint_id=complaint_id,
        unit="sales",
        owed_by=Answerable(unit="sales", person="sales-officer"),
        duty="order, part number, quantity",
        due_at=NOW + DAY,
        noticed_at=NOW + 2 * DAY,
        escalated_to=Answerable(unit="sales", person="sales-head"),
        ground=complaint_history.GROUND,
    )


def overdue_supplier(complaint_id: UUID | None) -> investigate.SupplierOverdue:
    return investigate.SupplierOverdue(
        investigation_id=complaint_id or INCIDENT,
        complaint_id=complaint_id,
        notice=1,
        supplier="Fine Lamps",
        due_at=NOW + DAY,
        noticed_at=NOW + 2 * DAY,
        escalated_to=complaint_history.HEAD,
        ground=complaint_history.GROUND,
    )


def late_judge(judge: Answerable) -> penalize.AppealOverdue:
    return penalize.AppealOverdue(
        complaint_id=COMPLAINT,
        sanction=1,
        owed_by=judge,
        due_at=NOW + DAY,
        noticed_at=NOW + 2 * DAY,
        escalated_to=complaint_history.HEAD,
        ground=complaint_history.GROUND,
    )


JUDGE = Answerable(unit="human-resources", person="human-resources-head")
LATE: dict[str, tuple[Any, set[str]]] = {
    "contribution": (overdue_contribution(COMPLAINT), {"sales-officer", "sales-head"}),
    "supplier": (overdue_supplier(COMPLAINT), {"quality-officer", "quality-head"}),
    "appeal": (late_judge(JUDGE), {"human-resources-head"}),
}


@pytest.mark.rule("INV-2", "INV-5", "PEN-1", "SLA-3")
@pytest.mark.parametrize("late", LATE)
async def test_whatever_is_late_is_put_to_who_owed_it_and_their_head(office: Office, late: str) -> None:
    event, expected = LATE[late]
    await office.writer.says(complaint_history.recorded(COMPLAINT))
    await office.writer.says(complaint_history.classified(COMPLAINT))
    await office.writer.says(complaint_history.assigned(COMPLAINT))
    on_record = await office.writer.says(event, category="investigation")
    await office.settle()
    await office.deliver(on_record, on_record)
    raised = [each for each in await office.case() if isinstance(each, penalize.ResponsibilityRaised)]
    assert {each.person for each in raised} == expected
    assert {each.charge for each in raised} == {penalize.Charge.HANDLING}
    assert {each.rests_on for each in raised} == {on_record.envelope.event_id}
    assert {each.acted_at for each in raised} == {NOW + DAY}, "when it was due, not when that was noticed"


@pytest.mark.rule("INV-2", "INV-5", "PEN-1")
async def test_what_is_late_in_an_incident_is_put_to_people_once_with_its_first_complaint(
    office: Office,
) -> None:
    first, second = COMPLAINT, UUID(int=12)
    for complaint_id in (first, second):
        await office.writer.says(complaint_history.recorded(complaint_id))
        await office.writer.says(complaint_history.joined(complaint_id, INCIDENT))
    raised = complaint_history.raised(INCIDENT, first, second)
    await office.writer.says(raised, INCIDENT)
    for late in (overdue_contribution(None), overdue_supplier(None)):
        await office.writer.says(late, INCIDENT, category="investigation")
    await office.settle()
    await office.deliver(*await office.all())
    put = [each for each in await office.case(first) if isinstance(each, penalize.ResponsibilityRaised)]
    expected = {"sales-officer", "sales-head", raised.leader.person}
    assert {each.person for each in put} == expected
    assert len(put) == len(expected)
    assert await office.case(second) == []


@pytest.mark.rule("PEN-5", "NTF-2")
@pytest.mark.parametrize(("language", "words"), [("zh-CN", "原因不在本公司"), ("en", "is not the cause")])
async def test_why_nobody_is_at_fault_is_said_in_the_customers_language(
    office: Office, language: str, words: str
) -> None:
    """They hear it when the complaint is closed: it stands for the measure that was not needed."""
    said = complaint_history.recorded(COMPLAINT)
    spoken = replace(said.complainant, language=Language(language))
    await office.writer.says(replace(said, complainant=spoken))
    await office.writer.says(complaint_history.classified(COMPLAINT))
    await office.writer.says(complaint_history.assigned(COMPLAINT))
    found = replace(finding(company_is_cause=False), complaint_id=COMPLAINT, investigation_id=COMPLAINT)
    await office.writer.says(found, category="investigation")
    await office.settle()
    happened = await office.case()
    reasons = [
        each.reason
        for each in happened
        if isinstance(each, penalize.NoFaultFound | improve.ImprovementNotNeeded)
    ]
    assert len(reasons) == 2
    assert all(words in reason for reason in reasons)
