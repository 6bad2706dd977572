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


@dataclass(frozen=True, slots=True)
class NotRecorded:
    """Nothing has been recorded."""


@dataclass(frozen=True, slots=True)
class Enquired:
    """Somebody asked something; it is on record and may turn out to be a complaint (REC-4)."""

    record: Record


@dataclass(frozen=True, slots=True)
class Recorded:
    """A complaint is on record and open."""

    record: Record


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
    WITHDRAWN = "withdrawn"
    MERGED = "merged"


OnRecord = Enquired | Recorded | Withdrawn | Merged
Complaint = NotRecorded | OnRecord
INITIAL: Final = NotRecorded()


class AlreadyWithdrawn(errors.Refused):
    """The complainant took this complaint back."""

    code = "already_withdrawn"


class AlreadyMerged(errors.Refused):
    """This complaint was merged into another one, which carries on for both."""

    code = "already_merged"


def evolve(complaint: Complaint, event: events.Event) -> Complaint:
    """The situation after `event`."""
    if isinstance(event, events.ComplaintRecorded):
        return opened(_first_record(event))
    if isinstance(complaint, NotRecorded):
        raise errors.ContractError("A complaint's first event must be ComplaintRecorded.")
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
                )
            )
        case events.AttachmentAdded():
            return replace(complaint, record=replace(record, attachments=(*record.attachments, event)))
        case events.DuplicateSuspected(suspicion=suspicion):
            suspected = record.suspected | {suspicion.duplicate_of}
            return replace(complaint, record=replace(record, suspected=suspected))
        case events.ComplaintMerged():
            return Merged(record, into=event.merged_into)
        case events.ComplaintSeparated(separated_from=other):
            apart = replace(
                record, suspected=record.suspected - {other}, separated=record.separated | {other}
            )
            return opened(apart) if isinstance(complaint, Merged) else replace(complaint, record=apart)
        case events.ComplaintWithdrawn():
            return Withdrawn(record)
        case _:
            assert_never(event)


def opened(record: Record) -> Enquired | Recorded:
    """The situation of a contact that is open."""
    return Enquired(record) if record.contact is Contact.ENQUIRY else Recorded(record)


def status(complaint: OnRecord) -> Status:
    """The situation in one word."""
    match complaint:
        case Enquired():
            return Status.ENQUIRY
        case Recorded():
            return Status.RECORDED
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
    )


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
        unavailable_details=record.unavailable_details | frozenset(event.unavailable_details),
    )
