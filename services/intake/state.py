"""What intake knows of a complaint: its situations, and how each event leads from one to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never
from uuid import UUID

from libs.events import errors
from libs.events.contracts import intake as events
from libs.events.contracts.values import (
    Complainant,
    Contact,
    Demand,
    Detail,
    Product,
    Respondent,
    RespondentKind,
)
from services.intake import handling
from services.intake.handling import Handling

Event = events.Event | handling.Event

# What a complaint needs before it can be judged founded, by what it is against (REC-2); policy decides.
RequiredDetails = Mapping[RespondentKind, tuple[Detail, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the complainant said, as it stands after every correction so far."""

    occurred_at: datetime | None
    complainant: Complainant
    respondent: Respondent
    product: Product | None
    narrative: str
    supplements: tuple[str, ...] = ()
    demand: Demand


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of a complaint in every situation; `suspected` and `separated` name other complaints."""

    complaint_id: UUID
    data_subject: str
    number: str
    contact: Contact
    received_at: datetime
    recorded_at: datetime
    first_reply_due_at: datetime
    statement: Statement
    missing_details: tuple[Detail, ...] = ()
    unavailable_details: frozenset[Detail] = frozenset()
    attachments: tuple[events.AttachmentAdded, ...] = ()
    suspected: frozenset[UUID] = frozenset()
    separated: frozenset[UUID] = frozenset()
    handling: Handling


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """Nothing has been recorded."""


@dataclass(frozen=True, slots=True)
class Open:
    """What every open contact is."""

    record: Record


@dataclass(frozen=True, slots=True)
class Enquired(Open):
    """Somebody asked something; it is on record and may turn out to be a complaint (REC-4)."""


@dataclass(frozen=True, slots=True)
class Recorded(Open):
    """A complaint is on record; whether it is founded is to be judged, for the first time or again."""


@dataclass(frozen=True, slots=True)
class Unfounded(Open):
    """It was judged unfounded; the customer may contest that (CLS-5)."""


@dataclass(frozen=True, slots=True)
class Founded(Open):
    """It was judged founded, and nobody answers for it yet."""


@dataclass(frozen=True, slots=True)
class Assigned(Open):
    """It is founded, and a unit and a named person answer for it (ASG-2)."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The complainant took it back."""

    record: Record


@dataclass(frozen=True, slots=True)
class Merged:
    """It is the same as `into`, which carries on for both; nothing of this one is lost."""

    record: Record
    into: UUID


class Status(StrEnum):
    """The situation of a complaint in one word, for those who list and filter."""

    ENQUIRY = "enquiry"
    RECORDED = "recorded"
    UNFOUNDED = "unfounded"
    FOUNDED = "founded"
    ASSIGNED = "assigned"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    CLOSED = "closed"


OpenComplaint = Recorded | Unfounded | Founded | Assigned
OnRecord = Enquired | OpenComplaint | Withdrawn | Merged
Complaint = NotRecorded | OnRecord
INITIAL: Final = NotRecorded()


class AlreadyWithdrawn(errors.Refused):
    """The complainant took this complaint back: should they complain again, it must be recorded anew."""

    code = "already_withdrawn"


class AlreadyMerged(errors.Refused):
    """This complaint was merged into another one, which carries on for both: separate them first."""

    code = "already_merged"


class AlreadyClosed(errors.Refused):
    """This complaint is closed: reopen it first."""

    code = "already_closed"


class NotAComplaint(errors.Refused):
    """This is an enquiry: it must become a complaint first."""

    code = "not_a_complaint"


class JudgeInOwnCause(errors.Refused):
    """Nobody judges, handles or ends a complaint about themselves or a superior: it takes somebody else."""

    code = "judge_in_own_cause"


def refusal(complaint: NotRecorded | Enquired | Withdrawn | Merged) -> errors.Failure:
    """Why there is no complaint here that anybody could go on with: what a step raises."""
    match complaint:
        case NotRecorded():
            return errors.NotFound()
        case Enquired():
            return NotAComplaint()
        case Withdrawn():
            return AlreadyWithdrawn()
        case Merged(into=other):
            return AlreadyMerged(merged_into=str(other))
        case _:
            assert_never(complaint)


def evolve(complaint: Complaint, event: Event) -> Complaint:
    """The situation after `event`."""
    if isinstance(event, events.ComplaintRecorded):
        return opened(_first_record(event))
    if isinstance(complaint, NotRecorded):
        raise errors.ContractError("A complaint's first event must be ComplaintRecorded.")
    if isinstance(event, handling.Event):
        return _handled(complaint, event)
    record = complaint.record
    match event:
        case events.ComplaintAmended():
            return replace(complaint, record=_amended(record, event))
        case events.EnquiryBecameComplaint():
            return Recorded(
                replace(
                    record,
                    contact=Contact.COMPLAINT,
                    missing_details=event.missing_details,
                    first_reply_due_at=event.first_reply_due_at,
                    handling=handling.begun(event.became_at, event.missing_details),
                )
            )
        case events.AttachmentAdded():
            return replace(complaint, record=replace(record, attachments=(*record.attachments, event)))
        case events.DuplicateSuspected(suspicion=suspicion):
            suspected = record.suspected | {suspicion.duplicate_of}
            return replace(complaint, record=replace(record, suspected=suspected))
        case events.ComplaintMerged():
            still = replace(record, handling=handling.stopped(record.handling, event.merged_at))
            return Merged(still, into=event.merged_into)
        case events.ComplaintSeparated():
            return _separated(complaint, event)
        case events.ComplaintWithdrawn():
            still = replace(record, handling=handling.stopped(record.handling, event.withdrawn_at))
            return Withdrawn(still)
        case _:
            assert_never(event)


