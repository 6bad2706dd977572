"""What notifier does upon events: writes what they call for, sends it, follows the first reply (NTF)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.events import errors
from libs.events.contracts.notify import (
    NoticeDelivered,
    NoticeHandedOver,
    NoticeWritten,
    Recipient,
)
from libs.events.decider import derived_ids, standing, transact
from libs.events.envelope import Recorded
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.notifier import history, occasions, promise, reply
from services.notifier.clock import REPLIES
from services.notifier.delivery import Sender, channels
from services.notifier.writing import Writer


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""
    return sending(resources, Sender(resources, channels(resources)))


def sending(resources: Resources, sender: Sender) -> tuple[Reaction, ...]:
    """The same, over channels of any kind."""
    writer = Writer(resources)

    async def on_notice_written(heard: Recorded[NoticeWritten]) -> None:
        envelope = heard.envelope
        await sender.send(envelope.log, heard.event.notice_id, first=True, cause=envelope.event_id)

    async def on_complaint_changed(heard: Recorded[Any]) -> None:
        if _may_answer(heard.event):
            await follow(resources, heard, heard.event.complaint_id)

    return (
        Reaction("notifier-notices", occasions.HEARD, writer.tell),
        Reaction("notifier-delivery", (NoticeWritten,), on_notice_written),
        Reaction("notifier-first-replies", history.FOLLOWED, on_complaint_changed),
    )


async def follow(resources: Resources, heard: Recorded[Any], complaint_id: UUID) -> None:
    """Whatever is heard, and in whichever order: what is owed follows from the history as it now stands."""
    log = heard.envelope.log
    if isinstance((await standing(resources.store, log, REPLIES, complaint_id)).state, promise.Given):
        return  # nothing changes that any more
    complaint = await history.of(resources.store).now(log, complaint_id)
    if complaint is None:
        raise errors.NotFound("The complaint's record is not there.")
    now = resources.now()
    policy = await resources.policies.in_force(log, now)
    command = reply.FollowComplaint(
        debtor=complaint.debtor(policy),
        term=complaint.reply_term(policy),
        over=complaint.over,
        answer=complaint.answer,
        as_of=complaint.as_of,
        policy=policy,
        now=now,
    )
    ids = derived_ids(heard.envelope.event_id, f"first-reply/{complaint.as_of}")
    await transact(
        resources.store,
        log,
        REPLIES,
        complaint_id,
        reply.decide,
        command,
        context(heard, "notifier"),
        ids=ids,
    )


def _may_answer(event: Any) -> bool:
    """Of all notices only those to the customer that say something about the case."""
    if isinstance(event, NoticeDelivered | NoticeHandedOver):
        return (
            event.complaint_id is not None
            and event.recipient is Recipient.CUSTOMER
            and event.kind in reply.ANSWERS
        )
    return True
