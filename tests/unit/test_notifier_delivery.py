"""Nothing of a notice is lost, doubled or given up, whatever fails and in whichever order it is heard."""

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.events import erasure
from libs.events.contracts import notify, propose
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Step
from libs.events.contracts.notify import NoticeKind
from libs.events.contracts.personal import ERASED
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Detail,
    Respondent,
    RespondentKind,
)
from libs.service.wiring import Resources
from services.notifier import writing
from tests import complaint_history as says
from tests.complaint_history import DAY, NOW
from tests.unit.notifier_office import Office
from tests.unit.notifier_office import office as make
from tests.unit.notifier_says import (
    THIS,
    advanced,
    closed,
    found,
    missed,
    opened,
    overdue_escalation,
    proposed,
    warned,
)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CUSTOMER = "customer"


@pytest.fixture
def office(shared: Resources) -> Office:
    return make(shared)


@pytest.mark.rule("NTF-1", "SLA-3")
async def test_a_solution_that_reaches_nobody_is_missed_escalated_and_left_to_a_person(
    office: Office,
) -> None:
    await office.says(says.recorded(THIS))
    office.outbox.shut = office.jetstream.shut = {"13800000001"}
    await office.says(proposed(), category="resolution")
    await office.waits(2 * HOUR)
    (late,) = await office.said(DeadlineMissed)
    assert (late.step, late.missed_at) == (Step.NOTIFY, NOW + 30 * MINUTE)
    (task, *_) = await office.said(notify.NoticeTaskRaised)
    assert (task.kind, task.owed_by.person) == (NoticeKind.SOLUTION, "after-sales-officer")
    assert ("escalation", late.escalated_to.person) in await office.written()


@pytest.mark.rule("NTF-3")
async def test_of_two_recipients_only_the_one_that_failed_is_tried_again(office: Office) -> None:
    await office.says(says.recorded(THIS))
    office.outbox.shut = {"quality-head"}
    await office.says(says.assigned(THIS))
    await office.waits(MINUTE)
    tries = {each.to: 0 for each in office.outbox.sent}
    for notice in await office.said(notify.NoticeWritten):
        tries[notice.to] = max(tries.get(notice.to, 0), office.outbox.tries[notice.notice_id])
    assert tries == {"13800000001": 1, "quality-officer": 1, "quality-head": 2}


@pytest.mark.rule("NTF-3")
async def test_nothing_is_given_up_and_no_retry_waits_for_anybody_to_publish_it(office: Office) -> None:
    office.outbox.shut, office.jetstream.shut = {"*"}, {"*"}
    await office.says(says.recorded(THIS))
    await office.waits(15 * MINUTE)
    failures = await office.said(notify.NoticeFailed)
    assert [failure.channel for failure in failures] == 3 * ["outbox"] + 3 * ["jetstream"]
    (task,) = await office.said(notify.NoticeTaskRaised)
    assert task.owed_by.person == "after-sales-officer"
    assert await office.said(notify.NoticeDelivered) == []


@pytest.mark.rule("NTF-3", "ASG-4")
@pytest.mark.parametrize("address", ["13800000001", ""], ids=["every channel fails", "there is no address"])
async def test_what_nothing_delivers_is_not_left_to_the_person_complained_of(
    office: Office, address: str
) -> None:
    office.outbox.shut = office.jetstream.shut = {"13800000001"}
    person = Respondent(kind=RespondentKind.PERSON, reference="after-sales-officer")
    complainant = Complainant(name="王小明", phone=address or None)
    await office.says(says.recorded(THIS, respondent=person, complainant=complainant))
    await office.waits(15 * MINUTE)
    (task,) = await office.said(notify.NoticeTaskRaised)
    assert task.owed_by.person == "after-sales-head"


@pytest.mark.rule("NTF-3")
async def test_a_notice_that_the_bus_lost_is_sent_by_the_clock(office: Office) -> None:
    office.hear = tuple(each for each in office.hear if each.name != "notifier-delivery")
    await office.says(says.recorded(THIS))
    assert office.outbox.sent == []
    await office.waits(2 * MINUTE)
    assert len(office.outbox.sent) == 1


