"""A calendar that changes late moves open deadlines, and says which past breaches that changes (trap 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from libs.events.contracts.assign import ComplaintAssigned
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Step
from libs.events.contracts.term import Breach, DeadlinesRecomputed
from tests.unit import intake_office
from tests.unit.intake_office import DETAILS, Office, at

SNOW = ("single_days: []", "single_days: [{day: 2026-11-23, name: {zh: 雪灾放假, en: closed for snow}}]")
SATURDAY, TUESDAY = date(2026, 11, 21), date(2026, 11, 24)
ONE_ORDER: dict[str, Any] = {"product": {"order_number": "SO-1"}}
rule = pytest.mark.rule


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with intake_office.opened(tmp_path, at(20, 16)) as found:
        yield found


async def recorded(office: Office, **changes: Any) -> UUID:
    complaint_id = await office.records(received_at=office.now.isoformat(), **changes)
    await office.settles()
    return complaint_id


async def passes(office: Office, until: datetime) -> None:
    """Time goes by; whatever falls due in it is passed at its time."""
    while (due := office.kept.next_at("main")) is not None and due <= until:
        office.now = max(office.now, due)
        await office.settles()
    office.now = until


@rule("SLA-2")
async def test_open_deadlines_move_when_the_policy_comes_into_force_and_not_before(office: Office) -> None:
    complaint_id = await recorded(office, **ONE_ORDER)
    assert (await office.term(complaint_id)).due.due_at == at(23, 17, 30)
    await office.publishes(2, SATURDAY, SNOW)
    assert await office.said(DeadlinesRecomputed) == []
    await passes(office, at(21))
    (event,) = await office.said(DeadlinesRecomputed)
    (moved,) = event.moved
    assert (moved.due.step, moved.before_at, moved.due.due_at) == (
        Step.CLASSIFY,
        at(23, 17, 30),
        at(24, 17, 30),
    )
    assert (moved.breach, moved.running, event.ground.policy) == (None, True, "standard@2")
    await passes(office, at(24, 17, 29))
    assert await office.said(DeadlineMissed) == []
    await passes(office, at(24, 17, 30))
    assert [each.missed_at for each in await office.said(DeadlineMissed)] == [at(24, 17, 30)]


@rule("SLA-2")
async def test_a_past_breach_is_lifted_where_the_time_was_not_up(office: Office) -> None:
    await recorded(office, **ONE_ORDER)
    await passes(office, at(24, 10))
    assert [each.missed_at for each in await office.said(DeadlineMissed)] == [at(23, 17, 30)]
    await office.publishes(2, TUESDAY, SNOW)
    (event,) = await office.said(DeadlinesRecomputed)
    past = next(each for each in event.moved if not each.running)
    assert (past.before_at, past.due.due_at, past.breach) == (at(23, 17, 30), at(24, 17, 30), Breach.LIFTED)


@rule("SLA-2")
async def test_a_past_breach_stands_where_it_is_late_all_the_same(office: Office) -> None:
    await recorded(office, **ONE_ORDER)
    await passes(office, at(24, 18))
    await office.publishes(2, TUESDAY, SNOW)
    past = [each for each in (await office.said(DeadlinesRecomputed))[0].moved if not each.running]
    assert [each.breach for each in past] == [Breach.STANDS]


@rule("SLA-2", "SLA-3")
async def test_what_the_top_of_the_ladder_let_pass_is_late_once_though_its_deadline_moves(
    office: Office,
) -> None:
    """Nobody is above them, so theirs runs on: moved to a time that has passed too, it was said."""
    complaint_id = await recorded(office, **ONE_ORDER)
    await passes(office, at(29))
    before = await office.said(DeadlineMissed)
    late = await office.term(complaint_id)
    assert late.missed
    weekday = late.due.due_at.astimezone(intake_office.SHANGHAI).date()
    day_off = SNOW[1].replace("2026-11-23", str(weekday))
    await office.publishes(2, date(2026, 12, 5), (SNOW[0], day_off))
    await passes(office, at(30) + timedelta(days=7))
    moved = [each for event in await office.said(DeadlinesRecomputed) for each in event.moved]
    assert (late.due.due_at, True, Breach.STANDS) in [(m.before_at, m.running, m.breach) for m in moved]
    term = await office.term(complaint_id)
    assert (term.due.due_at > late.due.due_at, term.missed) == (True, True)
    assert await office.said(DeadlineMissed) == before


@rule("SLA-2")
async def test_a_breach_is_lifted_that_was_made_good_in_the_time_there_was(office: Office) -> None:
    complaint_id = await recorded(office, **ONE_ORDER)
    await passes(office, at(24, 9))
    await office.calls(complaint_id, "amendments", reason="they called", unavailable_details=DETAILS)
    await passes(office, at(25, 9))
    await office.publishes(2, date(2026, 11, 25), SNOW)
    (event,) = await office.said(DeadlinesRecomputed)
    breaches = {each.due.step: each.breach for each in event.moved if not each.running}
    assert breaches[Step.CLASSIFY] is Breach.LIFTED


@rule("SLA-2", "ASG-7")
async def test_the_deadlines_of_later_steps_move_too_and_stay_so_when_it_changes_hands(
    office: Office,
) -> None:
    complaint_id = await recorded(office)
    (assigned,) = await office.said(ComplaintAssigned)
    await office.publishes(2, SATURDAY, SNOW)
    await passes(office, at(21))
    (event,) = await office.said(DeadlinesRecomputed)
    assert [each.due.step for each in event.moved] == [due.step for due in assigned.due]
    assert all(each.due.due_at > each.before_at for each in event.moved)
    await office.calls(complaint_id, "assignment", unit="sales", person="sales-officer", reason="theirs")
    assert (await office.said(ComplaintAssigned))[-1].due == tuple(each.due for each in event.moved)


@rule("SLA-2")
async def test_the_new_sum_is_explained_with_the_day_that_was_announced(office: Office) -> None:
    complaint_id = await recorded(office, **ONE_ORDER)
    await office.publishes(2, SATURDAY, SNOW)
    await passes(office, at(22))
    (due,) = (await office.deadlines(complaint_id))["deadlines"]
    assert (due["policy"], datetime.fromisoformat(due["due_at"])) == ("standard@2", at(24, 17, 30))
    assert ["2026-11-23", "closed for snow", 0] in [[*day.values()] for day in due["days"]]


@rule("SLA-2")
async def test_each_move_is_said_once_whoever_looks_again(office: Office) -> None:
    complaints = [await recorded(office, **ONE_ORDER) for _ in range(3)]
    gone = await recorded(office, **ONE_ORDER)
    await office.calls(gone, "withdrawal", reason="they took it back")
    await office.publishes(2, SATURDAY, SNOW)
    await passes(office, at(21) + timedelta(hours=1))
    before = await office.said(DeadlinesRecomputed)
    assert sorted(each.complaint_id for each in before) == sorted(complaints)
    await office.hears_again()
    await office.settles()
    assert await office.said(DeadlinesRecomputed) == before


@rule("SLA-2")
async def test_after_an_outage_what_had_moved_in_between_is_not_missed(office: Office) -> None:
    """What fell due by the old calendar, behind the new policy's first moment, is judged by the new one."""
    await recorded(office, **ONE_ORDER)
    await office.publishes(2, SATURDAY, SNOW)
    office.now = at(24, 9)
    await office.settles()
    assert await office.said(DeadlineMissed) == []
    assert len(await office.said(DeadlinesRecomputed)) == 1


@rule("SLA-2")
async def test_a_policy_with_the_same_times_moves_nothing(office: Office) -> None:
    await recorded(office)
    await recorded(office, **ONE_ORDER)
    await office.publishes(2, SATURDAY, ("times_max: 1", "times_max: 2"))
    await passes(office, at(21) + timedelta(hours=1))
    assert await office.said(DeadlinesRecomputed) == []
