"""One complaint as people read it: what is on record, what was before, and who changed it why (REC-6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from libs.events.contracts import handling as contracts
from libs.events.contracts import intake as events
from libs.events.contracts.assign import ComplaintAssigned, ComplaintEscalated, EscalationCause
from libs.events.contracts.classify import ComplaintClassified
from libs.events.contracts.handling import Kind, Nature, Severity, Step
from libs.events.contracts.values import (
    Channel,
    Complainant,
    Contact,
    Demand,
    Detail,
    Product,
    Respondent,
    Source,
)
from libs.events.envelope import Recorded
from libs.events.masking import masked
from services.intake import state
from services.intake.handling import Handling


class Version(BaseModel):
    """The parts of a statement that an amendment changed; null is what it left."""

    occurred_at: datetime | None = None
    complainant: Complainant | None = None
    respondent: Respondent | None = None
    product: Product | None = None
    narrative: str | None = None
    demand: Demand | None = None


class Amendment(BaseModel):
    """A correction or supplement, with what stood before it and what stands after it (REC-6)."""

    version: int
    amended_at: datetime
    author: str
    reason: str
    before: Version
    after: Version
    supplement: str | None
    unavailable_details: tuple[Detail, ...]


class Attachment(BaseModel):
    """What is kept with the complaint (REC-10)."""

    attachment_id: UUID
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    added_at: datetime
    author: str


class SuspectedDuplicate(BaseModel):
    """An earlier complaint that may be the same (REC-9)."""

    complaint_id: UUID
    matched_on: tuple[str, ...]
    suspected_at: datetime


class Decision(BaseModel):
    """What a person decided about the whole; `other` is what it was merged into or separated from."""

    kind: str
    at: datetime
    author: str
    reason: str
    other: UUID | None = None


class Opinion(BaseModel):
    """Yes or no, with its reason (CLS-4)."""

    value: bool
    reason: str


class Judgement(BaseModel):
    """A judgement of step 2, a rule's or a person's; the last one of the last round holds (CLS-6)."""

    round: int
    kind: Kind
    nature: Nature
    severity: Severity
    founded: Opinion | None
    demand_reasonable: Opinion | None
    policy: str
    clause: str | None
    person: str | None
    classified_at: datetime


class Contest(BaseModel):
    """What the customer brought up against a judgement (CLS-5)."""

    new_facts: str
    judged_before_by: str | None
    author: str
    contested_at: datetime


class PassedOver(BaseModel):
    """Whom the policy named first, and why it was not them (ASG-4)."""

    person: str
    why: str


class Assignment(BaseModel):
    """Who was made to answer, by which clause or person, and why."""

    round: int
    unit: str
    person: str
    passed_over: tuple[PassedOver, ...]
    reason: str | None
    policy: str
    clause: str | None
    assigned_by: str | None
    assigned_at: datetime


class Escalation(BaseModel):
    """When it went to leadership, and why (ASG-5, ASG-6, SLA-3)."""

    level: int
    cause: EscalationCause
    unit: str
    person: str
    owed_by: str | None
    step: Step | None
    due_at: datetime | None
    tried: str | None
    escalated_at: datetime


class Owed(BaseModel):
    """What intake owes next: judging, or assigning."""

    step: Step
    due_at: datetime
    unit: str | None
    person: str | None


class Dossier(BaseModel):
    """A complaint with everything that became of it in this service."""

    complaint_id: UUID
    number: str
    version: int
    status: state.Status
    contact: Contact
    source: Source | None
    channel: Channel
    received_at: datetime
    recorded_at: datetime
    first_reply_due_at: datetime
    policy: str
    occurred_at: datetime | None
    complainant: Complainant
    respondent: Respondent
    product: Product | None
    narrative: str
    supplements: tuple[str, ...]
    demand: Demand
    missing_details: tuple[Detail, ...]
    unavailable_details: tuple[Detail, ...]
    amendments: tuple[Amendment, ...]
    attachments: tuple[Attachment, ...]
    suspected_duplicates: tuple[SuspectedDuplicate, ...]
    merged_into: UUID | None
    merged_here: tuple[UUID, ...]
    decisions: tuple[Decision, ...]
    judgements: tuple[Judgement, ...]
    contests: tuple[Contest, ...]
    assignments: tuple[Assignment, ...]
    escalations: tuple[Escalation, ...]
    unit: str | None
    person: str | None
    incident_id: UUID | None
    owed: Owed | None


# Which of a statement's parts an amendment may change.
_PARTS: Final = tuple(Version.model_fields)


def build(
    history: Sequence[Recorded[Any]],
    *,
    personal: bool,
    merged_here: tuple[UUID, ...] = (),
    closed: bool = False,
) -> Dossier:
    """The dossier of a complaint's whole stream (not empty); without `personal`, no personal text."""
    complaint: state.Complaint = state.INITIAL
    happened = [each.event if personal else masked(each.event) for each in history]
    amendments: list[Amendment] = []
    for event, each in zip(happened, history, strict=True):
        if isinstance(event, events.ComplaintAmended) and not isinstance(complaint, state.NotRecorded):
            amendments.append(_amendment(event, each.envelope.version, complaint.record.statement))
        complaint = state.evolve(complaint, event)
    assert not isinstance(complaint, state.NotRecorded), "a stream is read only where it exists"
    record, statement, first = complaint.record, complaint.record.statement, happened[0]
    return Dossier(
        complaint_id=record.complaint_id,
        number=record.number,
        version=history[-1].envelope.version,
        status=state.Status.CLOSED if closed else state.status(complaint),
        contact=record.contact,
        source=first.source,
        channel=first.channel,
        received_at=record.received_at,
        recorded_at=record.recorded_at,
        first_reply_due_at=record.first_reply_due_at,
        policy=first.policy,
        occurred_at=statement.occurred_at,
        complainant=statement.complainant,
        respondent=statement.respondent,
        product=statement.product,
        narrative=statement.narrative,
        supplements=statement.supplements,
        demand=statement.demand,
        missing_details=record.missing_details,
        unavailable_details=tuple(sorted(record.unavailable_details)),
        amendments=tuple(amendments),
        attachments=tuple(attachment(kept) for kept in record.attachments),
        suspected_duplicates=tuple(found for event in happened for found in _suspected(event)),
        merged_into=complaint.into if isinstance(complaint, state.Merged) else None,
        merged_here=merged_here,
        decisions=tuple(decision for event in happened if (decision := _decision(event))),
        **_handled(record.handling),
    )


