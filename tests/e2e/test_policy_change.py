"""A day off announced late, published over HTTP: what is open in any service is due later by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Step
from libs.events.contracts.investigate import ContributionOverdue, InvestigationHandedOver
from libs.events.contracts.penalize import ResponsibilityRaised
from libs.events.contracts.propose import SolutionProposed
from libs.events.contracts.term import Breach, ClockStopped, DeadlinesRecomputed, MovedDue
from tests.e2e import town
from tests.e2e.town import Town
from tests.packs import text_with

TUESDAY, WEDNESDAY = date(2026, 1, 6), date(2026, 1, 7)
rule = pytest.mark.rule


@pytest.fixture
async def here() -> AsyncIterator[Town]:
    async with town.living() as found:
        yield found


async def publishes(here: Town, in_force: date, day_off: date) -> None:
    text = text_with(
        ("version: 1", "version: 2"),
        ("effective_from: 2026-01-01", f"effective_from: {in_force}"),
        ("single_days: []", f"single_days: [{{day: {day_off}, name: {{zh: 雪, en: snow}}}}]"),
    )
    await here.calls("oversight", "/v1/policies", {"text": text}, "general-manager")
    await here.calls("oversight", "/v1/policies/2/publication", None, "general-manager")


async def due(here: Town, complaint_id: UUID, step: str) -> datetime:
    outcome = await here.asks("resolution", f"/v1/complaints/{complaint_id}/outcome")
    (found,) = [each["missing"] for each in outcome["steps"] if each["step"] == step]
    return datetime.fromisoformat(found[0]["due_at"])


async def of_the_steps(here: Town) -> DeadlinesRecomputed:
    """What intake says: nothing in a step that has a deadline of its own."""
    (event,) = [e for e in await here.said(DeadlinesRecomputed) if not any(each.about for each in e.moved)]
    return event


async def moved(here: Town, about: str) -> MovedDue:
    """Where something in a step, which has a deadline of its own, has moved."""
    said = [each for event in await here.said(DeadlinesRecomputed) for each in event.moved]
    (found,) = [each for each in said if each.about == about]
    return found


@rule("SLA-2", "ASG-7")
async def test_a_day_off_announced_late_moves_what_is_open_when_it_comes_into_force(here: Town) -> None:
    complaint_id = await here.records()
    before = await due(here, complaint_id, "investigate")
    await publishes(here, TUESDAY, day_off=WEDNESDAY)
    assert await here.said(DeadlinesRecomputed) == []
    await here.waits(timedelta(days=1))
    event = await of_the_steps(here)
    assert (event.complaint_id, event.ground.policy) == (complaint_id, "standard@2")
    (handed,) = await here.said(InvestigationHandedOver)
    moved = next(each for each in event.moved if each.due.step is Step.INVESTIGATE)
    assert (moved.before_at, handed.due_at) == (before, moved.due.due_at)
    await here.waits(before - here.world.now + timedelta(hours=1))
    assert [each.step for each in await here.said(DeadlineMissed) if each.step is Step.INVESTIGATE] == []
    await here.waits(handed.due_at - here.world.now)
    assert [each.missed_at for each in await here.said(DeadlineMissed) if each.step is Step.INVESTIGATE] == [
        handed.due_at
    ]


@rule("SLA-2", "ASG-7")
async def test_the_case_follows_and_is_late_by_the_new_calendar_only(here: Town) -> None:
    complaint_id = await here.records()
    before = await due(here, complaint_id, "propose")
    await publishes(here, TUESDAY, day_off=WEDNESDAY)
    await here.waits(timedelta(days=1))
    after = await due(here, complaint_id, "propose")
    event = await of_the_steps(here)
    moved = next(each for each in event.moved if each.due.step is Step.PROPOSE)
    assert (moved.before_at, moved.due.due_at) == (before, after)
    await here.waits(after - here.world.now)
    late = [each.missed_at for each in await here.said(DeadlineMissed) if each.step is Step.PROPOSE]
    assert late == [after]


@rule("SLA-9")
async def test_what_is_owed_of_judging_is_due_when_the_clock_that_stopped_says(here: Town) -> None:
    complaint_id = await here.records(product={"order_number": "SO-1"})
    await here.waits(timedelta(minutes=30))
    (stopped,) = await here.said(ClockStopped)
    assert await due(here, complaint_id, "classify") == stopped.due[0].due_at


@rule("SLA-2")
async def test_what_was_missed_only_by_the_old_calendar_is_said_to_be_lifted(here: Town) -> None:
    await here.records()
    await here.waits(timedelta(days=8))  # five working days were allowed
    missed = [each for each in await here.said(DeadlineMissed) if each.step is Step.INVESTIGATE]
    assert len(missed) == 1
    await publishes(here, date(2026, 1, 13), day_off=WEDNESDAY)
    event = await of_the_steps(here)
    breaches = {each.due.step: each.breach for each in event.moved}
    assert breaches[Step.INVESTIGATE] is Breach.LIFTED


@rule("SLA-2", "INV-2")
async def test_what_units_owe_to_an_investigation_is_late_by_the_new_calendar_only(here: Town) -> None:
    await here.records()
    await publishes(here, TUESDAY, day_off=WEDNESDAY)
    await here.waits(timedelta(days=1))
    lies = await moved(here, "contribution/sales")
    assert lies.due.due_at - lies.before_at == timedelta(days=1)
    await here.waits(lies.before_at - here.world.now + timedelta(hours=1))
    assert await here.said(ContributionOverdue) == []
    await here.waits(lies.due.due_at - here.world.now)
    late = [each for each in await here.said(ContributionOverdue) if each.unit == "sales"]
    assert [each.due_at for each in late] == [lies.due.due_at]


@rule("SLA-2", "PRO-3")
async def test_an_approval_is_late_by_the_new_calendar_only(here: Town) -> None:
    complaint_id = await here.records()
    owner = (await here.said(ComplaintAssigned))[-1].answerable.person
    remedy = {
        "kind": "unit_replacement",
        "text": "three new tubes",
        "money": {"amount": "900", "currency": "CNY"},
    }
    body = {"remedies": [remedy], "cost_bearer": "company"}
    await here.calls("resolution", f"/v1/complaints/{complaint_id}/proposals", body, owner)
    (proposed,) = await here.said(SolutionProposed)
    await publishes(here, TUESDAY, day_off=TUESDAY)
    await here.waits(timedelta(days=1))
    office = proposed.approvals[0].office
    lies = await moved(here, f"1/{office}")
    assert proposed.due is not None
    assert (lies.before_at, lies.due.due_at - lies.before_at) == (proposed.due.due_at, timedelta(days=1))
    await here.waits(lies.due.due_at - here.world.now)
    late = [each.missed_at for each in await here.said(DeadlineMissed) if each.about == f"1/{office}"]
    assert late == [lies.due.due_at]


@rule("SLA-2", "PEN-1")
async def test_a_decision_that_is_due_with_its_step_moves_when_the_step_does(here: Town) -> None:
    """A late contribution is put to its unit, to be decided on by the time of step 7."""
    await here.records()
    await here.waits(timedelta(days=5))
    raised = await here.said(ResponsibilityRaised)
    assert raised
    await publishes(here, date(2026, 1, 12), day_off=date(2026, 1, 12))
    await here.waits(timedelta(days=3))
    step = next(e for e in (await of_the_steps(here)).moved if e.due.step is Step.PENALIZE)
    said = {each.about: each for e in await here.said(DeadlinesRecomputed) for each in e.moved}
    for each in raised:
        lies = said[f"{each.person}/{each.charge}/{each.rests_on}"]
        assert (lies.before_at, lies.due) == (step.before_at, step.due)


@rule("SLA-2", "SLA-3")
async def test_the_time_of_whoever_it_was_escalated_to_moves_and_is_late_by_the_new_calendar_only(
    here: Town,
) -> None:
    await here.records()
    await here.waits(timedelta(days=8))  # five working days were allowed
    (handed,) = await here.said(InvestigationHandedOver)
    assert (handed.level, handed.reckoned is None) == (1, False)
    await publishes(here, date(2026, 1, 14), day_off=date(2026, 1, 15))
    await here.waits(timedelta(days=1))
    lies = await moved(here, "investigate")
    assert (lies.before_at, lies.due.due_at - lies.before_at) == (handed.due_at, timedelta(days=1))
    await here.waits(lies.due.due_at - here.world.now)
    late = [each.missed_at for each in await here.said(DeadlineMissed) if each.step is Step.INVESTIGATE]
    assert late[1:] == [lies.due.due_at]