def may_end(*, own_cause: bool, closed: bool) -> None:
    """Refused for what has ended, and to whoever is complained of, or is below whom is (ASG-4)."""
    if closed:
        raise AlreadyClosed
    if own_cause:
        raise JudgeInOwnCause


def opened(record: Record) -> Enquired | OpenComplaint:
    """The situation of a contact that is open."""
    if record.contact is Contact.ENQUIRY:
        return Enquired(record)
    if record.handling.answerable is not None:
        return Assigned(record)
    if record.handling.founded is None:
        return Recorded(record)
    return Founded(record) if record.handling.founded else Unfounded(record)


def status(complaint: OnRecord) -> Status:
    """The situation in one word."""
    match complaint:
        case Enquired():
            return Status.ENQUIRY
        case Recorded():
            return Status.RECORDED
        case Unfounded():
            return Status.UNFOUNDED
        case Founded():
            return Status.FOUNDED
        case Assigned():
            return Status.ASSIGNED
        case Withdrawn():
            return Status.WITHDRAWN
        case Merged():
            return Status.MERGED
        case _:
            assert_never(complaint)


def missing_details(
    contact: Contact,
    statement: Statement,
    required: RequiredDetails,
    unavailable: frozenset[Detail] = frozenset(),
) -> tuple[Detail, ...]:
    """What a complaint still lacks, in the policy's order; an enquiry lacks nothing (REC-2)."""
    if contact is Contact.ENQUIRY:
        return ()
    product = statement.product or Product()
    wanted = required.get(statement.respondent.kind, ())
    return tuple(
        detail for detail in wanted if getattr(product, detail) is None and detail not in unavailable
    )


def data_subject(complaint_id: UUID, complainant: Complainant) -> str:
    """Whose key seals what was said: the customer's where one is known, else the complaint's own (SEC-1)."""
    if complainant.customer_id is not None:
        return f"customer:{complainant.customer_id}"
    return own_data_subject(complaint_id)


def own_data_subject(complaint_id: UUID) -> str:
    """Stands for a complainant of whom nothing but this complaint is known."""
    return f"complaint:{complaint_id}"


def _first_record(event: events.ComplaintRecorded) -> Record:
    return Record(
        complaint_id=event.complaint_id,
        data_subject=event.data_subject,
        number=event.number,
        contact=event.contact,
        received_at=event.received_at,
        recorded_at=event.recorded_at,
        first_reply_due_at=event.first_reply_due_at,
        statement=Statement(
            occurred_at=event.occurred_at,
            complainant=event.complainant,
            respondent=event.respondent,
            product=event.product,
            narrative=event.narrative,
            demand=event.demand,
        ),
        missing_details=event.missing_details,
        suspected=frozenset(suspicion.duplicate_of for suspicion in event.possible_duplicates),
        handling=handling.begun(event.recorded_at, event.missing_details),
    )


def _handled(complaint: OnRecord, event: handling.Event) -> OnRecord:
    record = replace(complaint.record, handling=handling.after(complaint.record.handling, event))
    return opened(record) if isinstance(complaint, Open) else replace(complaint, record=record)


def _separated(complaint: OnRecord, event: events.ComplaintSeparated) -> OnRecord:
    record, other = complaint.record, event.separated_from
    apart = replace(record, suspected=record.suspected - {other}, separated=record.separated | {other})
    if not isinstance(complaint, Merged):
        return replace(complaint, record=apart)
    return opened(replace(apart, handling=handling.resumed(record.handling, event.separated_at)))


def _amended(record: Record, event: events.ComplaintAmended) -> Record:
    before = record.statement
    return replace(
        record,
        data_subject=event.data_subject,
        statement=Statement(
            occurred_at=event.occurred_at or before.occurred_at,
            complainant=event.complainant or before.complainant,
            respondent=event.respondent or before.respondent,
            product=event.product or before.product,
            narrative=before.narrative if event.narrative is None else event.narrative,
            supplements=before.supplements
            if event.supplement is None
            else (*before.supplements, event.supplement),
            demand=event.demand or before.demand,
        ),
        missing_details=event.missing_details,
        handling=handling.supplied(record.handling, event.missing_details, event.amended_at),
        unavailable_details=record.unavailable_details | frozenset(event.unavailable_details),
    )
