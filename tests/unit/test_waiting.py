"""While the customer owes details, the time to judge stands still, and nothing else moves it (SLA-9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeHandedOver, NoticeKind, Recipient
from libs.events.contracts.term import ClockResumed, ClockStopped
from services.intake import state
from tests.packs import STANDARD_TEXT
from tests.unit import intake_office
from tests.unit.intake_office import ANSWER, DETAILS, Office, at

WAITING = "".join(
    line for line in STANDARD_TEXT.splitlines(keepends=True) if "SLA-W1" in line or "  waiting:" in line
)
rule = pytest.mark.rule


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with intake_office.opened(tmp_path, at(20, 16)) as found:
        yield found


@rule("SLA-9", "REC-2")
async def test_the_clock_stops_when_the_customer_knows_what_is_wanted_and_not_before(office: Office) -> None:
    complaint_id = await office.wants_details()
    assert (await office.term(complaint_id)).due.due_at == at(23, 9)  # half an hour is left on Monday
    office.now = at(20, 16, 30)
    await office.asks(complaint_id)
    (stopped,) = await office.said(ClockStopped)
    assert (stopped.since, stopped.ground.clause) == (at(20, 16, 30), "SLA-W1")
    assert stopped.until == at(30, 17, 30) + timedelta(days=4)  # ten working days, and no longer
    term = await office.term(complaint_id)
    assert (term.due.step, term.due.due_at > stopped.until) == (Step.CLASSIFY, True)
    assert term.owed_by is not None


@rule("SLA-9")
async def test_a_wait_over_a_weekend_counts_once(office: Office) -> None:
    """Trap 4: one hour on Friday and one on Monday, whatever lies between."""
    complaint_id = await office.wants_details()
    office.now = at(20, 16, 30)
    await office.asks(complaint_id)
    office.now = at(23, 9, 30)
    await office.calls(complaint_id, "amendments", **ANSWER)
    (resumed,) = await office.said(ClockResumed)
    assert (resumed.since, resumed.answered_at) == (at(20, 16, 30), at(23, 9, 30))
    assert [due.due_at for due in resumed.due] == [at(23, 11)]  # an hour and a half was left
    assert (await office.complaint(complaint_id)).__class__ is state.Assigned


@rule("SLA-9", "GOV-1")
async def test_a_policy_that_says_nothing_of_waiting_waits_for_nobody(office: Office) -> None:
    """It may have been published before a policy could say so, and a published policy never changes."""
    await office.publishes(2, date(2026, 11, 20), (WAITING, ""))
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    assert await office.said(ClockStopped) == []
    assert (await office.term(complaint_id)).due.due_at == at(23, 9)


@rule("SLA-9")
async def test_a_customer_told_by_hand_is_waited_for_too(office: Office) -> None:
    complaint_id = await office.wants_details()
    told = NoticeHandedOver(
        notice_id=uuid4(),
        complaint_id=complaint_id,
        data_subject=f"complaint:{complaint_id}",
        kind=NoticeKind.DETAILS_WANTED,
        recipient=Recipient.CUSTOMER,
        how="by phone",
        author="li.wei",
        handed_over_at=office.now,
    )
    await office.hears(told, "notifier")
    await office.settles()
    assert len(await office.said(ClockStopped)) == 1


@rule("SLA-9")
async def test_a_comment_moves_nothing_while_the_customer_is_waited_for(office: Office) -> None:
    """Trap 1, and an answer to some of what was asked is no answer to all of it."""
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    before = (await office.term(complaint_id)).due
    office.now = at(24, 10)
    await office.calls(complaint_id, "amendments", reason="they called", supplement="And the box was torn.")
    await office.calls(complaint_id, "amendments", reason="they called", unavailable_details=DETAILS[:2])
    assert (await office.term(complaint_id)).due == before
    assert await office.said(ClockResumed) == []


SERVICE = {"kind": "service", "reference": "hotline"}
TUBE = {"kind": "product", "reference": "LED-T8-18W"}


@rule("SLA-9", "REC-2")
async def test_what_turns_out_to_be_missing_later_stops_the_clock_when_it_is_asked_for(
    office: Office,
) -> None:
    complaint_id = await office.wants_details(respondent=SERVICE)
    judged = {"kind": "service", "nature": "human_factors", "severity": "minor"}
    no = {"value": False, "reason": "nobody was rude"}
    await office.calls(complaint_id, "classification", "after-sales-officer", founded=no, **judged)
    await office.calls(complaint_id, "contest", new_facts="the lamp is what I meant")
    due = (await office.term(complaint_id)).due
    office.now = at(20, 16, 30)
    await office.calls(complaint_id, "amendments", reason="it is the lamp", respondent=TUBE)
    assert await office.said(ClockStopped) == []
    assert (await office.term(complaint_id)).due == due
    office.now = at(20, 17)
    await office.asks(complaint_id)
    (stopped,) = await office.said(ClockStopped)
    assert stopped.since == at(20, 17)
    office.now = at(23, 9, 30)
    await office.calls(complaint_id, "amendments", **ANSWER)
    assert [event.since for event in await office.said(ClockResumed)] == [at(20, 17)]


@rule("SLA-9", "REC-2")
async def test_who_is_asked_for_more_is_waited_for_from_then_on_and_no_time_counts_twice(
    office: Office,
) -> None:
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    office.now = at(23, 9)
    await office.asks(complaint_id)
    first, second = await office.said(ClockStopped)
    assert (second.since, second.until > first.until) == (at(23, 9), True)
    assert (await office.term(complaint_id)).due == second.due[0]
    assert [wait["answered"] for wait in (await office.deadlines(complaint_id))["waits"]] == [False, False]
    office.now = at(23, 9, 30)
    await office.calls(complaint_id, "amendments", **ANSWER)
    (resumed,) = await office.said(ClockResumed)
    assert (resumed.since, [due.due_at for due in resumed.due]) == (first.since, [at(23, 11, 30)])
    spent = (await office.deadlines(complaint_id))["spent"][0]
    assert (spent["working_seconds"], spent["paused_seconds"]) == (0, 2.5 * 3600)


@rule("SLA-9", "REC-2")
async def test_the_answer_to_all_that_was_asked_ends_the_wait_though_more_is_missing_by_now(
    office: Office,
) -> None:
    await office.publishes(2, date(2026, 11, 20), ("    - requirement\n", ""))
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    await office.publishes(3, date(2026, 11, 20))
    office.now = at(23, 9, 30)
    answer = {"reason": "they called", "unavailable_details": DETAILS[:-1]}
    assert (await office.calls(complaint_id, "amendments", **answer))["missing_details"] == ["requirement"]
    assert len(await office.said(ClockResumed)) == 1
    await office.asks(complaint_id)
    assert [each.since for each in await office.said(ClockStopped)] == [at(20, 16), at(23, 9, 30)]


@rule("SLA-9")
async def test_a_changed_severity_drops_no_earlier_wait(office: Office) -> None:
    """Trap 4: glpi#6902."""
    complaint_id = await office.wants_details(narrative="三支灯管闪烁")
    office.now = at(20, 16, 30)
    await office.asks(complaint_id)
    office.now = at(23, 9)
    judged = {"kind": "product_quality", "nature": "quality_anomaly"}
    await office.calls(complaint_id, "classification", "after-sales-officer", severity="major", **judged)
    (stopped,) = await office.said(ClockStopped)
    due = (await office.term(complaint_id)).due.due_at
    assert due == stopped.until + timedelta(
        days=2, hours=16, minutes=30
    )  # Friday's close, then 1½ h on Monday
    office.now = at(23, 9, 30)
    await office.calls(complaint_id, "amendments", **ANSWER)
    (resumed,) = await office.said(ClockResumed)
    assert [due.due_at for due in resumed.due] == [at(23, 11)]


