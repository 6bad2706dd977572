"""A day off announced late, published over HTTP: what is open in any service is due later by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Step
from libs.events.contracts.investigate import InvestigationHandedOver
from libs.events.contracts.term import Breach, ClockStopped, DeadlinesRecomputed
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


@rule("SLA-2", "ASG-7")
async def test_a_day_off_announced_late_moves_what_is_open_when_it_comes_into_force(here: Town) -> None:
    complaint_id = await here.records()
    before = await due(here, complaint_id, "investigate")
    await publishes(here, TUESDAY, day_off=WEDNESDAY)
    assert await here.said(DeadlinesRecomputed) == []
    await here.waits(timedelta(days=1))
    (event,) = await here.said(DeadlinesRecomputed)
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
    (event,) = await here.said(DeadlinesRecomputed)
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
    (event,) = await here.said(DeadlinesRecomputed)
    breaches = {each.due.step: each.breach for each in event.moved}
    assert breaches[Step.INVESTIGATE] is Breach.LIFTED