@pytest.mark.rule("SEC-2", "NTF-3")
async def test_who_was_erased_is_left_to_a_person_before_and_after_writing(office: Office) -> None:
    office.outbox.shut = {"*"}
    await office.says(says.recorded(THIS))
    await erasure.erase(office.resources.log, "main", f"customer:C-{THIS}", "a", "asked", NOW)
    office.resources.keys.forget("main", f"customer:C-{THIS}")
    await office.waits(10 * MINUTE)
    (failure, *rest) = reversed(await office.said(notify.NoticeFailed))
    assert (failure.reason, failure.retry_at) == ("the recipient's personal data was erased", None)
    assert len(rest) == 1
    await office.says(says.assigned(THIS))
    assert (await office.said(notify.NoticeWritten))[1].to == ERASED
    tasks = [task.kind for task in await office.said(notify.NoticeTaskRaised)]
    assert tasks.count(NoticeKind.PROGRESS) == 1


@pytest.mark.rule("SLA-1")
async def test_only_what_says_something_is_a_first_reply(office: Office) -> None:
    await office.says(says.recorded(THIS))
    await office.waits(DAY + HOUR)
    assert [event.missed_at for event in await office.said(DeadlineMissed)] == [NOW + DAY]
    kinds = [kind for kind, to in await office.written() if to == CUSTOMER]
    assert kinds == ["acknowledgement", "delay"]
    assert await office.said(notify.FirstReplyGiven) == []
    await office.says(says.assigned(THIS))
    assert len(await office.said(notify.FirstReplyGiven)) == 1


@pytest.mark.rule("SLA-1")
async def test_a_withdrawn_complaint_is_owed_no_first_reply(office: Office) -> None:
    await office.says(says.recorded(THIS))
    await office.says(says.withdrawn(THIS))
    await office.waits(3 * DAY)
    assert await office.said(DeadlineMissed) == []


def test_a_customer_is_reached_the_way_they_asked_for_and_over_their_channel_first() -> None:
    somebody = Complainant(name="A", phone="1", email="a@b", address="here")
    assert writing.address(somebody) == "a@b"
    by_letter = Complainant(name="A", phone="1", address="here", preferred_channel=Channel.LETTER)
    assert writing.address(by_letter) == "here"
    no_phone = Complainant(name="A", address="here", preferred_channel=Channel.PHONE)
    assert writing.address(no_phone) == "here"
    channels = ("outbox", "email", "letter")
    assert writing.in_turn(channels, by_letter) == ("letter", "outbox", "email")


STORY: list[tuple[Any, UUID | None, str]] = [
    (says.recorded(THIS, missing_details=(Detail.QUANTITY,)), None, "intake"),
    (says.assigned(THIS), None, "intake"),
    (opened(), None, "investigation"),
    (warned(Step.INVESTIGATE), None, "investigation"),
    (missed(Step.INVESTIGATE), None, "investigation"),
    (overdue_escalation(), None, "intake"),
    (found(), None, "investigation"),
    (proposed(), None, "resolution"),
    (advanced(propose.Stage.DONE), None, "resolution"),
    (closed(), None, "resolution"),
]


async def told_after(shared: Resources, seed: int | None) -> tuple[Any, ...]:
    """Everything is on record, then heard in log order, or shuffled and doubled by a seed."""
    office = make(shared)
    on_record = [await office.pen.says(*said) for said in STORY]
    if seed is None:
        await office.settle()
    else:
        heard = [*on_record, *on_record]
        random.Random(seed).shuffle(heard)
        for recorded in heard:
            await office.hears(recorded)
        office.noted = len(STORY)
        await office.settle()
    written = sorted((n.kind, n.to, n.text) for n in await office.said(notify.NoticeWritten))
    delivered = sorted(each.kind for each in await office.said(notify.NoticeDelivered))
    sent = sorted(notice.kind for notice in office.outbox.sent)
    replies = [each.by for each in await office.said(notify.FirstReplyGiven)]
    return written, delivered, sent, replies


@pytest.mark.rule("NTF-6")
async def test_a_history_heard_in_any_order_and_twice_is_told_once_and_in_the_same_words(
    shared: Resources,
) -> None:
    in_order = await told_after(shared, None)
    assert in_order[1] == in_order[2] == [kind for kind, _, _ in in_order[0]]
    for seed in range(20):
        assert await told_after(shared, seed) == in_order


async def test_two_replicas_that_hear_the_same_write_it_once(shared: Resources) -> None:
    office = make(shared)
    recorded = await office.pen.says(says.recorded(THIS))
    await asyncio.gather(*(office.hears(recorded) for _ in range(5)))
    assert await office.written() == [("acknowledgement", CUSTOMER)]