@rule("SLA-9", "SLA-3")
async def test_what_is_never_answered_runs_on_at_last_and_is_escalated(office: Office) -> None:
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    (stopped,) = await office.said(ClockStopped)
    due = (await office.term(complaint_id)).due.due_at
    office.now = stopped.until
    await office.settles()
    assert await office.said(DeadlineMissed) == []
    office.now = due
    await office.settles()
    (missed,) = await office.said(DeadlineMissed)
    assert (missed.step, missed.missed_at) == (Step.CLASSIFY, due)
    assert (await office.term(complaint_id)).owed_by == missed.escalated_to
    office.now = due + timedelta(hours=1)
    await office.calls(complaint_id, "amendments", **ANSWER)
    assert (await office.said(ClockResumed))[0].due == ()  # what was missed has been missed
    assert (await office.complaint(complaint_id)).__class__ is state.Assigned


@rule("SLA-9")
async def test_no_clock_runs_once_it_is_judged_or_taken_back(office: Office) -> None:
    """Trap 6: whatever is heard, or answered, after that."""
    unfounded, gone = await office.wants_details(), await office.wants_details()
    await office.asks(unfounded)
    judged = {"kind": "product_quality", "nature": "quality_anomaly", "severity": "minor"}
    no = {"value": False, "reason": "it was dropped"}
    await office.calls(unfounded, "classification", "after-sales-officer", founded=no, **judged)
    await office.calls(unfounded, "amendments", **ANSWER)
    await office.calls(gone, "withdrawal", reason="they took it back")
    await office.asks(gone)
    assert [event.complaint_id for event in await office.said(ClockStopped)] == [unfounded]
    assert office.kept.next_at("main") is None
    office.now = at(30)
    for complaint_id in (unfounded, gone):
        answer = await office.deadlines(complaint_id)
        assert (answer["deadlines"], answer["spent"][0]["elapsed_seconds"]) == ([], 0)


