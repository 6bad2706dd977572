"""What a complaint's whole history says that an investigation needs: who answers, by when, and whether still.

Nothing of it is kept in our own streams (docs/decisions/0007): it is read anew whenever it is needed, so that
whichever event is heard first, or twice, the newest word holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from libs.events import history
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated
from libs.events.contracts.classify import (
    ClassificationContested,
    ComplaintClassified,
    ComplaintJoinedIncident,
)
from libs.events.contracts.handling import Answerable, Ground, Kind, Severity, Step, StepDue
from libs.events.contracts.intake import (
    AttachmentAdded,
    ComplaintAmended,
    ComplaintMerged,
    ComplaintRecorded,
    ComplaintSeparated,
    ComplaintWithdrawn,
)
from libs.events.contracts.investigate import FindingRecorded, StopCause
from libs.events.contracts.propose import ComplaintClosed, ComplaintReopened
from libs.events.contracts.term import DeadlinesRecomputed, MovedDue
from libs.events.contracts.values import Product, Respondent
from libs.events.envelope import Recorded
from libs.events.store import EventStore
from libs.policy.calendar import Span

# What a complaint's investigation follows.
FOLLOWED: Final = (
    ComplaintClassified,
    ClassificationContested,
    ComplaintAssigned,
    ComplaintEscalated,
    ComplaintJoinedIncident,
    ComplaintWithdrawn,
    ComplaintMerged,
    ComplaintSeparated,
    ComplaintReopened,
    ComplaintClosed,
    DeadlinesRecomputed,
)

# What else `follow` takes something from.
FOLDED: Final = (*FOLLOWED, ComplaintRecorded, ComplaintAmended, AttachmentAdded, FindingRecorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint as its history tells it.

    `as_of` is the seq of the newest event that `FOLLOWED` names. The finding is due as `given` by the
    assignment; where that gave none, or the complaint stood still (`pauses`), policy reckons from `since`.
    """

    complaint_id: UUID
    data_subject: str
    customer_id: str | None
    respondent: Respondent
    product: Product | None
    kind: Kind | None = None
    severity: Severity | None = None
    round: int = 1
    answerable: Answerable | None = None
    level: int = 0
    escalated_at: datetime | None = None
    ground: Ground | None = None
    attachments: frozenset[UUID] = frozenset()
    incident_id: UUID | None = None
    found: bool = False
    given: StepDue | None = None
    since: datetime | None = None
    pauses: tuple[Span, ...] = ()
    stopped: StopCause | None = None
    stopped_at: datetime | None = None
    as_of: int = 0


def follow(complaint: Complaint | None, recorded: Recorded[Any]) -> Complaint | None:
    """The complaint after one more event of any service, in log order; None before it is recorded."""
    if isinstance(recorded.event, ComplaintRecorded):
        return _recorded(recorded.event)
    if complaint is None:
        return None
    complaint = _after(complaint, recorded.event)
    if isinstance(recorded.event, FOLLOWED):
        complaint = replace(complaint, as_of=recorded.envelope.seq)
    return complaint


async def read(store: EventStore, log: str, complaint_id: UUID) -> Complaint | None:
    """A complaint as it stands now; None where there is none."""
    return await history.of(store, follow, FOLDED).now(log, complaint_id)


def _recorded(event: ComplaintRecorded) -> Complaint:
    return Complaint(
        complaint_id=event.complaint_id,
        data_subject=event.data_subject,
        customer_id=event.complainant.customer_id,
        respondent=event.respondent,
        product=event.product,
    )