def _handled(handling: Handling) -> dict[str, Any]:
    term, has_it = handling.term, handling.answerable
    owed_by = term.owed_by if term else None
    return {
        "judgements": tuple(_judgement(each) for each in handling.judgements),
        "contests": tuple(Contest.model_validate(each, from_attributes=True) for each in handling.contests),
        "assignments": tuple(_assignment(each) for each in handling.assignments),
        "escalations": tuple(_escalation(each) for each in handling.escalations),
        "unit": has_it.unit if has_it else None,
        "person": has_it.person if has_it else None,
        "incident_id": handling.incident.incident_id if handling.incident else None,
        "owed": term
        and Owed(
            step=term.due.step,
            due_at=term.due.due_at,
            unit=owed_by.unit if owed_by else None,
            person=owed_by.person if owed_by else None,
        ),
    }


def _judgement(event: ComplaintClassified) -> Judgement:
    return Judgement(
        round=event.round,
        kind=event.kind,
        nature=event.nature,
        severity=event.severity,
        founded=_opinion(event.founded),
        demand_reasonable=_opinion(event.demand_reasonable),
        **_ground(event.ground),
        person=event.ground.person,
        classified_at=event.classified_at,
    )


def _opinion(judged: contracts.Judgement | None) -> Opinion | None:
    return Opinion(value=judged.value, reason=judged.reason) if judged else None


def _ground(ground: contracts.Ground) -> dict[str, Any]:
    return {"policy": ground.policy, "clause": ground.clause}


def _assignment(event: ComplaintAssigned) -> Assignment:
    return Assignment(
        round=event.round,
        unit=event.answerable.unit,
        person=event.answerable.person,
        passed_over=tuple(PassedOver(person=each.person, why=each.why) for each in event.passed_over),
        reason=event.reason,
        **_ground(event.ground),
        assigned_by=event.ground.person,
        assigned_at=event.assigned_at,
    )


def _escalation(event: ComplaintEscalated) -> Escalation:
    return Escalation(
        level=event.level,
        cause=event.cause,
        unit=event.to.unit,
        person=event.to.person,
        owed_by=event.owed_by.person if event.owed_by else None,
        step=event.step,
        due_at=event.due_at,
        tried=event.tried,
        escalated_at=event.escalated_at,
    )


def attachment(kept: events.AttachmentAdded) -> Attachment:
    """As the dossier and the list of attachments show it."""
    return Attachment.model_validate(kept, from_attributes=True)


def _amendment(event: events.ComplaintAmended, version: int, before: state.Statement) -> Amendment:
    changed = [part for part in _PARTS if getattr(event, part) is not None]
    return Amendment(
        version=version,
        amended_at=event.amended_at,
        author=event.author,
        reason=event.reason,
        before=Version(**{part: getattr(before, part) for part in changed}),
        after=Version(**{part: getattr(event, part) for part in changed}),
        supplement=event.supplement,
        unavailable_details=event.unavailable_details,
    )


def _suspected(event: events.Event) -> list[SuspectedDuplicate]:
    match event:
        case events.ComplaintRecorded(possible_duplicates=found, recorded_at=at):
            pass
        case events.DuplicateSuspected(suspicion=suspicion, suspected_at=at):
            found = (suspicion,)
        case _:
            return []
    return [
        SuspectedDuplicate(complaint_id=each.duplicate_of, matched_on=each.matched_on, suspected_at=at)
        for each in found
    ]


def _decision(event: events.Event) -> Decision | None:
    match event:
        case events.EnquiryBecameComplaint(became_at=at):
            kind, other = "conversion", None
        case events.ComplaintMerged(merged_at=at, merged_into=other):
            kind = "merge"
        case events.ComplaintSeparated(separated_at=at, separated_from=other):
            kind = "separation"
        case events.ComplaintWithdrawn(withdrawn_at=at):
            kind, other = "withdrawal", None
        case _:
            return None
    return Decision(kind=kind, at=at, author=event.author, reason=event.reason, other=other)