@rule("SLA-9", "CLS-5")
async def test_the_clock_is_right_just_after_it_was_contested(office: Office) -> None:
    """Trap 6: zammad#188. The time of the next judge begins then, and a wait before it gives them none."""
    complaint_id = await office.wants_details()
    await office.asks(complaint_id)
    office.now = at(23, 9)
    judged = {"kind": "product_quality", "nature": "quality_anomaly", "severity": "major"}
    no = {"value": False, "reason": "it was dropped"}
    await office.calls(complaint_id, "amendments", **ANSWER)
    await office.calls(complaint_id, "classification", "after-sales-officer", founded=no, **judged)
    office.now = at(24, 9)
    await office.calls(complaint_id, "contest", new_facts="a photo")
    assert (await office.term(complaint_id)).due.due_at == at(24, 11)


@rule("SLA-9")
async def test_heard_twice_or_too_late_nothing_more_stands_still(office: Office) -> None:
    complaint_id, other = await office.wants_details(), await office.wants_details()
    await office.asks(complaint_id)
    await office.calls(other, "amendments", **ANSWER)
    await office.asks(other)  # the answer was faster
    office.now = at(23, 9)
    await office.calls(complaint_id, "amendments", **ANSWER)
    before = await office.counted()
    assert (before["ClockStopped"], before["ClockResumed"]) == (1, 1)
    await office.hears_again()
    assert await office.counted() == before


@rule("SLA-9", "ASG-7")
async def test_elapsed_and_working_time_are_both_told_and_explained_day_by_day(office: Office) -> None:
    complaint_id = await office.wants_details()
    office.now = at(20, 16, 30)
    await office.asks(complaint_id)
    office.now = at(23, 9, 30)
    waiting = await office.deadlines(complaint_id)
    (due,) = waiting["deadlines"]
    assert due["working_seconds"] == 2 * 3600
    assert due["elapsed_seconds"] > due["paused_seconds"] > 9 * 7.5 * 3600
    assert sum(day["counted_seconds"] for day in due["days"]) == due["working_seconds"]
    (wait,) = waiting["waits"]
    assert wait["answered"] is False
    await office.calls(complaint_id, "amendments", **ANSWER)
    answer = await office.deadlines(complaint_id)
    assert [each["step"] for each in answer["spent"]] == ["classify", "assign"]
    judging = answer["spent"][0]
    assert judging["elapsed_seconds"] == (2 * 24 + 17.5) * 3600
    assert (judging["working_seconds"], judging["paused_seconds"]) == (1800, 2 * 3600)
    assert answer["waits"][0]["answered"] is True
