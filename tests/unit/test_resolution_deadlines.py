"""Each responsibility, each approval and each round of proposals has a deadline of its own; none is lost."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events.contracts import penalize, propose
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.propose import Answer
from tests import complaint_history
from tests.complaint_history import DAY, NOW
from tests.unit.resolution_office import COMPLAINT, Office
from tests.unit.resolution_situations import (
    accept,
    approve_it,
    approve_production,
    approve_technology,
    approve_too,
    propose_front_line,
    propose_it,
    reject_it,
    spare_it,
    waive_head,
)
from tests.unit.resolution_world import missed

rule = pytest.mark.rule


@pytest.fixture
async def office(tmp_path: Path) -> Office:
    """A complaint whose cause is found, and that was late once."""
    office = Office(tmp_path)
    await office.upstream()
    await office.settle()
    return office


async def of(office: Office, kind: type, step: Step | None = None) -> list[Any]:
    found: list[Any] = [each for each in await office.case() if isinstance(each, kind)]
    return found if step is None else [each for each in found if each.step is step]


def about(raised: penalize.ResponsibilityRaised) -> str:
    return f"{raised.person}/{raised.charge}/{raised.rests_on}"


async def late_again(office: Office, now: datetime) -> None:
    """Another deadline is missed then: later than what was put to people before."""
    office.now = now
    late = replace(missed(Step.IMPROVE), complaint_id=COMPLAINT, due_at=now, missed_at=now, noticed_at=now)
    await office.writer.says(late, category="investigation")
    await office.settle()


@rule("PEN-1", "SLA-3", "SLA-4")
async def test_what_is_put_to_people_later_leaves_the_first_deadline_where_it_was(office: Office) -> None:
    await late_again(office, NOW + 25 * DAY)  # after which decisions are due at another time
    raised = await of(office, penalize.ResponsibilityRaised)
    assert len({each.due.due_at for each in raised}) == 2
    await office.comes(max(each.due.due_at for each in raised))
    said = await of(office, DeadlineMissed, Step.PENALIZE)
    assert {(each.about, each.missed_at, each.owed_by) for each in said} >= {
        (about(each), each.due.due_at, each.owed_by) for each in raised
    }
    assert [each.missed_at for each in said] == sorted(each.missed_at for each in said), "the oldest first"
    warned = await of(office, DeadlineWarned, Step.PENALIZE)
    assert {each.about for each in warned} >= {about(each) for each in raised}


@rule("PEN-1", "SLA-3")
async def test_whoever_was_decided_about_is_no_longer_waited_for_and_the_others_are(office: Office) -> None:
    await office.on_case(waive_head)
    raised = await of(office, penalize.ResponsibilityRaised)
    await office.comes(max(each.due.due_at for each in raised))
    late = {each.about for each in await of(office, DeadlineMissed, Step.PENALIZE)}
    assert late == {about(each) for each in raised if each.person != waive_head.person}


@rule("PRO-3", "SLA-3", "SLA-4")
async def test_each_approval_is_due_in_its_own_time_and_the_handler_is_not_late_for_it(
    office: Office,
) -> None:
    await office.on_case(propose_it)
    (proposed,) = await of(office, propose.SolutionProposed)
    for given in (approve_it, approve_technology, approve_production):
        await office.on_case(given)
    await office.comes(proposed.due.due_at)
    (late,) = await of(office, DeadlineMissed, Step.PROPOSE)
    assert (late.owed_by.person, late.due_at) == ("quality-head", proposed.due.due_at)
    await office.on_case(approve_too)
    await office.comes(NOW + 10 * DAY)
    assert await of(office, DeadlineMissed, Step.PROPOSE) == [late], "now the customer is waited for"


@rule("PRO-4", "SLA-3")
async def test_every_round_of_proposals_has_its_own_deadline(office: Office) -> None:
    await office.comes(NOW + 9 * DAY)
    first = await of(office, DeadlineMissed, Step.PROPOSE)
    await office.on_case(propose_it)
    again = replace(reject_it, due=replace(reject_it.due, due_at=NOW + 15 * DAY, warn_at=NOW + 13 * DAY))
    await office.on_case(again)
    await office.on_case(propose_front_line)
    due = replace(accept.due, due_at=NOW + 18 * DAY, warn_at=NOW + 17 * DAY)
    await office.on_case(replace(accept, proposal=2, answer=Answer.DECLINED, due=due))
    await office.comes(NOW + 30 * DAY)
    said = await of(office, DeadlineMissed, Step.PROPOSE)
    assert [(each.about, each.due_at) for each in said] == [
        (None, first[0].due_at),
        ("2", NOW + 18 * DAY),
    ]


@rule("PRO-4", "SLA-3", "SLA-9")
async def test_a_round_that_is_due_when_the_one_before_was_is_missed_all_the_same(office: Office) -> None:
    """The customer answered within the hour, so by working days the time is the same as it was."""
    (handling,) = [each for each in await office.case() if isinstance(each, propose.CaseOpened)]
    due = next(each for each in handling.due if each.step is Step.PROPOSE)
    await office.comes(due.warn_at)
    await office.on_case(propose_front_line)
    await office.on_case(replace(accept, answer=Answer.DECLINED, due=due))
    await office.comes(due.due_at)
    (late,) = await of(office, DeadlineMissed, Step.PROPOSE)
    assert (late.about, late.due_at) == ("1", due.due_at)


@rule("SLA-9")
async def test_no_clock_begins_to_run_for_who_takes_over_while_the_customer_is_waited_for(
    office: Office,
) -> None:
    await office.on_case(propose_front_line)
    await office.on_case(replace(spare_it, complaint_id=COMPLAINT))
    await office.writer.says(replace(complaint_history.assigned(COMPLAINT), due=accept_due()))
    await office.settle()
    await office.note()
    steps = {each.step for each in await office.deadlines.due("main", NOW + 300 * DAY)}
    assert {each.partition("/")[0] for each in steps} == {Step.PENALIZE}


def accept_due() -> tuple[Any, ...]:
    return (replace(accept.due, due_at=NOW + 3 * DAY),)
