"""What intake does upon events: links duplicates, classifies, assigns, groups, escalates what is late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final
from uuid import UUID

from libs.events.contracts.classify import ClassificationContested, ComplaintClassified
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.intake import (
    ComplaintAmended,
    ComplaintRecorded,
    ComplaintSeparated,
    EnquiryBecameComplaint,
)
from libs.events.contracts.notify import NoticeDelivered, NoticeHandedOver, NoticeKind
from libs.events.decider import derived_ids, transact
from libs.events.envelope import Recorded
from libs.service.reaction import Reaction, context
from libs.service.wiring import Resources
from services.intake import (
    assign,
    classify,
    escalate,
    grouping,
    neighbours,
    plan,
    state,
    suspect,
    wait,
)
from services.intake.desk import STREAM, Desk

# After these a rule may judge anew.
CHANGED: Final = (
    ComplaintRecorded,
    ComplaintAmended,
    EnquiryBecameComplaint,
    ComplaintSeparated,
    ClassificationContested,
)


def of(resources: Resources) -> tuple[Reaction, ...]:
    """The reactions of this service."""
    return following(Desk(resources))


def following(desk: Desk) -> tuple[Reaction, ...]:
    """The same, at a desk that knows other complaints from anywhere."""
    grouper = grouping.Grouper(desk)
    handler = Handler(desk, grouper)
    return (
        Reaction("intake-duplicates", (ComplaintRecorded,), partial(link_duplicates, desk)),
        Reaction("intake-handling", (*CHANGED, ComplaintClassified, DeadlineMissed), handler.on_event),
        Reaction("intake-waiting", (NoticeDelivered, NoticeHandedOver), handler.on_customer_told),
        Reaction("intake-incidents", grouping.HEARD, grouper.on_event),
    )


async def link_duplicates(desk: Desk, recorded: Recorded[Any]) -> None:
    """Link the customer's earlier open complaints that are alike; Unavailable until it knows them (REC-9)."""
    event, envelope, customer_id = recorded.event, recorded.envelope, recorded.event.complainant.customer_id
    policy = await desk.resources.policies.in_force(envelope.log, envelope.at)
    alike = neighbours.likeness(event.respondent, event.product, policy.duplicates.match_any)
    if customer_id is None or not alike:
        return
    await neighbours.have_come_to(desk.neighbours, recorded)
    since = event.recorded_at - policy.duplicates.window
    found = await desk.neighbours.suspicions(envelope.log, customer_id, alike, since, envelope.seq)
    for suspicion in found:
        # As of its recording: whoever handles the event, and however often, makes the same event of it.
        await transact(
            desk.resources.store,
            envelope.log,
            STREAM,
            event.complaint_id,
            suspect.decide,
            suspect.SuspectDuplicate(complaint_id=event.complaint_id, suspicion=suspicion, now=envelope.at),
            context(recorded, actor="intake"),
            ids=derived_ids(envelope.event_id, f"suspect/{suspicion.duplicate_of}"),
        )


class Handler:
    """Steps 2 and 3 by policy. Whatever is heard, what is done follows from the record as it now stands."""

    def __init__(self, desk: Desk, grouper: grouping.Grouper) -> None:
        self._desk = desk
        self._grouper = grouper

    async def on_event(self, heard: Recorded[Any]) -> None:
        """Classify what changed; assign what is founded; escalate what is late."""
        if isinstance(heard.event, DeadlineMissed):
            await self.on_deadline_missed(heard)
            return
        if isinstance(heard.event, ComplaintAmended):
            resume = partial(plan.resumed_clock, heard.event.amended_at)
            await self._carry_out(heard, "resume", plan.planned(resume, wait.decide))
        if not isinstance(heard.event, ComplaintClassified):
            await self._carry_out(heard, "classify", plan.planned(plan.judged_by_policy, classify.decide))
        if isinstance(heard.event, ComplaintClassified | ComplaintSeparated):
            await self._grouper.join_open(heard)  # first, so that it is assigned as what it is
            await self._carry_out(heard, "assign", plan.planned(plan.assigned_by_policy, assign.decide))

    async def on_customer_told(self, heard: Recorded[NoticeDelivered | NoticeHandedOver]) -> None:
        """Once the customer knows what is wanted of them, they are waited for (SLA-9)."""
        event = heard.event
        if event.kind is not NoticeKind.DETAILS_WANTED or event.complaint_id is None:
            return
        told_at = event.delivered_at if isinstance(event, NoticeDelivered) else event.handed_over_at
        stop = partial(plan.stopped_clock, event.notice_id, told_at)
        await self._carry_out(heard, "wait", plan.planned(stop, wait.decide))

    async def on_deadline_missed(self, heard: Recorded[DeadlineMissed]) -> None:
        """Whichever service it was missed in, and whether anybody was assigned or not (SLA-3)."""
        moment = await self._desk.moment(heard.envelope.log, heard.event.complaint_id)
        planned = partial(plan.escalated_overdue, heard.event)
        await self._carry_out(heard, "escalate", plan.planned(planned, escalate.decide), moment)

    async def _carry_out(
        self,
        heard: Recorded[Any],
        step: str,
        decide: Callable[[plan.Moment, state.Complaint], list[Any]],
        moment: plan.Moment | None = None,
    ) -> None:
        deciding = Deciding(heard, step, decide)
        await transact(
            self._desk.resources.store,
            heard.envelope.log,
            STREAM,
            heard.event.complaint_id,
            deciding.decide,
            moment or await self._desk.moment(heard.envelope.log),
            context(heard, actor="intake"),
            ids=deciding.ids,
        )


class Deciding:
    """One decision upon one event. Its ids come of the event and of how far the complaint was when it fell:
    the same again is known as such, and what has to be decided later is something else.
    """

    def __init__(
        self,
        heard: Recorded[Any],
        step: str,
        decide: Callable[[plan.Moment, state.Complaint], list[Any]],
    ) -> None:
        self._heard = heard
        self._step = step
        self._decide = decide
        self._entries = 0

    def decide(self, moment: plan.Moment, complaint: state.Complaint) -> list[Any]:
        """As the step decides."""
        if not isinstance(complaint, state.NotRecorded):
            self._entries = complaint.record.handling.entries
        return self._decide(moment, complaint)

    def ids(self) -> Iterator[UUID]:
        """Of what was decided last."""
        return derived_ids(self._heard.envelope.event_id, f"{self._step}/{self._entries}")()
