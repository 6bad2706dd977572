"""What a complaint's whole history says that its notices need: whom to tell, and what there is to tell.

Nothing of it is kept in our own streams (docs/decisions/0007): a notice's words come of the history up to the
event it tells of, its address of the moment it is written, and the notice keeps both from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events import history
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import ComplaintClassified
from libs.events.contracts.clock import DeadlineMissed
from libs.events.contracts.handling import Answerable, Severity
from libs.events.contracts.improve import ComplaintJoinedImprovement, ImprovementNotNeeded
from libs.events.contracts.intake import (
    ComplaintAmended,
    ComplaintMerged,
    ComplaintRecorded,
    ComplaintSeparated,
    ComplaintWithdrawn,
    EnquiryBecameComplaint,
)
from libs.events.contracts.investigate import FindingRecorded
from libs.events.contracts.notify import NoticeDelivered, NoticeHandedOver, Recipient
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened, SolutionProposed
from libs.events.contracts.values import Complainant, Detail, Respondent
from libs.events.envelope import Recorded
from libs.events.history import History
from libs.events.store import EventStore
from libs.policy import people
from libs.policy.pack import Pack
from services.notifier.reply import ANSWERS, Answer
from services.notifier.term import Debtor, Term

# What decides whether, by when and since when the customer has a first reply.
FOLLOWED: Final = (
    ComplaintRecorded,
    EnquiryBecameComplaint,
    ComplaintWithdrawn,
    ComplaintMerged,
    ComplaintSeparated,
    ComplaintClosed,
    ComplaintReopened,
    NoticeDelivered,
    NoticeHandedOver,
)

# What else `follow` takes something from.
FOLDED: Final = (
    *FOLLOWED,
    ComplaintAmended,
    ComplaintClassified,
    ComplaintAssigned,
    ComplaintEscalated,
    FindingRecorded,
    SolutionProposed,
    ComplaintJoinedImprovement,
    ImprovementNotNeeded,
    DeadlineMissed,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint as its history tells it; `as_of` is the seq of the newest event that `FOLLOWED` names."""

    complaint_id: UUID
    number: str
    data_subject: str
    complainant: Complainant
    respondent: Respondent
    recorded_at: datetime
    reply_due_at: datetime
    missing: tuple[Detail, ...] = ()
    newly_missing: tuple[Detail, ...] = ()  # since the newest amendment
    severity: Severity = Severity.MINOR  # until it is judged
    answerable: Answerable | None = None
    level: int = 0
    finding: FindingRecorded | None = None
    solutions: tuple[SolutionProposed, ...] = ()
    improvement_ids: tuple[UUID, ...] = ()
    no_improvement: str | None = None
    missed: DeadlineMissed | None = None  # the newest
    over: bool = False
    answer: Answer | None = None
    as_of: int = 0

    def debtor(self, policy: Pack) -> Debtor:
        """Who answers for it towards the customer."""
        return Debtor(
            complaint_id=self.complaint_id,
            answerable=self.answerable,
            level=self.level,
            about=self.about(policy),
        )

    def about(self, policy: Pack) -> str | None:
        """The person complained of (ASG-4)."""
        return people.complained_of(policy, self.respondent)

    def reply_term(self, policy: Pack) -> Term:
        """By when the customer must have an answer, and when that is warned of (SLA-1, SLA-4)."""
        share = float(policy.deadlines.warning_share)
        warn_at = self.recorded_at + (self.reply_due_at - self.recorded_at) * share
        return Term(due_at=self.reply_due_at, warn_at=warn_at)


def follow(complaint: Complaint | None, recorded: Recorded[Any]) -> Complaint | None:
    """The complaint after one more event of any service, in log order; None before it is recorded."""
    if isinstance(recorded.event, ComplaintRecorded):
        complaint = _recorded(recorded.event)
    elif complaint is not None:
        complaint = _after(complaint, recorded.event)
    if complaint is not None and isinstance(recorded.event, FOLLOWED):
        complaint = replace(complaint, as_of=recorded.envelope.seq)
    return complaint


def of(store: EventStore) -> History[Complaint]:
    """Complaints as this service sees them.

    Only what it folds is opened: what was said before, and others' evidence, are most of a history.
    """
    return history.of(store, follow, FOLDED)


async def at_event(
    store: EventStore, log: str, complaint_id: UUID, event_id: UUID
) -> tuple[Recorded[Any], Complaint] | None:
    """An event of a complaint, and the complaint as it stood at that; None where there is no such event."""
    complaint: Complaint | None = None
    async for page in history.pages(store, log, complaint_id):
        for recorded in await store.decode(log, page):
            complaint = follow(complaint, recorded)
            if recorded.envelope.event_id == event_id:
                return (recorded, complaint) if complaint else None
    return None


def _recorded(event: ComplaintRecorded) -> Complaint:
    return Complaint(
        complaint_id=event.complaint_id,
        number=event.number,
        data_subject=event.data_subject,
        complainant=event.complainant,
        respondent=event.respondent,
        recorded_at=event.recorded_at,
        reply_due_at=event.first_reply_due_at,
        missing=event.missing_details,
    )


def _after(complaint: Complaint, event: object) -> Complaint:
    match event:
        case ComplaintAmended():
            return replace(
                complaint,
                data_subject=event.data_subject,
                complainant=event.complainant or complaint.complainant,
                respondent=event.respondent or complaint.respondent,
                missing=event.missing_details,
                newly_missing=tuple(each for each in event.missing_details if each not in complaint.missing),
            )
        case EnquiryBecameComplaint(first_reply_due_at=due_at, missing_details=missing):
            return replace(complaint, reply_due_at=due_at, missing=missing)
        case ComplaintClassified(severity=severity):
            return replace(complaint, severity=severity)
        case ComplaintAssigned(answerable=answerable, severity=severity):
            return replace(complaint, answerable=answerable, severity=severity, level=0)
        case ComplaintEscalated(to=to, level=level):
            return replace(complaint, answerable=to, level=level)
        case ComplaintWithdrawn() | ComplaintMerged() | ComplaintClosed():
            return replace(complaint, over=True)
        case ComplaintSeparated() | ComplaintReopened():
            return replace(complaint, over=False)
        case NoticeDelivered() | NoticeHandedOver():
            return _told(complaint, event)
        case _:
            return _worked_on(complaint, event)


def _worked_on(complaint: Complaint, event: object) -> Complaint:
    match event:
        case FindingRecorded():
            return replace(complaint, finding=event)
        case SolutionProposed():
            return replace(complaint, solutions=(*complaint.solutions, event))
        case ComplaintJoinedImprovement(improvement_id=improvement_id):
            return replace(complaint, improvement_ids=(*complaint.improvement_ids, improvement_id))
        case ImprovementNotNeeded(reason=reason):
            return replace(complaint, no_improvement=reason)
        case DeadlineMissed():
            return replace(complaint, missed=event)
        case _:
            return complaint


def _told(complaint: Complaint, event: NoticeDelivered | NoticeHandedOver) -> Complaint:
    """The first thing that reached the customer and was an answer (SLA-1)."""
    if complaint.answer or event.recipient is not Recipient.CUSTOMER or event.kind not in ANSWERS:
        return complaint
    at = event.delivered_at if isinstance(event, NoticeDelivered) else event.handed_over_at
    return replace(complaint, answer=Answer(notice_id=event.notice_id, at=at))