def _after(complaint: Complaint, event: object) -> Complaint:
    match event:
        case ComplaintAmended():
            return _amended(complaint, event)
        case AttachmentAdded(attachment_id=added):
            return replace(complaint, attachments=complaint.attachments | {added})
        case ComplaintClassified():
            return _classified(complaint, event)
        case FindingRecorded():
            return replace(complaint, found=True)
        case ClassificationContested(contested_at=at) if complaint.found:
            return _again(complaint, at)
        case ComplaintAssigned():
            return _assigned(complaint, event)
        case ComplaintEscalated() if complaint.answerable:
            return replace(complaint, answerable=event.to, level=event.level, escalated_at=event.escalated_at)
        case ComplaintJoinedIncident():
            return replace(
                complaint, incident_id=event.incident_id, level=0, ground=complaint.ground or event.ground
            )
        case ComplaintWithdrawn(withdrawn_at=at):
            return _stopped(complaint, StopCause.WITHDRAWN, at)
        case ComplaintMerged(merged_at=at):
            return _stopped(complaint, StopCause.MERGED, at)
        case ComplaintSeparated(separated_at=at) if complaint.stopped is StopCause.MERGED:
            return _going_on(complaint, at)
        case ComplaintClosed(closed_at=at):
            return _stopped(complaint, StopCause.CLOSED, at)
        case ComplaintReopened():
            return _reopened(complaint, event)
        case DeadlinesRecomputed(moved=moved) if complaint.given is not None:
            return replace(complaint, given=_moved(complaint.given, moved))
        case _:
            return complaint


def _amended(complaint: Complaint, event: ComplaintAmended) -> Complaint:
    customer_id = event.complainant.customer_id if event.complainant else None
    return replace(
        complaint,
        data_subject=event.data_subject,
        customer_id=customer_id or complaint.customer_id,
        respondent=event.respondent or complaint.respondent,
        product=event.product or complaint.product,
    )


def _classified(complaint: Complaint, event: ComplaintClassified) -> Complaint:
    judged = complaint
    if complaint.answerable is None:
        judged = replace(complaint, kind=event.kind, severity=event.severity)
    if event.founded is None:
        return judged
    if not event.founded.value:
        return _stopped(judged, StopCause.UNFOUNDED, event.classified_at)
    return _going_on(judged, event.classified_at) if judged.stopped is StopCause.UNFOUNDED else judged


def _assigned(complaint: Complaint, event: ComplaintAssigned) -> Complaint:
    return replace(
        complaint,
        data_subject=event.data_subject,
        kind=event.kind,
        severity=event.severity,
        answerable=event.answerable,
        level=0,
        ground=event.ground,
        incident_id=event.incident_id or complaint.incident_id,
        given=_investigate(event.due),
        since=event.assigned_at,
        pauses=(),
    )


def _stopped(complaint: Complaint, why: StopCause, at: datetime) -> Complaint:
    """The first reason stays: what was withdrawn is not closed by being closed."""
    return complaint if complaint.stopped else replace(complaint, stopped=why, stopped_at=at)


def _going_on(complaint: Complaint, at: datetime) -> Complaint:
    if complaint.stopped_at is None:
        return complaint
    stood_still = Span(complaint.stopped_at, at)
    return replace(complaint, stopped=None, stopped_at=None, pauses=(*complaint.pauses, stood_still))


def _reopened(complaint: Complaint, event: ComplaintReopened) -> Complaint:
    """It stands on its own again; where a finding was on record, what is found next is another round's."""
    going_on = _going_on(complaint, event.reopened_at)
    again = _again(going_on, event.reopened_at) if complaint.found else going_on
    given = _investigate(event.due)
    return replace(
        again, incident_id=None if complaint.found else again.incident_id, given=given or again.given
    )


def _again(complaint: Complaint, at: datetime) -> Complaint:
    """A further round: its time begins anew."""
    return replace(complaint, round=complaint.round + 1, found=False, given=None, since=at, pauses=())


def _moved(given: StepDue, moved: tuple[MovedDue, ...]) -> StepDue:
    """Where the time that the assignment gave lies by the calendar now (SLA-2)."""
    lies = {(each.due.step, each.before_at): each.due for each in moved if each.running and not each.about}
    return lies.get((given.step, given.due_at), given)


def _investigate(due: tuple[StepDue, ...]) -> StepDue | None:
    return next((each for each in due if each.step is Step.INVESTIGATE), None)
