"""What falls due here: the next attempt of a notice, its arrival, a customer's first reply (SLA-1, SLA-3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from libs.events.contracts import notify as events
from libs.events.contracts.clock import DeadlineMissed, DeadlineWarned
from libs.events.contracts.policy import PolicyPublished
from libs.events.contracts.term import DeadlinesRecomputed
from libs.events.decider import Stream, transact
from libs.events.store import Context
from libs.policy.pack import Pack
from libs.service.clock import Clock
from libs.service.deadlines import (
    RECOMPUTE,
    Change,
    Deadline,
    Deadlines,
    Ended,
    Missed,
    SqlDeadlines,
    Started,
    Warned,
    all_open,
    coming,
    follow,
)
from libs.service.wiring import Resources
from services.notifier import history, overdue, promise, recompute, reply, writing
from services.notifier.delivery import NOTICES, Sender, channels
from services.notifier.term import Debtor

REPLIES: Final[Stream[promise.Promise]] = Stream("notifier", promise.INITIAL, promise.evolve)
SEND, ARRIVAL, FIRST_REPLY = "send", "arrival", "first-reply"
# The first attempt follows the writing at once; should nobody have made it by then, the clock does.
FORGOTTEN_AFTER: Final = timedelta(minutes=1)


def changes(event: Any) -> Iterator[Change]:
    """What an event of a notice, or of a first reply, does to its deadlines; when a policy is in force."""
    match event:
        case PolicyPublished():
            yield from coming(event)
        case DeadlinesRecomputed(moved=moved):
            for each in moved:
                yield from follow(each, ARRIVAL)
        case events.NoticeWritten():
            yield Started(SEND, event.written_at + FORGOTTEN_AFTER)
            if event.due_at is not None:
                yield Started(ARRIVAL, event.due_at, event.warn_at)
        case events.NoticeFailed(retry_at=None) | events.NoticeTaskRaised():
            yield Ended(SEND)
        case events.NoticeFailed(retry_at=datetime() as at):
            yield Ended(SEND)  # the next channel is tried at once, which may be at the very time of the last
            yield Started(f"{SEND}/{event.next_channel or event.channel}", at)
        case events.NoticeResent(resent_at=at):
            yield Started(SEND, at)
        case events.NoticeDelivered() | events.NoticeHandedOver():
            yield Ended(SEND)
            yield Ended(ARRIVAL)
        case events.FirstReplyOwed():
            yield Started(FIRST_REPLY, event.due_at, event.warn_at)
        case events.FirstReplyGiven() | events.FirstReplyReleased():
            yield Ended(FIRST_REPLY)
        case DeadlineWarned():  # a stream has one of the two
            yield Warned(ARRIVAL)
            yield Warned(FIRST_REPLY)
        case DeadlineMissed():
            yield Missed(ARRIVAL)
            yield Missed(FIRST_REPLY)


def of(resources: Resources) -> tuple[Clock, ...]:
    """The clocks of this service."""
    return (clock(resources, deadlines(resources), Sender(resources, channels(resources))),)


def deadlines(resources: Resources) -> SqlDeadlines:
    """What falls due, in the service's table."""
    return SqlDeadlines("notifier", NOTICES.category, changes, resources.engine)


def clock(resources: Resources, kept: Deadlines, sender: Sender) -> Clock:
    """The clock over deadlines kept anywhere."""

    async def pass_deadline(deadline: Deadline) -> None:
        if deadline.step == RECOMPUTE:
            await _recompute(resources, deadline.log, deadline.key)
        elif deadline.step.partition("/")[0] == SEND:
            await sender.send(deadline.log, deadline.key)
        else:
            await pass_term(resources, deadline)

    async def recomputed(log: str) -> AsyncIterator[Sequence[Deadline]]:
        async for page in all_open(kept, log, resources.now()):
            yield page

    return Clock("notifier", kept, pass_deadline, recomputed)


async def _recompute(resources: Resources, log: str, key: UUID) -> None:
    """Where a notice is due by the policy in force: counted from what it tells of, as that stood then."""
    store, now = resources.store, resources.now()
    written = (await store.read_stream(log, NOTICES.name(key)))[0].event
    if not isinstance(written, events.NoticeWritten) or written.due_at is None:
        return
    assert written.complaint_id is not None, "only what is said about a complaint is due"
    told = await history.at_event(store, log, written.complaint_id, written.cause)
    policy = await resources.policies.in_force(log, now)
    if told is not None and (due := writing.term(*told, written.kind, policy)) is not None:
        command = recompute.RecomputeArrival(due=due, ground=policy.ground(), now=now)
        context = Context(actor="notifier", complaint_id=written.complaint_id)
        await transact(store, log, NOTICES, key, recompute.decide, command, context)


async def pass_term(resources: Resources, deadline: Deadline) -> None:
    """A notice should have arrived, or a first reply been given: the complaint's own people owe it."""
    now, log, key = resources.now(), deadline.log, deadline.key
    policy = await resources.policies.in_force(log, now)
    complaint_id = key if deadline.step == FIRST_REPLY else await _complaint_of(resources, log, key)
    debtor = await _debtor(resources, log, complaint_id, policy)
    context = Context(actor="notifier", complaint_id=complaint_id)
    if deadline.step == FIRST_REPLY:
        late = reply.PassReply(debtor=debtor, policy=policy, now=now)
        await transact(resources.store, log, REPLIES, key, reply.decide, late, context)
    else:
        arrival = overdue.PassArrival(debtor=debtor, policy=policy, now=now)
        await transact(resources.store, log, NOTICES, key, overdue.decide, arrival, context)


async def _complaint_of(resources: Resources, log: str, notice_id: UUID) -> UUID:
    first, *_ = await resources.store.log.read_stream(log, NOTICES.name(notice_id))
    assert first.complaint_id is not None, "only what is said about a complaint is due"
    return first.complaint_id


async def _debtor(resources: Resources, log: str, complaint_id: UUID, policy: Pack) -> Debtor:
    complaint = await history.of(resources.store).now(log, complaint_id)
    assert complaint is not None, "what is due is due to somebody who complained"
    return complaint.debtor(policy)
