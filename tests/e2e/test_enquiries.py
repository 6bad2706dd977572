"""An enquiry is nobody's case, yet somebody owes its answer, and leadership hears when that is late."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from libs.events.contracts.assign import ComplaintEscalated
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind, NoticeWritten
from tests.e2e import town
from tests.e2e.town import Town

rule = pytest.mark.rule


@pytest.fixture
async def here() -> AsyncIterator[Town]:
    async with town.living() as found:
        yield found


async def owed(here: Town, complaint_id: object) -> list[tuple[str, str, str | None]]:
    outcome = await here.asks("resolution", f"/v1/complaints/{complaint_id}/outcome")
    missing = [each for step in outcome["steps"] for each in step["missing"]]
    return [(each["what"], each["owed_by"]["person"], each["due_at"]) for each in missing]


@rule("REC-4", "SLA-1", "SLA-3")
async def test_an_unanswered_enquiry_is_warned_of_missed_and_escalated_at_its_time(here: Town) -> None:
    """Trap 3: nobody was assigned."""
    recorded_at = here.world.now
    enquiry = await here.records(contact="enquiry", product=None, narrative="Is it open on Sundays?")
    ((what, person, due_at),) = await owed(here, enquiry)
    assert (what, person) == ("reply", "after-sales-officer")
    assert due_at is not None
    await here.waits(timedelta(hours=25))
    (warned,) = await here.said(DeadlineWarned)
    (missed,) = await here.said(DeadlineMissed)
    assert (warned.step, missed.step, missed.missed_at) == (
        Step.NOTIFY,
        Step.NOTIFY,
        recorded_at + timedelta(hours=24),
    )
    (escalated,) = await here.said(ComplaintEscalated)
    assert (escalated.complaint_id, escalated.step, escalated.to) == (
        enquiry,
        Step.NOTIFY,
        missed.escalated_to,
    )
    told = [each.person for each in await here.said(NoticeWritten) if each.kind is NoticeKind.ESCALATION]
    assert missed.escalated_to.person in told
    assert missed.escalated_to.person != person
    late = ("reply", missed.escalated_to.person, due_at)
    assert late in await owed(here, enquiry)  # being late does not answer it


@rule("REC-4", "SLA-1")
async def test_an_answered_enquiry_owes_nothing_more(here: Town) -> None:
    enquiry = await here.records(contact="enquiry", product=None, narrative="Is it open on Sundays?")
    await here.calls("notifier", f"/v1/complaints/{enquiry}/replies", {"text": "It is."})
    assert await owed(here, enquiry) == []
    await here.waits(timedelta(days=30))
    assert await here.said(DeadlineMissed) == []


@rule("REC-4", "SLA-3")
async def test_an_enquiry_that_turns_out_to_be_a_complaint_has_the_clocks_of_one(here: Town) -> None:
    enquiry = await here.records(contact="enquiry", narrative="灯管起火了，怎么办？")
    await here.waits(timedelta(hours=2))
    await here.calls("intake", f"/v1/complaints/{enquiry}/conversion", {"reason": "it burnt"})
    assert {what for what, _, _ in await owed(here, enquiry)} >= {"finding", "proposal"}
    assert all(due_at for what, _, due_at in await owed(here, enquiry) if what == "finding")
